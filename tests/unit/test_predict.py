"""The train and predict stages on tiny models, against transformers one sequence at a time."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from tiny import context
from tiny_predict import LANGUAGES, one_by_one, prepare, run, shrunk, tagged, trained

from midway.stages import search
from midway.stages import train as train_stage
from midway.stages.prediction_files import read_predictions
from midway.stages.specs import EntrySpec, TrainSpec
from midway.tasks import load_card
from midway.train.recipe import Recipe


@pytest.mark.parametrize("tokens", [1, 200, 100_000])
def test_tags_equal_a_sequence_at_a_time(tokens, model, encoder, tmp_path):
    examples, rows = prepare("tagging", tmp_path)
    head = trained("tagging", encoder, tmp_path).out
    facts, out = run(
        "tagging", encoder, tmp_path, model=tmp_path / "model", tokens=tokens, head="0.task"
    )
    labels = load_card("udpos").labels
    want = {example.id: [] for example in examples}
    for row, states in one_by_one(shrunk(model), rows):
        best = head(states[-1]).argmax(-1)
        want[examples[row["example"]].id] += [labels[best[place]] for place in row["heads"]]
    assert facts["examples"] == len(examples)
    assert facts["tokens"] == sum(len(row["ids"]) for row in rows)
    for language in LANGUAGES:
        gold = [example for example in examples if example.language == language]
        got = read_predictions(out, "tagging", language, gold)
        assert {name: list(tags) for name, tags in got.items()} == {e.id: want[e.id] for e in gold}
        assert all(len(got[e.id]) == len(e.tokens) for e in gold)


@pytest.mark.parametrize("tokens", [1, 300])
def test_answers_equal_a_sequence_at_a_time(tokens, model, encoder, tmp_path):
    examples, rows = prepare("span_qa", tmp_path)
    head = trained("span_qa", encoder, tmp_path).out
    _, out = run(
        "span_qa", encoder, tmp_path, model=tmp_path / "model", tokens=tokens, head="0.task"
    )
    best = {example.id: (-np.inf, "") for example in examples}
    for row, states in one_by_one(shrunk(model), rows):
        example = examples[row["example"]]
        start, end = head(states[-1]).detach().numpy().T
        inside = range(row["first"], row["last"] + 1)
        starts, ends = (sorted(inside, key=lambda i, x=x: -x[i])[:20] for x in (start, end))
        for i in starts:
            for j in ends:
                if i <= j < i + 30 and start[i] + end[j] > best[example.id][0]:
                    left, right = row["begin"][i - row["first"]], row["finish"][j - row["first"]]
                    best[example.id] = (start[i] + end[j], example.context[left:right].strip())
    assert max(sum(row["example"] == i for row in rows) for i in range(len(examples))) > 1
    for language in LANGUAGES:
        gold = [example for example in examples if example.language == language]
        got = read_predictions(out, "span_qa", language, gold)
        assert got == {example.id: best[example.id][1] for example in gold}
        lines = (out / "nbest" / f"test-{language}.jsonl").read_text("utf-8").splitlines()
        for line, example in zip(map(json.loads, lines), gold, strict=True):
            assert line["id"] == example.id
            assert line["nbest"][0]["text"] == got[example.id]
            assert line["nbest"][0]["score"] == pytest.approx(best[example.id][0], abs=1e-3)


@pytest.mark.parametrize("room", [1 << 30, 2000])
def test_neighbours_equal_brute_force_in_every_layer(room, model, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "POOLED_BYTES", room)  # one language at a time, or all together
    examples, rows = prepare("retrieval", tmp_path)
    _, out = run("retrieval", encoder, tmp_path, layers="all")
    vectors = {}
    for row, states in one_by_one(model, rows):
        for layer, values in enumerate(states):
            mean = values.mean(0).numpy()
            key = (layer, examples[row["example"]].language, row["side"])
            vectors.setdefault(key, []).append(mean / np.linalg.norm(mean))
    seen = set()
    for language in LANGUAGES:
        gold = [example for example in examples if example.language == language]
        got = read_predictions(out, "retrieval", language, gold)
        for layer in range(3):
            cosines = (
                np.array(vectors[layer, language, 1]) @ np.array(vectors[layer, language, 0]).T
            )
            found = np.take_along_axis(cosines, np.array(got[f"layer_{layer}"])[:, None], 1)
            np.testing.assert_allclose(found[:, 0], cosines.max(1), rtol=0, atol=1e-6)
            seen |= set(got[f"layer_{layer}"])
        assert got["from_english"] == got["layer_2"]
        found = np.take_along_axis(cosines, np.array(got["to_english"])[None], 0)
        np.testing.assert_allclose(found[0], cosines.max(0), rtol=0, atol=1e-6)
    assert len(seen) > 2


def test_training_and_prediction_fit_together(encoder, tmp_path):
    """Trained on five examples until it knows them, the model answers them."""
    prepare("tagging", tmp_path)
    (tmp_path / "fit").mkdir()
    recipe = Recipe(learning_rate=1e-2, batch_size=5, epochs=30, precision="float32", dropout=0.0)
    spec = TrainSpec(entries=(EntrySpec(task="udpos", family="tagging"),), recipe=recipe, seed=1)
    where = context(tmp_path / "fit")
    inputs = {"encoder": encoder, "features0": tmp_path / "features"}
    inputs["examples0"] = tmp_path / "examples"
    facts = train_stage.run(spec, inputs, where)
    log = [json.loads(line) for line in (where.out / "log.jsonl").read_text("utf-8").splitlines()]
    assert facts["steps"] == len(log) == facts["steps_here"]
    assert facts["final_loss"] == pytest.approx(np.mean([x["loss"] for x in log[-10:]]), abs=1e-4)
    assert facts["final_loss"] < log[0]["loss"] / 4
    with safe_open(where.out / "delta.safetensors", "pt") as delta:
        assert 0.9 < float(delta.metadata()["factor"]) < 1
    _, out = run("tagging", encoder, tmp_path, model=where.out, head="0.udpos")
    examples = [tagged(language, n) for language in LANGUAGES for n in range(5)]
    right = total = 0
    for language in LANGUAGES:
        gold = [example for example in examples if example.language == language]
        got = read_predictions(out, "tagging", language, gold)
        right += sum(a == b for e in gold for a, b in zip(e.tags, got[e.id], strict=True))
        total += sum(len(e.tags) for e in gold)
    assert right / total > 0.8
