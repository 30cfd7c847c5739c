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
_HEIGHT, _TOP, _BOTTOM = 260, 14, 34
_LEFT, _RIGHT = 11.0, 97.0  # per cent
_LABEL, _WIDTH = 9.0, 330.0  # height of a label and assumed width of a panel, CSS pixels
_CLASSES = 6


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
class Dot:
    """A point of the scatter plot: a language of some resource class and its gain in points."""

    label: str
    title: str
    group: int
    value: float
    sign: int


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


def class_plot(dots: Sequence[Dot], scale: Axis, description: str) -> Markup:
    """Draw gains against resource class 0 to 5, with as many labels as there is room for.

    Dots of one class are spread side by side in the order given.
    """
    plot = _HEIGHT - _TOP - _BOTTOM

    def down(value: float) -> float:
        return _TOP + plot * (1 - scale.place(value))

    parts = [
        Markup(
            '<line class="{}" x1="{}%" x2="{}%" y1="{y:.1f}" y2="{y:.1f}"/>'
            '<text x="{}%" y="{ty:.1f}" text-anchor="end">{}</text>'
        ).format(
            "zero" if abs(tick) < 1e-9 else "grid",
            _LEFT,
            _RIGHT,
            _LEFT - 2,
            tick_label(tick),
            y=down(tick),
            ty=down(tick) + 4,
        )
        for tick in scale.ticks
    ]
    slot = (_RIGHT - _LEFT) / _CLASSES
    for group in range(_CLASSES):
        center = _LEFT + slot * (group + 0.5)
        parts.append(
            Markup('<text x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
                center, _HEIGHT - _BOTTOM + 18, group
            )
        )
    spread = [(dot, x, down(dot.value)) for dot, x in _spread(dots, slot)]
    for dot, x, y in spread:
        parts.append(
            Markup(
                '<circle class="dot {}" cx="{:.2f}%" cy="{:.1f}" r="4"><title>{}</title></circle>'
            ).format(sign_class(dot.sign), x, y, dot.title)
        )
    parts += _labels(spread)
    return Markup(
        '<svg class="scatter" width="100%" height="{}" role="img" aria-label="{}">{}</svg>'
    ).format(_HEIGHT, description, Markup("").join(parts))


def _labels(spread: Sequence[tuple[Dot, float, float]]) -> list[Markup]:
    """Label dots where a label hides neither a dot nor another label; the table has the rest."""
    taken = [_box(x, y, 0.0, 0.0, 10.0) for _, x, y in spread]
    labels = []
    for dot, x, y in spread:
        width = 6.5 * len(dot.label)
        for dx, dy, anchor, left in (
            (7.0, 4.0, "start", 7.0),
            (0.0, -8.0, "middle", -width / 2),
            (0.0, 16.0, "middle", -width / 2),
            (-7.0, 4.0, "end", -7 - width),
        ):
            box = _box(x, y, left + width / 2, dy - 4, width)
            if all(_apart(box, other) for other in taken):
                taken.append(box)
                labels.append(
                    Markup(
                        '<text class="name" x="{:.2f}%" y="{:.1f}" dx="{}" '
                        'text-anchor="{}">{}</text>'
                    ).format(x, y + dy, dx, anchor, dot.label)
                )
                break
    return labels


Box = tuple[float, float, float, float]


def _box(x: float, y: float, dx: float, dy: float, width: float) -> Box:
    """Return (left, right, top, bottom) in pixels of something centred at x % + dx, y + dy."""
    center, half = x * _WIDTH / 100 + dx, width / 2
    return center - half, center + half, y + dy - _LABEL / 2, y + dy + _LABEL / 2


def _apart(one: Box, other: Box) -> bool:
    """Whether two boxes do not touch."""
    return one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2]


def _spread(dots: Sequence[Dot], slot: float) -> list[tuple[Dot, float]]:
    """Place dots of one class side by side within its slot; x in per cent."""
    placed = []
    for group in range(_CLASSES):
        members = [dot for dot in dots if dot.group == group]
        for index, dot in enumerate(members):
            share = (index + 1) / (len(members) + 1)
            placed.append((dot, _LEFT + slot * (group + 0.08 + 0.7 * share)))
    return placed


def sign_class(sign: int) -> str:
    """Return the style class of a gain: ``up``, ``down`` or ``unclear``."""
    return {1: "up", -1: "down"}.get(sign, "unclear")


def tick_label(value: float) -> str:
    """Format a tick with a sign and no needless decimals."""
    if abs(value - round(value)) > 1e-9:
        return points(value)
    return f"{round(value):+d}".replace("-", "−") if round(value) else "0"
