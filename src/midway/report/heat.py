"""Heat maps as SVG: a coloured cell per gain, with its number and a mark that needs no colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from midway.report.cells import Cell
from midway.report.figures import PLAIN, shortened

_CELL, _ROW, _TOP = 70, 26, 100  # width of a cell, heights of a row and of the columns' names
_LETTER, _LONGEST = 7.0, 26  # width of a letter; characters of a name that are shown
_SLANT = 60  # room on the right for the last column's slanted name, CSS pixels


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A row of a heat map.

    Attributes:
        label: its name.
        cells: a gain or None for each column.
        attributes: HTML attributes that filters read.
    """

    label: str
    cells: tuple[Cell | None, ...]
    attributes: Markup = PLAIN


def heat_map(columns: Sequence[str], rows: Sequence[HeatRow], description: str) -> Markup:
    """Draw a heat map; a cell without a gain stays empty.

    Args:
        columns: names of the columns.
        rows: from top to bottom.
        description: what the figure shows, for those who do not see it.
    """
    longest = max((len(shortened(row.label, _LONGEST)) for row in rows), default=0)
    left = round(_LETTER * longest) + 12
    parts = [
        Markup('<text class="name" transform="translate({},{}) rotate(-38)">{}</text>').format(
            left + _CELL * index + _CELL // 2, _TOP - 8, shortened(name, 18)
        )
        for index, name in enumerate(columns)
    ]
    parts += [
        Markup('<g class="row" {} transform="translate(0,{})">{}</g>').format(
            row.attributes, _TOP + _ROW * index, _row(row, columns, left)
        )
        for index, row in enumerate(rows)
    ]
    return Markup(
        '<svg class="heatmap" width="{w}" height="{h}" viewBox="0 0 {w} {h}" data-top="{}" '
        'data-row="{}" role="img" aria-label="{}">{}</svg>'
    ).format(
        _TOP,
        _ROW,
        description,
        Markup("").join(parts),
        w=left + _CELL * len(columns) + _SLANT,
        h=_TOP + _ROW * len(rows) + 4,
    )


def _row(row: HeatRow, columns: Sequence[str], left: int) -> Markup:
    parts = [
        Markup(
            '<text class="name" x="{}" y="16" text-anchor="end"><title>{}</title>{}</text>'
        ).format(left - 8, row.label, shortened(row.label, _LONGEST))
    ]
    for index, (name, cell) in enumerate(zip(columns, row.cells, strict=True)):
        x = left + _CELL * index
        if cell is None:
            parts.append(Markup('<rect class="none" x="{}" width="68" height="24"/>').format(x))
            continue
        parts.append(
            Markup(
                "<g><title>{}, {}: {} ({}), {}</title>"
                '<rect class="{}" x="{}" width="68" height="24" fill-opacity="{}"/>'
                '<text class="name" x="{}" y="16" text-anchor="end">{}</text>'
                '<text class="name sign" x="{}" y="16">{}</text></g>'
            ).format(
                row.label,
                name,
                cell.value,
                cell.interval,
                cell.word,
                cell.style,
                x,
                cell.depth,
                x + 46,
                cell.value,
                x + 51,
                cell.mark,
            )
        )
    return Markup("").join(parts)
