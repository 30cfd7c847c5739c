from types import SimpleNamespace

from midway.analysis.results import ResultRow
from midway.report.checks import check_tables


def row(intermediate, language, seed, metric, value, target="sampler-checks", profile="clean"):
    return ResultRow(
        "s", "e", intermediate, target, language, seed, "test", profile, metric, value, 50
    )


ROWS = [
    row("none", "en", 1, "error_rate_who", 10.0),
    row("none", "en", 2, "error_rate_who", 30.0),
    row("none", "yo", 1, "error_rate_who", 70.0),
    row("none", "yo", 2, "error_rate_who", 90.0),
    row("none", "en", 1, "error_rate_count", 0.0),
    row("squad", "en", 1, "error_rate_who", 5.0),
    row("squad", "en", 1, "error_rate_count", 7.0),
    row("none", "en", 1, "error_rate", 99.0),
    row("none", "en", 1, "f1", 50.0),
    row("none", "en", 1, "error_rate_who", 1.0, profile="official"),
]


def test_a_rate_is_a_mean_over_languages_of_means_over_seeds():
    (table,) = check_tables(SimpleNamespace(rows=ROWS))
    assert table["target"] == "sampler-checks"
    assert table["capabilities"] == ["count", "who"]
    assert table["languages"] == 2
    none, squad = table["rows"]
    assert (none["name"], squad["name"]) == ("none", "squad")
    assert none["cells"][1] == {"rate": 50.0, "worst": "yo", "worst_rate": 80.0}
    assert none["cells"][0] == {"rate": 0.0, "worst": "en", "worst_rate": 0.0}
    assert squad["cells"][0]["rate"] == 7.0


def test_a_capability_that_a_run_lacks_is_shown_as_missing():
    rows = [*ROWS, row("late", "en", 1, "error_rate_who", 5.0)]
    (table,) = check_tables(SimpleNamespace(rows=rows))
    assert table["rows"][2]["cells"][0] is None


def test_no_table_without_error_rates():
    assert check_tables(SimpleNamespace(rows=[row("none", "en", 1, "f1", 1.0)])) == []
