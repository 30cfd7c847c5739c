"""Gain against a property of languages: a dot per language, labelled where there is room."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from midway.report.figures import PLAIN, Axis, sign_class, tick_label

_HEIGHT, _TOP, _BOTTOM = 260, 14, 34
_LEFT, _RIGHT = 11.0, 97.0  # per cent
_LABEL, _WIDTH = 9.0, 330.0  # height of a label and assumed width of a panel, CSS pixels


@dataclass(frozen=True, slots=True)
class Dot:
    """A language and its gain.

    Attributes:
        label: what stands beside the dot.
        title: what is shown when one points at it.
        place: where it stands from left to right, 0 to 1.
        value: its gain in points.
        sign: sign of the interval, 0 if that includes zero.
        attributes: HTML attributes that filters read.
    """

    label: str
    title: str
    place: float
    value: float
    sign: int
    attributes: Markup = PLAIN


def scatter(
    dots: Sequence[Dot], ticks: Sequence[tuple[float, str]], scale: Axis, description: str
) -> Markup:
    """Draw dots, with as many labels as there is room for.

    Args:
        dots: see `Dot`.
        ticks: (place from 0 to 1, text) below the plot.
        scale: vertical axis.
        description: what the figure shows, for those who do not see it.
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
    parts += [
        Markup('<text x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
            _across(place), _HEIGHT - _BOTTOM + 18, text
        )
        for place, text in ticks
    ]
    spread = [(dot, _across(dot.place), down(dot.value)) for dot in dots]
    labels = _labels(spread)
    parts += [
        Markup(
            '<g {}><circle class="dot {}" cx="{:.2f}%" cy="{:.1f}" r="4"><title>{}</title></circle>'
            "{}</g>"
        ).format(dot.attributes, sign_class(dot.sign), x, y, dot.title, label)
        for (dot, x, y), label in zip(spread, labels, strict=True)
    ]
    return Markup(
        '<svg class="scatter" width="100%" height="{}" role="img" aria-label="{}">{}</svg>'
    ).format(_HEIGHT, description, Markup("").join(parts))


def _across(place: float) -> float:
    """Where something stands, in per cent of the figure's width."""
    return _LEFT + (_RIGHT - _LEFT) * place


def _labels(spread: Sequence[tuple[Dot, float, float]]) -> list[Markup]:
    """Label dots where a label hides neither a dot nor another label; the others are empty."""
    taken = [_box(x, y, 0.0, 0.0, 10.0) for _, x, y in spread]
    labels = []
    for dot, x, y in spread:
        width = 6.5 * len(dot.label)
        label = Markup("")
        for dx, dy, anchor, left in (
            (7.0, 4.0, "start", 7.0),
            (0.0, -8.0, "middle", -width / 2),
            (0.0, 16.0, "middle", -width / 2),
            (-7.0, 4.0, "end", -7 - width),
        ):
            box = _box(x, y, left + width / 2, dy - 4, width)
            inside = box[0] >= 0 and box[1] <= _WIDTH
            if inside and all(_apart(box, other) for other in taken):
                taken.append(box)
                label = Markup(
                    '<text class="name" x="{:.2f}%" y="{:.1f}" dx="{}" text-anchor="{}">{}</text>'
                ).format(x, y + dy, dx, anchor, dot.label)
                break
        labels.append(label)
    return labels


Box = tuple[float, float, float, float]


def _box(x: float, y: float, dx: float, dy: float, width: float) -> Box:
    """Return (left, right, top, bottom) in pixels of something centred at x % + dx, y + dy."""
    center, half = x * _WIDTH / 100 + dx, width / 2
    return center - half, center + half, y + dy - _LABEL / 2, y + dy + _LABEL / 2


def _apart(one: Box, other: Box) -> bool:
    """Whether two boxes do not touch."""
    return one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2]
