"""Which intermediates go on: a function of the study and of validation scores, nothing else."""

import itertools
import random
from dataclasses import dataclass

import pytest

from midway.errors import StudyError
from midway.graph.plan import build
from midway.graph.stage import Stage, StageKind
from midway.studies.expand import Cell
from midway.studies.halving import costliest, halve
from midway.studies.schema import HalvingTable, Study
from midway.studies.study_file import load_study
from midway.tasks import load_card

TRAIN, PREDICT, SCORE = (
    StageKind(name, 1, lambda *_: {}) for name in ("train", "predict", "score")
)


@dataclass(frozen=True)
class Named:
    name: str


def stage(kind, name, inputs=None, flops=0.0):
    return Stage(kind, Named(name), inputs or {}, name, {"flops": flops, "tokens": flops})


def study(names, seeds, after=None):
    intermediates = [
        {"name": name, "after": (after or {}).get(name, ""), "mix": [{"task": "squad"}]}
        for name in names
    ]
    tree = {"name": "s", "encoder": "e", "seeds": seeds, "intermediate": intermediates}
    return Study.model_validate({**tree, "target": [{"task": "tydiqa"}]})


def cells_of(given, targets=("tydiqa", "udpos"), flops=None, trained=True):
    """Cells as `expand` makes them: target, then intermediate, then seed."""
    flops = flops or {}
    cells = []
    for target, seed in itertools.product(targets, given.seeds):
        models = {"none": None}
        for each in given.intermediate:
            parent = models[each.after or "none"]
            models[each.name] = stage(TRAIN, f"{each.name} {seed}", parent and {"parent": parent},
                                      flops.get(each.name, 1.0))  # fmt: skip
        for name, model in models.items():
            own = stage(TRAIN, f"{target} after {name} {seed}", model and {"parent": model}, 1.0)
            predict = stage(PREDICT, f"{target} {name} {seed}", {"model": own})
            score = stage(SCORE, f"{target} {name} {seed}", {"predictions": predict})
            card = load_card(target.removesuffix(" (oracle)"))
            cells.append(Cell(name, target, seed, "test", card, trained, score))
    return cells


def scores(values):
    """Facts by the name of a target's model, from {(intermediate, seed): score}."""

    def facts_of(model):
        target, _, rest = model.spec.name.partition(" after ")
        name, seed = rest.rsplit(" ", 1)
        value = values.get((name, int(seed)))
        if value is None or target.endswith("(oracle)"):
            return None
        return {"quality": [{"score": value, "held_out": True}, {"score": 99, "held_out": False}]}

    return facts_of


def test_rung_by_rung():
    given = study("abcde", [3, 1, 2, 7])
    table, cells = HalvingTable(keep=0.5, rungs=[1, 3]), cells_of(given)
    values = {}
    nothing = halve(given, table, cells, scores(values))
    assert nothing.runs == {3: tuple("abcde")}
    assert nothing.open == {1: 3, 2: 3, 7: 2}  # halves are rounded up
    assert {(c.intermediate, c.seed) for c in nothing.planned(cells)} == {
        (name, 3) for name in ("none", *"abcde")
    }
    values |= {("a", 3): 10, ("b", 3): 50, ("c", 3): 30, ("d", 3): 20}
    assert halve(given, table, cells, scores(values)) == nothing  # one score lacks
    values |= {("e", 3): 40}
    first = halve(given, table, cells, scores(values))
    assert first.runs == {3: tuple("abcde"), 1: tuple("bce"), 2: tuple("bce")}
    assert first.open == {7: 2}
    assert list(first.stopped) == ["d", "a"]
    assert first.stopped["a"] == (
        "after seed 3: validation score 10.00 against 30.00 of c, the last that went on"
    )
    # b falls behind on the mean over the three seeds, though it was ahead on the first
    values |= {(n, s): v for n, v in (("b", 20), ("c", 60), ("e", 50)) for s in (1, 2)}
    last = halve(given, table, cells, scores(values))
    assert last.runs[7] == ("c", "e")
    assert not last.open
    assert last.choices[1].scores == {"c": 50, "e": pytest.approx(140 / 3), "b": 30}
    assert last.stopped["b"].startswith("after seeds 3, 1, 2: validation score 30.00 against 46.67")
    planned = last.planned(cells)
    assert [c for c in planned if c.intermediate == "none"] == [
        c for c in cells if c.intermediate == "none"
    ]
    assert {c.seed for c in planned if c.intermediate == "b"} == {3, 1, 2}


