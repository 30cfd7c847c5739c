"""The recipes in studies/recipes, as if every file of every task were at hand."""

import tomllib
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from midway.stages import specs
from midway.store.local import Store
from midway.studies import session
from midway.studies.study_file import load_study

FOLDER = Path(__file__).parents[2] / "studies/recipes"
RECIPES = sorted(FOLDER.glob("*.toml"))
NAMES = {path.stem for path in RECIPES}

# Appendix A of the draft of Phang et al. (2020): batch and epochs. MNLI and SQuAD v2 are not in it.
INTERMEDIATES = {
    "anli+": (24, 2), "qqp": (24, 3), "squad": (8, 3), "hellaswag": (24, 7), "ccg": (24, 15),
    "cosmosqa": (4, 15), "csqa": (4, 10),
}  # fmt: skip
# Its table 1: training examples; the recipe holds out 500 of SQuAD's.
SIZES = {
    "anli+": 1104934, "qqp": 363846, "squad": 87099, "hellaswag": 39905, "ccg": 38015,
    "cosmosqa": 25588, "csqa": 9741,
}  # fmt: skip
TARGETS = {
    "xnli": (4, 2), "pawsx": (32, 5), "udpos": (32, 10), "panx": (32, 10), "xquad": (16, 2),
    "mlqa": (16, 2), "tydiqa": (16, 2),
}  # fmt: skip
# How many languages each target of XTREME has.
LANGUAGES = {
    "xnli": 15, "pawsx": 7, "udpos": 33, "panx": 40, "xquad": 11, "mlqa": 7, "tydiqa": 9,
    "bucc2018": 4, "tatoeba": 36,
}  # fmt: skip


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Opens a recipe; a file of any task, split and language is there."""

    def find(card, folders, split, language):
        there = split in card.splits and language in card.languages
        return (Path("/data") / card.name / split / language,) if there else ()

    def digest(path):
        return sha256(str(path).encode()).hexdigest()

    monkeypatch.setattr("midway.tasks.select.find_files", find)
    monkeypatch.setattr("midway.studies.build.find_files", find)
    monkeypatch.setattr(session, "DigestCache", lambda _: SimpleNamespace(digest=digest))
    return lambda name: session.open_session(FOLDER / f"{name}.toml", Store(tmp_path), ())


def trained(session, name):
    """Training stages of an intermediate or target, all of them."""
    stages = [stage for stage in session.plan.stages if stage.kind is specs.TRAIN]
    return [stage for stage in stages if stage.label.startswith(f"train {name} ")]


def test_there_are_recipes():
    assert len(NAMES) >= 18
    assert {"phang2020-english", "small-phang2020-english", "multilingual-qa"} <= NAMES


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_it_opens_with_a_question_its_data_cost_and_sources(path):
    head = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            break
        head.append(line)
    text = " ".join(head)
    assert 3 <= len(head) <= 6
    assert "?" in text or "as in the draft of Phang et al." in text or "at a size for" in text
    assert all(word in text for word in ("Data:", "Cost:", "Hyper-parameters:"))
    assert tomllib.loads(path.read_text(encoding="utf-8"))["name"] == path.stem


@pytest.mark.parametrize("name", sorted(NAMES))
def test_it_expands(name, opened):
    found = opened(name)
    study, expansion = found.study, found.expansion
    wanted = {
        (intermediate, target, seed)
        for intermediate in ("none", *(each.name for each in study.intermediate))
        for target in (each.label for each in study.target)
        for seed in study.seeds
    }
    assert {(c.intermediate, c.target, c.seed) for c in expansion.cells} == wanted
    keys = [stage.key for stage in expansion.intermediates.values()]
    assert len(set(keys)) == len(study.intermediate)


@pytest.mark.parametrize("name", sorted(name for name in NAMES if name.startswith("phang2020")))
def test_published_hyper_parameters(name, opened):
    found = opened(name)
    assert found.study.encoder.startswith("FacebookAI/xlm-roberta-large@")
    for intermediate in found.study.intermediate:
        (stage,) = trained(found, intermediate.name)
        recipe = stage.spec.recipe
        assert recipe.learning_rate == (5e-6 if "+mlm" in intermediate.name else 1e-5)
        assert recipe.warmup == 0.1
        assert stage.spec.sampling.cap == 2**17
        known = INTERMEDIATES.get(intermediate.name.removesuffix("+mlm"))
        if known:
            assert (recipe.batch_size, recipe.epochs) == known
        if intermediate.name.startswith("multi-task"):
            assert stage.spec.sampling.rule == "proportional"
            assert recipe.epochs == 3
            batches = {e.task: e.batch_size for e in stage.spec.entries}
            assert batches.items() >= {"qqp": 24, "cosmosqa": 4, "csqa": 4}.items()
            assert ("squad" in batches) == ("draft" not in intermediate.name)
        if intermediate.name.endswith("+mlm"):
            assert stage.spec.entries[-1].task == "mlm"
            last = stage.inputs[f"features{len(stage.spec.entries) - 1}"].inputs["examples"].spec
            assert (last.alpha, len(last.languages)) == (0.3, 40)
    for target, known in TARGETS.items():
        for stage in trained(found, target):
            recipe = stage.spec.recipe
            assert recipe.learning_rate == 3e-6
            assert (recipe.batch_size, recipe.epochs) == known
    evaluated = {name: len(stage.spec.languages) for name, stage in found.expansion.evaluation}
    assert evaluated == LANGUAGES


def test_masked_language_modelling_has_the_papers_share_and_the_task_its_epochs(opened):
    found = opened("phang2020-mlm")
    for name, (batch, epochs) in INTERMEDIATES.items():
        (stage,) = trained(found, f"{name}+mlm")
        task, text = stage.spec.entries
        sentences = stage.inputs["features1"].inputs["examples"].spec.total
        own = SIZES[name] * epochs / batch
        share = task.weight / (task.weight + text.weight)
        assert stage.spec.sampling.rule == "weights"
        assert (task.weight, text.weight) == (min(SIZES[name], 2**17), 2**17)
        assert (own + sentences * epochs / text.batch_size) * share == pytest.approx(own, rel=1e-4)


def test_nothing_is_selected_on_what_is_evaluated(opened):
    """XQuAD is SQuAD's development set: those who train on SQuAD hold out training examples."""
    found = opened("phang2020-best")
    evaluated = {
        (stage.spec.task, stage.spec.split, part.language)
        for _, stage in found.expansion.evaluation
        for part in stage.spec.languages
    } | {("squad", "validation", "en"), ("squad-v2", "validation", "en")}
    selected = {
        (stage.spec.task, stage.spec.split, part.language)
        for who, stage in found.expansion.training
        if who.startswith("validation of")
        for part in stage.spec.languages
    }
    assert ("squad", "train", "en") in selected
    assert not selected & evaluated
    assert {language for _, _, language in selected} == {"en"}


