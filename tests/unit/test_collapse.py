"""Collapsed runs: found, repeated with other seeds, told; and low-rank adapters."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tiny import artefact, context, tiny_model
from tiny_predict import card_of, prepare

from midway.encoders.adapters import add_adapters, merge_adapters
from midway.encoders.load import load_encoder
from midway.families.features import read_features
from midway.stages import train as stage
from midway.stages import validation
from midway.stages.specs import EntrySpec, TrainSpec
from midway.train.recipe import Lora, Recipe, Selection

TASKS = {"tagging": "udpos", "span_qa": "xquad", "choice": "xcopa", "classification": "task"}
RECIPE = Recipe(learning_rate=1e-2, batch_size=5, epochs=20, precision="float32", dropout=0.0)
ABSURD = replace(RECIPE, learning_rate=1.0, epochs=4)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return artefact(tiny_model("bert"), tmp_path_factory.mktemp("encoder"))


@pytest.fixture(autouse=True)
def cards(monkeypatch):
    """Classification has a card of its own that is in no catalogue."""
    load = validation.load_card
    monkeypatch.setattr(
        validation, "load_card", lambda n: card_of("classification") if n == "task" else load(n)
    )


def spec_of(family, recipe=RECIPE, **changes):
    entry = EntrySpec(task=TASKS[family], family=family, **changes.pop("entry", {}))
    return TrainSpec(entries=(entry,), recipe=recipe, seed=changes.pop("seed", 1), **changes)


def train(spec, encoder, folder, where="run", **runtime):
    family = spec.entries[0].family
    if not (folder / "features").exists():
        prepare(family, folder)
    (folder / where).mkdir(exist_ok=True)
    inputs = {"encoder": encoder}
    inputs |= {f"{name}0": folder / name for name in ("features", "examples")}
    place = context(folder / where, **runtime)
    return stage.run(spec, inputs, place), place


def weights(folder):
    with safe_open(folder / "delta.safetensors", "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.mark.parametrize("family", TASKS)
def test_a_model_that_learns_has_not_collapsed(family, encoder, tmp_path):
    facts, _ = train(spec_of(family, replace(RECIPE, epochs=30)), encoder, tmp_path)
    (quality,) = facts["quality"]
    assert facts["collapsed"] == ""
    assert facts["attempts"] == [{"seed": 1, "steps": facts["steps"], "collapse": ""}]
    assert quality["score"] > quality["chance"] + 5
    assert not quality["held_out"]


@pytest.mark.parametrize("family", ["classification", "tagging"])
def test_an_absurd_learning_rate_is_found_and_told(family, encoder, tmp_path):
    facts, place = train(spec_of(family, ABSURD), encoder, tmp_path)
    seeds = [attempt["seed"] for attempt in facts["attempts"]]
    assert len(set(seeds)) == len(seeds) == 3
    assert seeds[0] == 1
    reasons = ("always predicts the same", "no better than chance", "the loss was no longer")
    assert all(attempt["collapse"].startswith(reasons) for attempt in facts["attempts"])
    assert facts["collapsed"] == facts["attempts"][-1]["collapse"]
    assert all(bool(tensor.isfinite().all()) for tensor in weights(place.out).values())


def test_a_loss_that_is_not_finite_is_a_collapse_too(encoder, tmp_path):
    recipe = replace(RECIPE, learning_rate=1.0, weight_decay=0.9, clip=1e30)
    facts, place = train(
        spec_of("span_qa", replace(recipe, learning_rate=float("inf")), restarts=1),
        encoder, tmp_path,
    )  # fmt: skip
    assert [a["collapse"] for a in facts["attempts"]] == ["the loss was no longer finite"] * 2
    assert all(bool(tensor.isfinite().all()) for tensor in weights(place.out).values())


def test_restarts_can_be_switched_off(encoder, tmp_path):
    facts, _ = train(spec_of("classification", ABSURD, restarts=0), encoder, tmp_path)
    assert len(facts["attempts"]) == 1
    assert facts["collapsed"]


def test_a_second_attempt_is_the_run_of_its_seed(encoder, tmp_path, monkeypatch):
    calls = []

    def once(measured):
        calls.append(measured)
        return "made up" if len(calls) == 1 else ""

    monkeypatch.setattr(stage, "collapse", once)
    spec = spec_of("classification", replace(RECIPE, epochs=4))
    facts, place = train(spec, encoder, tmp_path)
    assert [attempt["collapse"] for attempt in facts["attempts"]] == ["made up", ""]
    assert facts["collapsed"] == ""
    seed = facts["attempts"][1]["seed"]
    _, other = train(replace(spec, seed=seed), encoder, tmp_path, "other")
    mine, theirs = weights(place.out), weights(other.out)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_run_killed_in_its_second_attempt_goes_on_there(encoder, tmp_path, monkeypatch):
    class KilledError(Exception):
        pass

    spec = spec_of("classification", ABSURD, restarts=1)
    want, place = train(spec, encoder, tmp_path)
    first = want["attempts"][0]["steps"]
    monkeypatch.setattr(stage, "train", _killed(stage.train, first + 3, KilledError))
    with pytest.raises(KilledError):
        train(spec, encoder, tmp_path, "killed", checkpoint_seconds=0)
    monkeypatch.undo()
    record = json.loads((tmp_path / "killed" / "work" / stage.ATTEMPTS).read_text("utf-8"))
    assert record == want["attempts"][:1]
    monkeypatch.setattr(validation, "load_card", lambda _: card_of("classification"))
    got, again = train(spec, encoder, tmp_path, "killed")
    assert got["attempts"] == want["attempts"]
    assert got["steps_here"] < want["steps_here"]
    mine, theirs = weights(again.out), weights(place.out)
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def _killed(run, steps, error):
    """`train` that raises when `steps` steps have been begun in all."""
    left = [steps]

    def check():
        left[0] -= 1
        if left[0] < 0:
            raise error

    def changed(*arguments, hooks, **options):
        return run(*arguments, hooks=replace(hooks, check=check), **options)

    return changed


def test_a_control_is_not_measured(encoder, tmp_path):
    spec = spec_of("classification", ABSURD, entry={"control": True})
    facts, _ = train(spec, encoder, tmp_path)
    assert facts["quality"] == []
    assert facts["collapsed"] in ("", "the loss was no longer finite")


def test_chance_is_what_shuffled_labels_score(encoder, tmp_path):
    prepare("classification", tmp_path, count=100)
    inputs = {"features0": tmp_path / "features", "examples0": tmp_path / "examples"}
    features = read_features(inputs["features0"])
    (probe,) = validation.probes_of(spec_of("classification"), inputs, [features])
    assert probe.chance == pytest.approx(100 / 3, abs=6)
    assert len(probe.examples) <= validation.SAMPLE_EXAMPLES
    assert {e.language for e in probe.examples} == {"en", "th", "ar"}
    rows = probe.features.table["example"].to_pylist()
    assert rows == list(range(len(probe.examples)))
    same, half = validation.Measured(90.0, True), validation.Measured(probe.chance, False)
    good = validation.Measured(50.0, False)
    assert validation.collapse([(probe, same)]) == "always predicts the same"
    assert validation.collapse([(probe, half)]).startswith("no better than chance")
    assert validation.collapse([(probe, same), (probe, good)]) == ""
    assert validation.collapse([]) == ""


def test_validation_data_choose_the_weights(encoder, tmp_path):
    """The stage's own history: the kept step has the greatest score of all."""
    prepare("classification", tmp_path)
    prepare("classification", tmp_path, prefix="validation_", first=5)
    inputs = {"encoder": encoder}
    for name in ("features", "examples", "validation_features", "validation_examples"):
        inputs[f"{name}0"] = tmp_path / name
    (tmp_path / "run").mkdir()
    spec = spec_of("classification", replace(RECIPE, epochs=6), selection=Selection("best", 3))
    facts = stage.run(spec, inputs, context(tmp_path / "run"))
    scores = dict(map(tuple, facts["history"]))
    assert list(scores) == [3, 6, 9, 12, 15, 18]
    (kept,) = facts["kept_steps"]
    assert scores[kept] == max(scores.values())
    assert facts["quality"][0]["held_out"]
    assert facts["quality"][0]["score"] == pytest.approx(scores[kept], abs=1e-3)


