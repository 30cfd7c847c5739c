import re
from xml.etree import ElementTree

import pytest

from midway.analysis.estimate import Estimate
from midway.analysis.wording import how_many, in_brackets, points, zeros
from midway.report.cells import answer_style, cell, keep_names, probability, seconds, sign_of
from midway.report.figures import Axis, axis, forest_axis, forest_row, tick_label
from midway.report.heat import HeatRow, heat_map
from midway.report.scatter import Dot, scatter
from midway.stats import Interval


@pytest.mark.parametrize("values", [[0.3, 0.4], [-20.5, 13.1], [0.0], [250.0], [-0.01, 0.02], []])
def test_an_axis_holds_its_values_and_zero_with_few_round_ticks(values):
    found = axis(values)
    assert found.low <= min([0, *values]) <= max([0, *values]) <= found.high
    assert 2 <= len(found.ticks) <= 10
    assert any(abs(tick) < 1e-12 for tick in found.ticks)
    assert found.place(found.low) == 0
    assert found.place(found.high) == 1


def test_a_forest_row_draws_its_interval_in_place_with_a_tick_per_seed():
    svg = forest_row(Interval(5.0, 2.5, 10.0, 3), [4.0, 5.0, 6.0], Axis(-10, 10, (-10, 0, 10)))
    assert 'class="range" x1="62.00%" x2="98.00%"' in svg
    assert 'cx="74.00%"' in svg
    assert svg.count('class="seed"') == 3
    assert 'class="forest up"' in svg


def test_labels_never_cover_each_other():
    dots = [Dot(f"l{i}", f"l{i}", (i % 6) / 6, 5.0 + i / 100, 1) for i in range(30)]
    svg = scatter(dots, [(0.0, "0")], axis([0, 6]), "plot")
    places = [
        (float(x) * 3.3 + float(dx), float(y))
        for x, y, dx in re.findall(r'class="name" x="([\d.]+)%" y="([\d.]+)" dx="(-?[\d.]+)"', svg)
    ]
    assert svg.count("<circle") == 30
    assert 0 < len(places) < 30
    for i, (x, y) in enumerate(places):
        for a, b in places[:i]:
            assert abs(x - a) >= 6 or abs(y - b) >= 8


def test_text_in_figures_is_escaped():
    dot = Dot("<b>", "<script>", 0.5, 1.0, 0)
    plot = scatter([dot], [(0.5, "<b>")], axis([1.0]), '"><script>')
    row = HeatRow("<b>", (None, cell(Estimate(Interval(1.0, 0.5, 2.0, 2), {1: 1.0}), 1.0)))
    for svg in (plot, heat_map(["<script>", "<i>"], [row], '"><script>')):
        assert "<script>" not in svg
        assert "<b>" not in svg
        assert "&lt;b&gt;" in svg


@pytest.mark.parametrize(
    ("low", "high", "q", "mark"),
    [
        (1.0, 3.0, 0.049, "▲"),
        (1.0, 3.0, 0.05, "△"),
        (1.0, 3.0, None, "▲"),
        (-3.0, -1.0, 0.01, "▼"),
        (-3.0, -1.0, 0.2, "▽"),
        (-1.0, 3.0, 0.01, "·"),
    ],
)
def test_a_mark_is_filled_if_the_test_holds_after_adjusting(low, high, q, mark):
    value = Estimate(Interval((low + high) / 2, low, high, 2, 0.5, 0.5), {1: 1.0}, 0.01, q)
    found = cell(value, 1.0)
    assert (found.mark, *sign_of(value)[:1]) == (mark, mark)
    assert ("adjusting" in found.word) == (mark in "△▽")
    assert found.detectable == (f"{value.detectable:.1f}" if mark == "·" else "")


def test_probabilities_have_two_figures_and_an_end():
    found = [probability(p) for p in (0.0, 0.00099, 0.0012, 0.009, 0.043, 0.5, 1.0)]
    assert found == ["< 0.001", "< 0.001", "= 0.001", "= 0.009", "= 0.04", "= 0.50", "= 1.00"]


def test_a_heat_map_has_a_cell_for_each_gain_with_number_and_mark():
    def gain(estimate, low, high):
        return cell(Estimate(Interval(estimate, low, high, 2), {1: estimate}), 4.0)

    rows = [
        HeatRow("sw", (gain(4.0, 2.0, 6.0), gain(-2.0, -3.0, -1.0))),
        HeatRow("yo", (gain(1.0, -1.0, 3.0), None)),
    ]
    svg = ElementTree.fromstring(heat_map(["a", "b"], rows, "map"))
    titles = [title.text for title in svg.iter("title")]
    assert titles.count("sw") == titles.count("yo") == 1
    assert "sw, a: +4.0 (+2.0 to +6.0), gain" in titles
    assert "sw, b: −2.0 (−3.0 to −1.0), loss" in titles
    assert "yo, a: +1.0 (−1.0 to +3.0), interval includes zero" in titles
    assert [text.text for text in svg.iter("text") if "sign" in text.get("class")] == [*"▲▼·"]
    depths = [float(r.get("fill-opacity")) for r in svg.iter("rect") if r.get("fill-opacity")]
    assert depths == [0.5, 0.25, 0.125]


def test_numbers_carry_their_sign_and_nil_has_none():
    assert [points(v) for v in (4.24, -0.04, 0.0, -3.25)] == ["+4.2", "0.0", "0.0", "−3.2"]
    assert [tick_label(v) for v in (-10.0, 0.0, 2.5)] == ["−10", "0", "+2.5"]
    assert in_brackets(Interval(1.0, -0.5, 2.0, 1)) == "+1.0 (−0.5 to +2.0)"
    assert "−10" in forest_axis(axis([-10, 10]))


def test_words_agree_with_their_numbers():
    assert how_many(1, 1, "raise") == "the intermediate raises"
    assert how_many(2, 2, "lower") == "both intermediates lower"
    assert how_many(1, 3, "raise") == "1 of 3 intermediates raises"
    assert how_many(4, 4, "raise") == "all 4 intermediates raise"
    assert zeros(1, 3) == "One interval includes zero"
    assert zeros(3, 3) == "All intervals include zero"
    assert [seconds(v) for v in (0.42, 84.2, 215, 600, 12_000)] == [
        "0.4 s",
        "84 s",
        "3.6 min",
        "10 min",
        "3.3 h",
    ]
    assert answer_style("cannot tell") == "unclear"


def test_names_stay_on_one_line_and_are_escaped():
    html = keep_names("<i> a-b and a-b-c", ["a-b", "a-b-c"])
    assert html == '&lt;i&gt; <span class="name">a-b</span> and <span class="name">a-b-c</span>'
    assert keep_names("<", []) == "&lt;"
