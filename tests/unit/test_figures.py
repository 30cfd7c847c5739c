import re

import pytest

from midway.analysis.wording import how_many, in_brackets, points, zeros
from midway.report.cells import answer_style, keep_names, seconds
from midway.report.figures import Axis, Dot, axis, class_plot, forest_axis, forest_row, tick_label
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
    dots = [Dot(f"l{i}", f"l{i}", 2, 5.0 + i / 100, 1) for i in range(30)]
    svg = class_plot(dots, axis([0, 6]), "plot")
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
    dot = Dot("<b>", "<script>", 1, 1.0, 0)
    svg = class_plot([dot], axis([1.0]), '"><script>')
    assert "<script>" not in svg
    assert "<b>" not in svg
    assert "&lt;b&gt;" in svg


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
