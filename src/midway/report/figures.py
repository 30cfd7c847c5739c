"""Small figures as inline SVG, drawn with numbers we can read.

Horizontal positions are percentages of the drawing's width, so a figure fills any column without
scaling its text. Colours come from the style sheet by class, so they follow light and dark.
Everything that comes from data is escaped. Each figure repeats numbers of a table beside it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from midway.analysis.wording import points
from midway.stats import Interval

_ROW = 28  # height of a row of the forest plot, CSS pixels
PLAIN = Markup("")
"""No attributes: for rows and dots that no filter reads."""
_NAMES, _PLOT, _NUMBERS = 210, 380, 150  # widths of a whole forest plot's columns


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis with round ticks.

    Attributes:
        low: smallest value shown.
        high: largest value shown.
        ticks: values to label, ascending.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return the position of `value` in 0..1."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line of a forest plot: a name, its interval and the value of each seed."""

    name: str
    interval: Interval
    seeds: tuple[float, ...]


def axis(values: Sequence[float], wanted: int = 5) -> Axis:
    """Return an axis that holds `values` and zero, with about `wanted` round ticks."""
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    span = max(high - low, 1e-9)
    power = 10 ** math.floor(math.log10(span / wanted))
    step = min((power * factor for factor in (1, 2, 5, 10)), key=lambda s: abs(span / s - wanted))
    first, last = math.floor(low / step - 0.2), math.ceil(high / step + 0.2)
    return Axis(first * step, last * step, tuple(step * index for index in range(first, last + 1)))


def forest_row(interval: Interval, seeds: Sequence[float], scale: Axis) -> Markup:
    """Draw one interval: a line from low to high, a dot at the estimate, a tick per seed."""

    def at(value: float) -> str:
        return f"{2 + 96 * min(max(scale.place(value), 0.0), 1.0):.2f}%"

    middle = _ROW / 2
    parts = [_grid(scale, _ROW)]
    parts += [
        Markup('<line class="seed" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
            at(value), middle - 7, middle + 7
        )
        for value in seeds
    ]
    parts.append(
        Markup('<line class="range" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
            at(interval.low), at(interval.high), y=middle
        )
    )
    parts.append(
        Markup('<circle class="dot" cx="{}" cy="{}" r="4.5"/>').format(
            at(interval.estimate), middle
        )
    )
    return Markup(
        '<svg class="forest {}" width="100%" height="{}" aria-hidden="true" focusable="false">'
        "{}</svg>"
    ).format(sign_class(interval.sign), _ROW, Markup("").join(parts))


def forest_axis(scale: Axis) -> Markup:
    """Draw the axis below a forest plot."""
    labels = [
        Markup('<text x="{:.2f}%" y="14" text-anchor="middle">{}</text>').format(
            2 + 96 * scale.place(tick), tick_label(tick)
        )
        for tick in scale.ticks
    ]
    return Markup(
        '<svg class="axis" width="100%" height="20" aria-hidden="true" focusable="false">{}</svg>'
    ).format(Markup("").join(labels))


def _grid(scale: Axis, height: int) -> Markup:
    """Draw vertical lines at the ticks, the one at zero stronger."""
    return Markup("").join(
        Markup('<line class="{}" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="{}"/>').format(
            "zero" if abs(tick) < 1e-9 else "grid", height, x=2 + 96 * scale.place(tick)
        )
        for tick in scale.ticks
    )


def forest_figure(groups: Sequence[tuple[str, Sequence[ForestRow]]], scale: Axis) -> Markup:
    """Draw a whole forest plot with its names and numbers, for use outside the page.

    Args:
        groups: (title, rows) of each group, from top to bottom.
        scale: the axis that all rows share.
    """
    width, top, parts = _NAMES + _PLOT + _NUMBERS, 0, []
    for title, rows in groups:
        parts.append(
            Markup('<text class="name group" x="0" y="{}">{}</text>').format(top + 19, title)
        )
        top += _ROW
        for row in rows:
            low, high = points(row.interval.low), points(row.interval.high)
            parts.append(
                Markup(
                    '<text x="8" y="{y}">{}</text><svg x="{}" y="{top}" width="{}" height="{}">{}'
                    '</svg><text class="name" x="{}" y="{y}" text-anchor="end">{} ({} to {})</text>'
                ).format(
                    shortened(row.name, 32),
                    _NAMES,
                    _PLOT,
                    _ROW,
                    forest_row(row.interval, row.seeds, scale),
                    width,
                    points(row.interval.estimate),
                    low,
                    high,
                    y=top + 18,
                    top=top,
                )
            )
            top += _ROW
    parts.append(
        Markup('<svg x="{}" y="{}" width="{}" height="20">{}</svg>').format(
            _NAMES, top, _PLOT, forest_axis(scale)
        )
    )
    return Markup('<svg class="forest-figure" width="{}" height="{}">{}</svg>').format(
        width, top + 22, Markup("").join(parts)
    )


def shortened(text: str, most: int) -> str:
    """Cut `text` to `most` characters, the last an ellipsis; tables have it in full."""
    return text if len(text) <= most else text[: most - 1] + "…"


def sign_class(sign: int) -> str:
    """Return the style class of a gain: ``up``, ``down`` or ``unclear``."""
    return {1: "up", -1: "down"}.get(sign, "unclear")


def tick_label(value: float) -> str:
    """Format a tick with a sign and no needless decimals."""
    if abs(value - round(value)) > 1e-9:
        return points(value)
    return f"{round(value):+d}".replace("-", "−") if round(value) else "0"
