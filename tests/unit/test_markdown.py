"""Foreign text stays text: rendered by a Markdown parser it gives back what was put in."""

import html
import re

import pytest
from markdown_it import MarkdownIt

from midway.studies.markdown import code, escape, fenced, table
from midway.studies.model_card import licence_of

NASTY = (
    "plain",
    "<script>alert('x')</script> & <b>",
    "*bold* _it_ __x__ ~~gone~~",
    "[link](http://a.b) ![i](c)",
    "a | b \\| c \\",
    "`code` ``two`` `",
    "# head",
    "$x$ {{ y }} &amp; !",
    "label\nwith\r\nlines\tand tabs",
)


def rendered(text):
    return MarkdownIt("commonmark").enable("table").enable("strikethrough").render(text)


def plain(value):
    return " ".join(value.split())


@pytest.mark.parametrize("text", NASTY)
def test_escaped_text_has_no_markup(text):
    found = re.fullmatch(r"<p>x (.*) y</p>\n", rendered(f"x {escape(text)} y"))
    assert "<" not in found[1]
    assert html.unescape(found[1]) == plain(text)


@pytest.mark.parametrize("text", NASTY)
def test_code_has_no_markup(text):
    found = re.fullmatch(r"<p><code>(.*)</code></p>\n", rendered(code(text)))
    assert html.unescape(found[1]) == plain(text)


@pytest.mark.parametrize("text", [*NASTY, "```\nbreak out\n```\n<b>"])
def test_a_block_ends_where_it_should(text):
    found = rendered("\n".join(fenced("toml", text)))
    inner = re.fullmatch(
        r'<pre><code class="language-toml">(.*)\n</code></pre>\n', found, re.DOTALL
    )
    assert html.unescape(inner[1]) == text.replace("\r\n", "\n")


def test_a_cell_stays_a_cell():
    text = rendered("\n".join(table(["a", "b"], [[escape(NASTY[4]), escape(NASTY[1])]])))
    cells = [html.unescape(cell) for cell in re.findall("<td>(.*?)</td>", text)]
    assert cells == [NASTY[4], NASTY[1]]


@pytest.mark.parametrize(
    ("licences", "wanted"),
    [
        (["MIT"], "mit"),
        (["MIT", "CC BY 4.0", "Apache-2.0 (part of midway)"], "cc-by-4.0"),
        (["MIT", "Apache-2.0 (part of midway)"], "apache-2.0"),
        (["MIT", "CC BY-SA 4.0"], "cc-by-sa-4.0"),
        (["CC BY-SA 3.0", "CC BY-SA 4.0"], "other"),
        (["CC BY-SA 4.0", "CC BY-NC 4.0"], "other"),
        (["MIT", "not stated in the source (commonly given as MIT)"], "other"),
        (["", "MIT"], "other"),
        ([], "other"),
    ],
)
def test_licence_of_the_whole(licences, wanted):
    assert licence_of(licences) == wanted
