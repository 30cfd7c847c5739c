"""Classification, choice, ranking and mining: files of predictions and their scores.

Against transformers, one sequence at a time.
"""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score
from tiny import context
from tiny_mining import naive
from tiny_predict import LANGUAGES, card_of, one_by_one, prepare, run, shrunk, trained

from midway.families import mining
from midway.stages import predict as predict_stage
from midway.stages import score as score_stage
from midway.stages.prediction_files import read_predictions
from midway.stages.specs import ScoreSpec


@pytest.fixture
def cards(monkeypatch):
    """Cards of tasks that do not exist."""

    def use(family):
        for stage in (predict_stage, score_stage):
            monkeypatch.setattr(stage, "load_card", lambda _: card_of(family))

    return use


def scored(family, folder):
    """Scores by language, and (id, numerator, denominator) by language."""
    where = context(folder / "score")
    inputs = {"predictions": folder / "out", "examples": folder / "examples"}
    score_stage.run(ScoreSpec(task="task", family=family), inputs, where)
    shares = {}
    for row in pq.read_table(where.out / "examples.parquet").to_pylist():
        shares.setdefault(row.pop("language"), []).append(tuple(row.values()))
    return json.loads((where.out / "scores.json").read_text("utf-8"))["languages"], shares


def text_of(path):
    return path.read_bytes().decode("utf-8")


@pytest.mark.parametrize("tokens", [1, 200, 100_000])
def test_labels_equal_a_sequence_at_a_time(tokens, model, encoder, cards, tmp_path):
    cards("classification")
    examples, rows = prepare("classification", tmp_path, count=9)
    labels = ("maybe so", "yes", "no")  # not in the card's order
    head = trained("classification", encoder, tmp_path, labels)
    facts, out = run(
        "classification", encoder, tmp_path, model=tmp_path / "model", tokens=tokens, head="0.task"
    )
    want = [
        labels[int(head.out(torch.tanh(head.dense(states[-1][0]))).argmax())]
        for _, states in one_by_one(shrunk(model), rows)
    ]
    assert len(set(want)) > 1
    assert facts["examples"] == len(examples) == len(want)
    assert json.loads((out / "labels.json").read_text("utf-8")) == list(labels)
    scores, shares = scored("classification", tmp_path)
    assert list(scores) == list(LANGUAGES)
    for begin, language in zip(range(0, 27, 9), LANGUAGES, strict=True):
        mine, gold = want[begin : begin + 9], [e.label for e in examples[begin : begin + 9]]
        file = out / "predictions" / f"test-{language}.tsv"
        assert text_of(file) == "".join(f"{label}\n" for label in mine)
        accuracy = 100 * accuracy_score(gold, mine)
        assert scores[language]["official"] == pytest.approx({"accuracy": accuracy})
        macro = f1_score(gold, mine, average="macro", labels=labels, zero_division=0)
        assert scores[language]["clean"]["macro_f1"] == pytest.approx(100 * macro)
        right = [float(a == b) for a, b in zip(gold, mine, strict=True)]
        assert shares[language] == [(str(n), x, 1.0) for n, x in enumerate(right)]


@pytest.mark.parametrize("tokens", [1, 200])
def test_choices_equal_a_sequence_at_a_time(tokens, model, encoder, cards, tmp_path):
    """Choices of one example may be predicted in different batches."""
    cards("choice")
    examples, rows = prepare("choice", tmp_path, count=8)
    head = trained("choice", encoder, tmp_path)
    model_folder = tmp_path / "model"
    _, out = run("choice", encoder, tmp_path, model=model_folder, tokens=tokens, head="0.task")
    logits = [[] for _ in examples]
    for row, states in one_by_one(shrunk(model), rows):
        logits[row["example"]].append(
            float(head.out(torch.tanh(head.dense(states[-1][0]))).detach())
        )
    want = [int(np.argmax(found)) for found in logits]
    assert set(want) >= {0, 1, 2}
    scores, shares = scored("choice", tmp_path)
    for begin, language in zip(range(0, 24, 8), LANGUAGES, strict=True):
        part = slice(begin, begin + 8)
        lines = text_of(out / "predictions" / f"test-{language}.jsonl").splitlines()
        assert [json.loads(line) for line in lines] == [
            {"idx": e.id, "label": n} for e, n in zip(examples[part], want[part], strict=True)
        ]
        right = [float(e.label == n) for e, n in zip(examples[part], want[part], strict=True)]
        assert scores[language]["official"] == {"accuracy": 100 * sum(right) / 8}
        assert [share[1] for share in shares[language]] == right


