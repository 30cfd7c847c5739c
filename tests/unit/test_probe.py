"""What a probe sees of each family: against transformers, one sequence at a time."""

import json

import numpy as np
import pytest
import torch
from tiny import context
from tiny_predict import one_by_one, prepare, trained

from midway.stages import probe
from midway.stages.specs import ProbeSpec
from midway.stats.transferability import h_score, log_me, nearest


def places_of(family, row):
    """Places and labels by the description, of one row."""
    if family == "classification":
        return [(0, row["label"])]
    if family == "choice":
        return [(0, row["right"])]
    if family == "tagging":
        return list(zip(row["heads"], row["tags"], strict=True))
    if family == "span_qa" and row["start"] >= row["first"]:
        inside = set(range(row["start"], row["end"] + 1))
        others = [i for i in range(row["first"], row["last"] + 1) if i not in inside]
        count = min(len(inside), len(others))
        picks = np.linspace(0, len(others) - 1, count).astype(int)
        return [(i, 1) for i in sorted(inside)] + [(others[i], 0) for i in picks]
    return []


@pytest.mark.parametrize("family", ["classification", "choice", "tagging", "span_qa", "ranking"])
def test_a_probe_sees_what_a_head_would_read(family, model, encoder, tmp_path):
    _, rows = prepare(family, tmp_path, count=9)
    where = context(tmp_path / "probe")
    inputs = {"encoder": encoder, "features": tmp_path / "features"}
    spec = ProbeSpec(family=family, rows=1000, precision="float32")
    facts = probe.run(spec, inputs, where)
    found = json.loads((where.out / "probe.json").read_text("utf-8"))
    states, labels, vectors = [], [], []
    with torch.no_grad():
        for row, layers in one_by_one(model, rows):
            own = layers[-1]
            vectors.append(torch.nn.functional.normalize(own.mean(dim=0), dim=0))
            for place, label in places_of(family, row):
                states.append(own[place].double().numpy())
                labels.append(label)
    assert found["embedding"] == pytest.approx(torch.stack(vectors).mean(dim=0).tolist(), abs=1e-5)
    assert facts["rows"] == len(rows)
    assert facts["tokens"] == sum(len(row["ids"]) for row in rows)
    if family == "ranking":
        assert set(found) == {"embedding"}
        return
    states, labels = np.array(states), np.array(labels)
    assert found["places"] == len(labels)
    assert found["kinds"] == len(set(labels)) > 1
    assert found["log_me"] == pytest.approx(log_me(states, labels), abs=1e-3)
    assert found["h_score"] == pytest.approx(h_score(states, labels), rel=1e-2)
    assert found["nearest"] == pytest.approx(nearest(states, labels), abs=0.02)


def test_few_rows_are_spread_over_the_data(encoder, tmp_path):
    prepare("classification", tmp_path, count=9)
    where = context(tmp_path / "probe")
    inputs = {"encoder": encoder, "features": tmp_path / "features"}
    facts = probe.run(ProbeSpec(family="classification", rows=5), inputs, where)
    assert facts["rows"] == 5
    found = json.loads((where.out / "probe.json").read_text("utf-8"))
    assert found["places"] == 5


def test_a_trained_model_is_another_one(encoder, tmp_path):

    prepare("classification", tmp_path, count=9)
    trained("classification", encoder, tmp_path)
    inputs = {"encoder": encoder, "features": tmp_path / "features"}
    spec = ProbeSpec(family="classification", rows=100, precision="float32")
    said = []
    for name, more in (("before", {}), ("after", {"model": tmp_path / "model"})):
        where = context(tmp_path / name)
        probe.run(spec, inputs | more, where)
        said.append(json.loads((where.out / "probe.json").read_text("utf-8")))
    assert said[0]["embedding"] != said[1]["embedding"]
    assert said[0]["log_me"] != said[1]["log_me"]
