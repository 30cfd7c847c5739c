"""Compared intermediates must cost the same when the study says so: what the file alone decides."""

from pathlib import Path

import pytest

from midway.errors import StudyError
from midway.studies.budgets import check_budgets, compared_pairs, declared, needs_data
from midway.studies.schema import Study
from midway.train.schedule import Sampling, plan_steps


def study(first, second, *, train=None, more=(), **compare):
    """Two intermediates: a mix each, or the part of a mix of one entry."""
    mixes = [mix if isinstance(mix, list) else [mix] for mix in (first, second)]
    return Study.model_validate(
        {
            "name": "s",
            "encoder": "e",
            "seeds": [1],
            "train": train or {},
            "intermediate": [
                {"name": "a", "mix": [{"task": "squad", **part} for part in mixes[0]]},
                {"name": "b", "mix": [{"task": "xquad", **part} for part in mixes[1]]},
                *more,
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
    chain = {"name": "c", "after": "a", "mix": [{"task": "xquad", "examples": 10}]}
    three = study({"examples": 1000}, {"examples": 10}, more=[chain], match="examples")
    assert compared_pairs(three) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert declared(three, "c") == 2020


NLI = {"task": "mnli", "examples": 1000}
CHOICE = {"task": "siqa", "examples": 1000}


def test_updates_count_epochs_and_batch_size():
    check(NLI, CHOICE, match="updates")
    with pytest.raises(StudyError, match=r"a has 125 updates and b 63"):
        check(NLI, {**CHOICE, "examples": 500}, match="updates")
    check(NLI, {**CHOICE, "examples": 500, "batch_size": 8}, match="updates")


@pytest.mark.parametrize(
    ("part", "match", "known"),
    [
        ({"examples": 1000}, "examples", True),
        ({"examples": 1000}, "updates", False),  # a long paragraph is several windows
        ({"examples": 1000}, "tokens", False),
        ({}, "examples", False),
        (NLI, "updates", True),
        ({"task": "udpos", "examples": 1000}, "updates", False),
        ({"task": "mlm", "text": "squad", "examples": 1000}, "examples", True),
        ([NLI, {"examples": 1000}], "examples", False),
        ([NLI, CHOICE], "examples", True),
        ([NLI, {**CHOICE, "batch_size": 8}], "examples", False),  # who is drawn depends on chance
        ([NLI, {**CHOICE, "batch_size": 8}], "updates", True),
        ([NLI, {"task": "siqa"}], "updates", False),
    ],
)
def test_what_only_the_data_tell_is_left_to_them(part, match, known):
    made = study(part, {"examples": 10}, match=match, contrasts=[["a", "none"]])
    assert (declared(made, "a") is not None) is known
    assert not needs_data(made)  # nothing is compared
    made = study(part, part, match=match)
    assert needs_data(made) is not known
    check_budgets(made, Path("s.toml"))
    assert not needs_data(study(part, part))


@pytest.mark.parametrize("rule", ["proportional", "uniform"])
@pytest.mark.parametrize("epochs", [1.0, 1.7])
def test_what_is_declared_is_what_training_plans(rule, epochs):
    """Against the planned steps, whatever the seed draws."""
    mixes = [NLI], [NLI, {**CHOICE, "examples": 333}], [{**NLI, "examples": 90, "batch_size": 7}]
    for mix in mixes:
        for match in ("examples", "updates"):
            made = study(mix, mix, train={"epochs": epochs}, match=match)
            steps = plan_steps(
                [part["examples"] for part in mix],
                [1.0] * len(mix),
                Sampling(rule),
                batch_size=16,
                epochs=epochs,
                seed=3,
                batch_sizes=[part.get("batch_size", 0) for part in mix],
            )
            seen = sum(len(step.items) for step in steps)
            assert declared(made, "a") == pytest.approx(
                {"examples": seen, "updates": len(steps)}[match]
            )