@pytest.mark.parametrize("tokens", [1, 300])
def test_rankings_equal_a_sequence_at_a_time(tokens, model, encoder, cards, tmp_path):
    """39 candidates in three languages; 20 of them are named."""
    cards("ranking")
    examples, rows = prepare("ranking", tmp_path, count=26)
    head = trained("ranking", encoder, tmp_path)
    model_folder = tmp_path / "model"
    _, out = run("ranking", encoder, tmp_path, model=model_folder, tokens=tokens, head="0.task")
    with torch.no_grad():
        vectors = [
            torch.nn.functional.normalize(torch.tanh(head.dense(states[-1][0])), dim=-1)
            for _, states in one_by_one(shrunk(model), rows)
        ]
    pool = {
        f"{e.language}/{e.id}": v
        for e, v in zip(examples, vectors, strict=True)
        if e.side[0] == "c"
    }
    keys = {f"{e.language}/{e.id}": e.keys for e in examples if e.side == "candidate"}
    scores, shares = scored("ranking", tmp_path)
    named = set()
    for language in LANGUAGES:
        file = json.loads(text_of(out / "predictions" / f"test-{language}.json"))
        queries = [
            (e, v)
            for e, v in zip(examples, vectors, strict=True)
            if e.side == "query" and e.language == language
        ]
        assert list(file) == [e.id for e, _ in queries]
        precisions = []
        for query, vector in queries:
            names = file[query.id]
            assert len(names) == len(set(names)) == 20
            cosines = {name: float(vector @ other) for name, other in pool.items()}
            best = sorted(cosines.values(), reverse=True)[:20]
            np.testing.assert_allclose([cosines[name] for name in names], best, atol=1e-6)
            hits = [rank for rank, name in enumerate(names, 1) if keys[name] == query.keys]
            precisions.append(sum(n / rank for n, rank in enumerate(hits, 1)) / 3)
            named |= {name.partition("/")[0] for name in names}
        assert scores[language]["n"] == 13
        assert scores[language]["official"] == {"map@20": pytest.approx(100 * np.mean(precisions))}
        assert [share[0] for share in shares[language]] == list(file)
        assert [share[1] for share in shares[language]] == pytest.approx(precisions)
        assert 0 < np.mean(precisions) < 1
    assert named == set(LANGUAGES)


def mean_vectors(model, examples, rows, layer):
    """(example, unit vector) of each side by language, repeated sentences once."""
    found = {}
    for row, states in one_by_one(model, rows):
        example, mean = examples[row["example"]], states[layer].double().mean(0).numpy()
        key = (example.language, example.side)
        found.setdefault(key, []).append((example, mean / np.linalg.norm(mean)))
    return found


def candidates_of(found, language, way):
    """(margin, ids) best first, without pairs that have a repeated sentence."""
    foreign, english = (found[language, side] for side in ("query", "candidate"))
    pairs = naive([v for _, v in foreign], [v for _, v in english], way)
    ids = {(foreign[x][0].id, english[y][0].id): score for (x, y), score in pairs.items()}
    kept = {pair: score for pair, score in ids.items() if pair[0] != "q1"}  # q3 is the same text
    assert way != "forward" or kept != ids
    return sorted(((score, pair) for pair, score in kept.items()), reverse=True)


@pytest.mark.parametrize(
    ("tuned", "layers", "way"),
    [
        (True, "last", "max"),
        (False, (1,), "max"),
        (False, "last", "forward"),
        (True, (0, 1), "backward"),
        (True, "last", "intersection"),
    ],
)
def test_pairs_equal_a_sequence_at_a_time(tuned, layers, way, model, encoder, cards, tmp_path):
    cards("mining")
    examples, rows = prepare("mining", tmp_path, count=24)
    known, more = prepare("mining", tmp_path, count=24, prefix="tuning_", first=24)
    assert len(rows) == len(examples) - 3  # a repeated sentence in each language
    inputs = ("tuning_examples", "tuning_features") if tuned else ()
    _, out = run("mining", encoder, tmp_path, inputs=inputs, layers=layers, mining=way)
    layer = 2 if layers == "last" else layers[-1]
    evaluated = mean_vectors(model, examples, rows, layer)
    development = mean_vectors(model, known, more, layer)
    scores, _ = scored("mining", tmp_path)
    for language in LANGUAGES:
        name = f"test-{language}.tsv"
        lines = [line.split("\t") for line in text_of(out / "candidates" / name).splitlines()]
        want = candidates_of(evaluated, language, way)
        assert {tuple(pair) for _, *pair in lines} == {pair for _, pair in want}
        got = [float(score) for score, *_ in lines]
        assert got == sorted(got, reverse=True)
        np.testing.assert_allclose(got, [score for score, _ in want], rtol=1e-5)
        gold = mining.gold_pairs([e for e in examples if e.language == language])
        assert len(gold) == 10
        tuning = None
        if tuned:
            part = [e for e in known if e.language == language]
            foreign, english = (development[language, side] for side in ("query", "candidate"))
            pairs = naive([v for _, v in foreign], [v for _, v in english], way)
            ranked = sorted(((s, pair) for pair, s in pairs.items()), reverse=True)
            scored_pairs = [(s, (foreign[x][0].id, english[y][0].id)) for s, (x, y) in ranked]
            tuning = (scored_pairs, mining.gold_pairs(part))
        taken = mining.choose(want, gold, tuning)
        pairs = [
            tuple(line.split("\t")) for line in text_of(out / "predictions" / name).splitlines()
        ]
        assert set(pairs) == set(taken)
        assert len(pairs) == len(taken)
        read = read_predictions(out, "mining", language, [])
        assert read["pairs"] == pairs
        assert read["candidates"] == [(float(s), (x, y)) for s, x, y in lines]
        right = len(set(pairs) & gold)
        clean = 100 * 2 * right / (len(pairs) + 10)
        assert scores[language]["clean"]["f1"] == pytest.approx(clean)
        assert scores[language]["official"]["f1"] >= scores[language]["clean"]["f1"]
