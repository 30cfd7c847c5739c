"""A figure of the page as a file of its own."""

import re

from markupsafe import Markup

_STYLE = Markup("""
text { fill: #59626d; font: 11.5px system-ui, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }
text.name { fill: #1b1f24; } text.group { font-weight: 600; } text.sign { font-size: 9px; }
.grid { stroke: #dfe3e8; } .zero { stroke: #59626d; }
.range { stroke: #6b7480; stroke-width: 2.2; stroke-linecap: round; } .seed { stroke: #6b7480; }
.dot { fill: #ffffff; stroke: #6b7480; stroke-width: 2; }
.up .range, .up .seed { stroke: #2469b2; } .up .dot, .dot.up { fill: #2469b2; stroke: #2469b2; }
.down .range, .down .seed { stroke: #c75c16; }
.down .dot, .dot.down { fill: #c75c16; stroke: #c75c16; }
rect.up { fill: #2469b2; } rect.down { fill: #c75c16; } rect.none { fill: none; stroke: #dfe3e8; }
""")
_MARGIN, _WIDTH = 12, 420  # CSS pixels; the width is for what is drawn in per cent
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SIZE = re.compile(r'width="(\d+)(%?)" height="(\d+)"')


def standalone(figure: Markup, title: str) -> str:
    """Return `figure` as an SVG document with its own style, on white.

    Args:
        figure: an ``<svg>`` element of the page.
        title: what it shows.
    """
    size = _SIZE.search(figure)
    assert size is not None, "every figure says how large it is"
    width, height = _WIDTH if size[2] else int(size[1]), int(size[3])
    outer = (width + 2 * _MARGIN, height + 2 * _MARGIN)
    document = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
        '<title>{}</title><style>{}</style><rect width="{w}" height="{h}" fill="#ffffff"/>'
        '<svg x="{m}" y="{m}" width="{}" height="{}">{}</svg></svg>\n'
    ).format(title, _STYLE, width, height, figure, w=outer[0], h=outer[1], m=_MARGIN)
    return _NOT_XML.sub("\ufffd", document)
