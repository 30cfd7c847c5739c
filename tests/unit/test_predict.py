"""The train and predict stages on tiny models, against transformers one sequence at a time."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tiny import TEXTS, artefact, bert_tokenizer, context, tiny_model

from midway.encoders.heads import make_head, save_heads
from midway.encoders.load import load_encoder, save_delta
from midway.families import FAMILIES
from midway.families.features import write_features
from midway.stages import predict as stage
from midway.stages import search
from midway.stages import train as train_stage
from midway.stages.prediction_files import read_predictions
from midway.stages.specs import EntrySpec, PredictSpec, TrainSpec
from midway.tasks import load_card
from midway.tasks.examples import QAExample, SentencePair, TaggedSentence
from midway.tasks.storage import write_examples
from midway.train.recipe import Recipe

TASKS = {"span_qa": "xquad", "tagging": "udpos", "retrieval": "tatoeba"}
LANGUAGES = ("en", "th", "ar")


def qa(language, number):
    text = f"{TEXTS[language]} {TEXTS['de']} {TEXTS['zh']}"
    begin = 3 + 5 * number
    name = f"{language}{number}"
    return QAExample(
        name, language, name, text, TEXTS["ru"][: 9 + number], (text[begin : begin + 6],), (begin,)
    )


def tagged(language, number):
    words = tuple(f"{TEXTS[language]} {TEXTS['ko']}".split()[number:])
    labels = load_card("udpos").labels
    tags = tuple(labels[(i + number) % len(labels)] for i in range(len(words)))
    return TaggedSentence(f"{language}{number}", language, "d", words, tags)


def pair(language, number):
    return SentencePair(
        str(number), language, "d", TEXTS[language][number:], TEXTS["de"][number * 3 :]
    )


MAKE = {"span_qa": qa, "tagging": tagged, "retrieval": pair}


@pytest.fixture(scope="module")
def model():
    return tiny_model("bert")


@pytest.fixture(scope="module")
def encoder(model, tmp_path_factory):
    return artefact(model, tmp_path_factory.mktemp("encoder"))


def prepare(family, folder):
    """Examples and features on disk, as the stages before leave them."""
    examples = [MAKE[family](language, n) for language in LANGUAGES for n in range(5)]
    for name in ("examples", "features"):
        (folder / name).mkdir()
    write_examples(examples, folder / "examples")
    card = load_card(TASKS[family])
    table = FAMILIES[family].encode(examples, bert_tokenizer(), card, max_length=64, stride=16)
    write_features(table, folder / "features")
    return examples, table.to_pylist()


def trained(family, encoder, folder):
    """A delta that is not the pretrained encoder, and a head."""
    (folder / "model").mkdir()
    changed = load_encoder(encoder, None, np.arange(300))
    save_delta(changed, None, 0.5, folder / "model")
    labels = load_card(TASKS[family]).labels
    outputs = FAMILIES[family].outputs(labels)
    head = make_head("token", 32, outputs, dropout=0.0, seed=1, labels=labels)
    with torch.no_grad():
        head.module.out.weight *= 30
    save_heads({"0.task": head}, folder / "model")
    return head.module.out


def run(family, encoder, folder, *, model=None, tokens=200, **spec):
    inputs = {name: folder / name for name in ("examples", "features")} | {"encoder": encoder}
    if model:
        inputs["model"] = model
    where = context(folder, micro_batch_tokens=tokens)
    spec = PredictSpec(task=TASKS[family], family=family, precision="float32", **spec)
    return stage.run(spec, inputs, where), where.out


def one_by_one(model, rows):
    """Hidden states of every layer, each sequence alone."""
    for row in rows:
        ids = torch.tensor([row["ids"]])
        types = (torch.arange(len(row["ids"])) >= row["boundary"]).long()[None]
        with torch.no_grad():
            states = model(ids, token_type_ids=types, output_hidden_states=True).hidden_states
        yield row, [layer[0] for layer in states]


def shrunk(model):
    """The model that `trained` saves: rows from 300 on were multiplied by 0.5."""
    other = tiny_model("bert")
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        other.get_input_embeddings().weight[300:] *= 0.5
    return other


@pytest.mark.parametrize("tokens", [1, 200, 100_000])
def test_tags_equal_a_sequence_at_a_time(tokens, model, encoder, tmp_path):
    examples, rows = prepare("tagging", tmp_path)
    head = trained("tagging", encoder, tmp_path)
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
    head = trained("span_qa", encoder, tmp_path)
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
