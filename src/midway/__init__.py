"""midway: which intermediate task helps zero-shot cross-lingual transfer, and where."""

__version__ = "0.1.0"
