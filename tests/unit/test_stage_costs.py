import pytest

from midway.analysis.stages import (
    Cost,
    Forecast,
    costs,
    forecasts,
    kind,
    leaks_checked,
    progress,
    seconds_by_kind,
)


def stage(name, seconds=1.0):
    state = "missing" if seconds is None else "computed"
    return {"name": name, "state": state, "seconds": seconds}


STAGES = [
    stage("import offline:e5", 5.0),
    stage("look for training text in evaluation data", 0.5),
    stage("features of tydiqa train, en", 2.0),
    stage("train squad-en · seed 1", 10.0),
    stage("train squad-en · seed 2", None),
    stage("train tydiqa · seed 1", 20.0),
    stage("train tydiqa after squad-en · seed 1", 30.0),
    stage("predict tydiqa after squad-en · seed 1", 3.0),
    stage("score tydiqa after squad-en · seed 1", None),
    stage("predict tatoeba after none", 4.0),
    stage("score tatoeba after none", 0.25),
]


def test_the_first_word_of_a_name_is_its_kind():
    assert [kind(one) for one in STAGES[:4]] == ["encoder", "leak check", "features", "train"]


def test_every_second_is_counted_once_and_where_it_belongs():
    found = {cost.name: cost for cost in costs(STAGES, ["squad-en", "other"], ["tydiqa"])}
    assert found["squad-en"] == Cost("squad-en", 10.0, 30.0, 3.0, 0.0, done=3, stages=5)
    assert found["none"] == Cost("none", 0.0, 20.0, 4.25, 0.0, done=3, stages=3)
    assert found["shared"].other == 7.5
    assert "other" not in found
    total = sum(one["seconds"] or 0.0 for one in STAGES)
    assert sum(cost.total for cost in found.values()) == total
    assert sum(seconds_by_kind(STAGES).values()) == total


def test_kinds_are_ordered_by_time():
    assert list(seconds_by_kind(STAGES)) == [
        "train", "predict", "encoder", "features", "leak check", "score",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("predict qa after a after b · seed 1", "a after b"),
        ("predict qa after b · seed 1", "b"),
        ("train both · seed 1", "shared"),
        ("train b · seed 1", "b"),
        ("train qa · seed 1", "none"),
        ("train neither · seed 1", "shared"),
    ],
)
def test_names_that_hold_other_names_go_to_the_longest_and_doubt_to_nobody(name, owner):
    (cost,) = costs([stage(name)], ["b", "a after b", "both"], ["qa", "both"])
    assert cost.name == owner


def test_progress_counts_scored_evaluations():
    assert (progress(STAGES).scored, progress(STAGES).total) == (1, 2)
    assert progress([]).missing == 0


def test_a_check_that_has_not_run_found_nothing_out():
    check = "look for training text in evaluation data"
    assert leaks_checked({"leaks": [], "stages": [stage(check)]})
    assert leaks_checked({"leaks": []})
    assert not leaks_checked({"leaks": [], "stages": [stage(check, None)]})
    assert not leaks_checked({})


def test_forecasts_are_compared_by_kind_and_in_all():
    expected = {"tokens": 100.0, "seconds": 8.0, "bytes": 1000.0}
    known = {"tokens": 110, "bytes": 900, "expected": expected}
    stages = [
        stage("import e5", 50.0) | known | {"expected": None},  # was there before
        stage("train a · seed 1", 10.0) | known,
        stage("train a · seed 2", 6.0) | known,
        stage("train a · seed 3", None) | known,
        stage("predict a · seed 1", 1.0) | known,
    ]
    assert forecasts(stages) == [
        Forecast("train", 2, (200.0, 220), (16.0, 16.0), (2000.0, 1800)),
        Forecast("predict", 1, (100.0, 110), (8.0, 1.0), (1000.0, 900)),
        Forecast("all", 3, (300.0, 330), (24.0, 17.0), (3000.0, 2700)),
    ]
    assert forecasts(STAGES) == []
