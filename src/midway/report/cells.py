"""Gains, answers and durations as a reader sees them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from midway.analysis.estimate import Estimate
from midway.analysis.tests import LEVEL
from midway.analysis.wording import points

_DEEPEST = 0.5  # opacity of the strongest cell; text on it keeps a contrast above 4.5
_SHORT = 24  # characters of a name that is never broken
_FIRM = {1: ("▲", "gain"), -1: ("▼", "loss")}
_WEAK = {
    1: ("△", "gain, but not after adjusting for many tests"),
    -1: ("▽", "loss, but not after adjusting for many tests"),
}
_NONE = ("·", "interval includes zero")


@dataclass(frozen=True, slots=True)
class Cell:
    """One gain in a table.

    Attributes:
        value: ``+4.2``.
        interval: ``2.1 to 6.3``.
        seeds: (seed, value) pairs in words.
        mark: a sign that does not need colour.
        word: what the mark means, for screen readers.
        style: class of the sign.
        depth: opacity of the background.
        number: the gain itself, for sorting.
        q: its adjusted p-value in words; empty if it was not tested.
        detectable: what a study of this size would find, if the interval includes zero; else empty.
    """

    value: str
    interval: str
    seeds: tuple[tuple[int, str], ...]
    mark: str
    word: str
    style: str
    depth: float
    number: float
    q: str
    detectable: str


def cell(value: Estimate | None, strongest: float) -> Cell | None:
    """Prepare one gain; `strongest` is the gain that gets the deepest colour."""
    if value is None:
        return None
    interval = value.interval
    mark, word = sign_of(value)
    share = min(abs(interval.estimate) / strongest, 1.0) if strongest > 0 else 0.0
    return Cell(
        value=points(interval.estimate),
        interval=f"{points(interval.low)} to {points(interval.high)}",
        seeds=tuple((seed, points(number)) for seed, number in value.per_seed.items()),
        mark=mark,
        word=word,
        style="up" if interval.estimate > 0 else "down",
        depth=round(_DEEPEST * share, 3),
        number=round(interval.estimate, 6),
        q="" if value.q is None else probability(value.q),
        detectable="" if interval.sign else f"{value.detectable:.1f}",
    )


def sign_of(value: Estimate) -> tuple[str, str]:
    """Return a mark and its meaning in words.

    It is filled if the interval excludes zero and the test, where there is one, holds after
    adjusting for the many; hollow if only the interval does.
    """
    if not value.interval.sign:
        return _NONE
    firm = value.q is None or value.q < LEVEL
    return (_FIRM if firm else _WEAK)[value.interval.sign]


def probability(value: float) -> str:
    """Format a probability: ``= 0.04``, ``= 0.003``, ``< 0.001``."""
    if value < 0.001:
        return "< 0.001"
    return f"= {value:.2f}" if value >= 0.01 else f"= {value:.3f}"


def answer_style(answer: str) -> str:
    """Return the style class of a verdict's answer."""
    return {
        "yes": "up",
        "no": "down",
        "mixed": "mixed",
        "cannot tell": "unclear",
        "not tested": "unclear",
        "multilingual": "choice",
        "English": "choice",
    }.get(answer, "named")


def keep_names(text: str, names: Sequence[str]) -> Markup:
    """Escape `text` and keep short names of intermediates (``squad-en``) on one line."""
    short = sorted((name for name in names if len(name) <= _SHORT), key=len, reverse=True)
    if not short:
        return escape(text)
    pieces = re.split("(" + "|".join(map(re.escape, short)) + ")", text)
    return Markup("").join(
        Markup('<span class="name">{}</span>').format(piece) if index % 2 else escape(piece)
        for index, piece in enumerate(pieces)
    )


def seconds(value: float) -> str:
    """Format a duration: ``0.4 s``, ``84 s``, ``3.6 min``, ``12 min``, ``3.2 h``."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    if value < 570:
        return f"{value / 60:.1f} min"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def apart(both: tuple[float, float]) -> str:
    """How far what happened is from what was expected: ``+4 %``; empty if nothing was expected."""
    expected, actual = both
    return f"{100 * (actual / expected - 1):+.0f} %".replace("-", "−") if expected else ""


def strongest_of(estimates: Iterable[Estimate]) -> float:
    """Return the largest absolute gain, so that colours compare within a table."""
    return max((abs(value.interval.estimate) for value in estimates), default=0.0)
