"""Encoders: loading, the offline import, packed attention, the active vocabulary, heads."""