def test_the_best_one_is_chosen_of_runs_that_the_others_share(opened):
    best, *others = (
        {stage.key for stage in opened(name).plan.stages if stage.kind is specs.TRAIN}
        for name in ("phang2020-best", "phang2020-english", "phang2020-multitask", "phang2020-mlm")
    )
    assert others[0] < best
    assert others[1] < best
    assert len(others[2] - best) == 7  # a mixture, targets; XQuAD and MLQA share one


def test_shares_of_the_sweep():
    study, _ = load_study(FOLDER / "share-sweep.toml")
    shares = {}
    for intermediate in study.intermediate:
        sizes = {"en" in part.languages: part.examples for part in intermediate.mix}
        shares[intermediate.name] = sizes.get(False, 0) / sum(sizes.values())
        assert sum(sizes.values()) == 1100
    assert shares == {
        "multi-000": 0.0, "multi-001": 0.01, "multi-010": 0.1, "multi-050": 0.5, "multi-100": 1.0,
    }  # fmt: skip


def test_folds_keep_xquad_apart(opened):
    found = opened("multilingual-qa")
    folds = {
        (who.split()[0], stage.spec.fold)
        for who, stage in [*found.expansion.training, *found.expansion.evaluation]
        if stage.spec.task == "xquad"
    }
    assert folds == {("intermediate", "A"), ("xquad", "B")}


def test_related_sets_leave_swahili_out(opened):
    found = opened("related-languages")
    sets = {
        who.removeprefix("intermediate "): {part.language for part in stage.spec.languages}
        for who, stage in found.expansion.training
        if who.startswith("intermediate")
    }
    assert set(sets) == {"english", "family", "genus", "script", "near", "unrelated"}
    assert not any("swh_Latn" in members for members in sets.values())
    assert sets["genus"] < sets["family"] < sets["script"]
    assert len(sets["near"]) == 5
    assert not sets["unrelated"] & sets["script"]