def test_adapters_leave_the_embeddings_and_add_up(encoder, tmp_path):
    spec = spec_of("classification", replace(RECIPE, epochs=20), lora=Lora(4, 8.0))
    facts, place = train(spec, encoder, tmp_path)
    assert facts["final_loss"] < 0.8  # it was log 3 = 1.1
    before = load_encoder(encoder, None, np.arange(1200)).model.state_dict()
    after = load_encoder(encoder, place.out, np.arange(1200)).model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    linear = {n for n in before if n.endswith("weight") and before[n].ndim == 2}
    assert changed == {name for name in linear if "embedding" not in name}
    for name in changed:
        assert np.linalg.matrix_rank((after[name] - before[name]).numpy(), tol=1e-5) <= 4


def test_merged_adapters_compute_what_they_computed_beside_the_weights(encoder):
    loaded = load_encoder(encoder, None, np.arange(300))
    model = loaded.model.eval()
    names = set(model.state_dict())
    add_adapters(model, 3, 6.0, seed=1)
    trained = [p for p in model.parameters() if p.requires_grad]
    assert len(trained) == 2 * 2 * 6  # two matrices, two layers, six linear parts each
    with torch.no_grad():
        for parameter in trained:
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    inputs = {"input_ids": torch.arange(5, 25)[None], "position_ids": torch.arange(20)[None]}
    model.set_attn_implementation("sdpa")
    beside = model(**inputs).last_hidden_state
    merge_adapters(model)
    torch.testing.assert_close(model(**inputs).last_hidden_state, beside, rtol=0, atol=1e-5)
    assert set(model.state_dict()) == names


def test_entries_of_one_task_share_its_head(encoder, tmp_path):
    """English and the rest of a task as two entries: one head, trained by both."""
    spec = spec_of("classification", replace(RECIPE, epochs=4))
    inputs = {"encoder": encoder}
    for number, first in enumerate((0, 5)):
        prepare("classification", tmp_path, prefix=f"{number}", first=first)
        for name in ("features", "examples"):
            inputs[f"{name}{number}"] = tmp_path / f"{number}{name}"
    (tmp_path / "run").mkdir()
    place = context(tmp_path / "run")
    facts = stage.run(replace(spec, entries=spec.entries * 2), inputs, place)
    with safe_open(place.out / "heads.safetensors", "pt") as file:
        names = set(file.keys())
    assert {name.rsplit(".", 2)[0] for name in names} == {"0.task"}
    assert [part["steps"] > 0 for part in facts["mixture"]] == [True, True]
    assert len(facts["quality"]) == 2