@pytest.mark.parametrize("draw", range(20))
def test_the_order_of_cells_and_scores_of_others_change_nothing(draw):
    chance = random.Random(draw)
    given = study("abcdefg", [1, 2, 3])
    table, cells = HalvingTable(keep=0.4, rungs=[1, 2]), cells_of(given)
    values = {(n, s): chance.choice([0.1, 0.2, 0.3]) for n in "abcdefg" for s in (1, 2, 3)}
    found = halve(given, table, cells, scores(values))
    shuffled = chance.sample(cells, len(cells))
    assert halve(given, table, shuffled, scores(values)) == found
    for name, seed in list(values):
        if name not in found.runs[seed]:  # what another study left of them in the store
            values[name, seed] = 100.0
    assert halve(given, table, cells, scores(values)) == found


def test_equal_scores_go_on_in_the_order_of_the_study():
    given = study("dcba", [1, 2])
    found = halve(given, HalvingTable(), cells_of(given), scores({(n, 1): 5 for n in "abcd"}))
    assert found.runs[2] == ("d", "c")


@pytest.mark.parametrize(("keep", "size"), [(0.28, 7), (0.01, 1), (0.29, 8), (0.99, 25)])
def test_shares_are_rounded_up(keep, size):
    given = study("abcdefghijklmnopqrstuvwxy", [1, 2])
    found = halve(given, HalvingTable(keep=keep), cells_of(given), scores({}))
    assert found.open == {2: size}


def test_only_what_is_validated_in_the_training_language_decides():
    given = study("ab", [1, 2])
    values = scores({("a", 1): 1, ("b", 1): 2})
    cells = cells_of(given, targets=("tydiqa", "tydiqa (oracle)"))  # the oracle has no score
    assert halve(given, HalvingTable(), cells, values).runs[2] == ("b",)
    for cells in (cells_of(given, trained=False), cells_of(given, targets=("tydiqa (oracle)",))):
        with pytest.raises(StudyError, match=r"no target has them; add a target .* or remove"):
            halve(given, HalvingTable(), cells, values)


def test_the_dearest_choice_where_one_goes_on_from_another():
    """b with its parent a is dearest alone; but a beside it adds less than c."""
    given = study("abcd", [1, 2, 3], after={"b": "a"})
    cells = cells_of(given, flops={"a": 10.0, "b": 5.0, "c": 8.0, "d": 1.0})
    found = halve(given, HalvingTable(), cells, scores({}))
    plan = build(cell.score for cell in found.planned(cells))
    leaves = costliest(found, plan, cells)
    assert {(cell.intermediate, cell.seed) for cell in cells if cell.score in leaves} == {
        (name, seed) for name in ("none", "b", "c") for seed in (2, 3)
    }

    def cost(chosen):
        kept = [c.score for c in cells if c.seed == 1 or c.intermediate in ("none", *chosen)]
        return sum(each.estimate["flops"] for each in build(kept).stages)

    worst = sum(each.estimate["flops"] for each in build([*plan.leaves, *leaves]).stages)
    assert worst == max(cost(pair) for pair in itertools.combinations("abcd", 2))


STUDY = """
name = "s"
encoder = "e"
seeds = [1, 2, 3]
[[intermediate]]
name = "a"
mix = [{ task = "squad" }]
[[intermediate]]
name = "b"
mix = [{ task = "squad" }]
[[target]]
task = "tydiqa"
"""


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("rungs = []", r"rungs is \[\]; expected ascending numbers from 1 to 2"),
        ("rungs = [2, 1]", r"rungs is \[2, 1\]"),
        ("rungs = [1, 1]", r"rungs is \[1, 1\]"),
        ("rungs = [0]", r"rungs is \[0\]"),
        ("rungs = [3]", r"some must be left after the last rung"),
        ("keep = 1", "'keep' in halving is 1: input should be less than 1"),
        ("keep = 0", "'keep' in halving is 0: input should be greater than 0"),
        ("keeps = 0.5", r"unknown key 'keeps' in halving\. Did you mean 'keep'"),
    ],
)
def test_tables_that_are_refused(table, message, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(f"{STUDY}[halving]\n{table}\n", encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        load_study(path)


def test_one_intermediate_cannot_be_halved(tmp_path):
    path = tmp_path / "s.toml"
    one = STUDY.replace('[[intermediate]]\nname = "b"\nmix = [{ task = "squad" }]\n', "")
    path.write_text(one + "[halving]\n", encoding="utf-8")
    with pytest.raises(StudyError, match="needs two intermediates"):
        load_study(path)
    path.write_text(STUDY + "[halving]\n", encoding="utf-8")
    assert load_study(path)[0].halving == HalvingTable(keep=0.5, rungs=[1])
