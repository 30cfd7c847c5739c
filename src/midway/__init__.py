"""midway: which intermediate task helps zero-shot cross-lingual transfer, and where."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midway.report.notebook import Results, open_results

__version__ = "0.1.0"
__all__ = ["Results", "__version__", "open_results"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is asked for, so that ``import midway`` stays light."""
    if name in ("Results", "open_results"):
        return getattr(import_module("midway.report.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
