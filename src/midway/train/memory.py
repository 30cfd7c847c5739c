"""Memory: how many tokens are computed at once, what is done if they do not fit, giving back.

1. On CPU 4,096 tokens at once are fastest (docs/performance.md); on CUDA `limit_of` measures what
   one token takes and divides what is free by it.
2. What does not fit nevertheless is cut smaller: `smaller` says how small, `is_shortage` which
   errors mean that memory ran out. On Linux a process on CPU meets them only where its address
   space is limited (``ulimit -v``); without a limit the system ends it instead.
3. Tensors of ever-changing sizes fragment glibc's heap: left alone, a process that trains for an
   hour on CPU grows to several times what it uses (measured: 7 GB where 1.5 GB were in use).
"""

import ctypes
import functools
import gc
from collections.abc import Callable
from dataclasses import dataclass

import torch

from midway.errors import StageError

CPU_TOKENS = 4096
MOST_TOKENS = 32768  # more at once does not make a device faster
SHARE = 0.8  # of what is free; the rest is for fragmentation
SIGNS = (
    "can't allocate memory",  # torch
    "bad_alloc",  # C++
    "could not create a primitive",  # oneDNN, which does not say why
    "CUBLAS_STATUS_ALLOC_FAILED",
)


def is_shortage(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


@dataclass
class Shortage(Exception):  # noqa: N818
    """A micro-batch did not fit.

    Attributes:
        tokens: of it.
        parts: how many pieces it can be cut into at most.
        error: what was raised.
    """

    tokens: int
    parts: int
    error: str


def smaller(limit: int, shortage: Shortage, advice: str) -> int:
    """Limit after a micro-batch did not fit.

    Args:
        limit: of tokens, so far.
        shortage: what did not fit.
        advice: what the user can do if it cannot be cut.

    Raises:
        StageError: it is one piece.
    """
    if shortage.parts < 2:
        reason = shortage.error.splitlines()[0] if shortage.error else "MemoryError"
        raise StageError(
            f"out of memory: {shortage.tokens:,} tokens that must be computed together do not fit; "
            f"{advice} ({reason})"
        )
    return max(1, min(limit, shortage.tokens) // 2)


def limit_of(trial: Callable[[], int], parameters: int, device: torch.device) -> int:
    """How many tokens a CUDA device can train on at once: a power of two, so that it is stable.

    Args:
        trial: runs forward and backward of a small micro-batch, says of how many tokens.
        parameters: numbers that are trained; AdamW will need 8 bytes for each.
        device: the device.
    """
    trial()  # from now on gradients have their memory
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    tokens = trial()
    each = max(1.0, (torch.cuda.max_memory_allocated(device) - before) / tokens)
    release_memory()
    torch.cuda.empty_cache()
    room = SHARE * (torch.cuda.mem_get_info(device)[0] - 8 * parameters)
    return int(2 ** (int(max(1.0, min(MOST_TOKENS, room / each))).bit_length() - 1))


@functools.cache
def _trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):  # another C library
        return None
    return trim


def release_memory() -> None:
    """Return free pages of the heap to the system, where the C library can."""
    trim = _trim()
    if trim is not None:
        trim(0)


def release_failed() -> None:
    """Give back what a micro-batch took that did not fit; call it outside the ``except``."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    release_memory()
