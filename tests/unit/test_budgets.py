"""Compared intermediates must cost the same when the study says so."""

from pathlib import Path

import pytest

from midway.errors import StudyError
from midway.studies.budgets import check_budgets
from midway.studies.schema import Study


def study(first, second, **compare):
    return Study.model_validate(
        {
            "name": "s",
            "encoder": "e",
            "seeds": [1],
            "intermediate": [
                {"name": "a", "mix": [{"task": "squad", **first}]},
                {"name": "b", "mix": [{"task": "xquad", **second}]},
            ],
            "target": [{"task": "tydiqa"}],
            "compare": compare,
        }
    )


def check(*parts, **compare):
    check_budgets(study(*parts, **compare), Path("s.toml"))


def test_equal_and_nearly_equal_budgets_pass():
    check({"examples": 1000}, {"examples": 1000}, match="examples")
    check({"examples": 1000}, {"examples": 991}, match="examples")
    check({"examples": 1000}, {"examples": 10})  # nothing asked for


def test_a_difference_of_more_than_one_percent_prints_the_numbers():
    with pytest.raises(StudyError, match=r"a has 2,000 examples and b 1,960.*1 %"):
        check({"examples": 1000}, {"examples": 980}, match="examples")


def test_only_stated_contrasts_are_compared():
    check({"examples": 1000}, {"examples": 10}, match="examples", contrasts=[["a", "none"]])


def test_unknown_sizes_are_refused():
    with pytest.raises(StudyError, match="needs 'examples'"):
        check({"examples": 1000}, {}, match="examples")


def test_updates_count_epochs_and_batch_size():
    check({"examples": 1000}, {"examples": 1000}, match="updates")
    with pytest.raises(StudyError, match="updates"):
        check({"examples": 1000}, {"examples": 500}, match="updates")
