"""``midway bench``: speed of an encoder on this machine, in a table and as JSON."""

import json

import pytest
from tiny_study import midway, write_encoder

from midway.encoders import limits

FEW = ("--lengths", "8,16", "--batch", "2", "--steps", "1")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 0.01)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "encoder"
    write_encoder(folder)
    return folder


def test_json(capfd, encoder, tmp_path):
    said = midway(
        capfd, "bench", "--encoder", encoder, "--store", tmp_path / "store", *FEW, "--json"
    )
    assert said.code == 0, said.err
    document = json.loads(said.out)
    limit = document["limit"]["flops_per_second"]
    assert limit > 0
    assert document["encoder"] == str(encoder)
    assert document["environment"]["device"] == "cpu"
    assert [row["length"] for row in document["speed"]] == [8, 16]
    for row in document["speed"]:
        timed = {"train": 1, "predict": 3}  # two steps warm up
        for what, steps in timed.items():
            found = row[what]
            assert found["tokens"] == row["length"] * 2 * steps
            assert found["tokens_per_second"] == pytest.approx(found["tokens"] / found["seconds"])
            assert found["share"] == pytest.approx(found["flops_per_second"] / limit)
            assert found["share"] > 0


def test_table(capfd, encoder, tmp_path):
    said = midway(capfd, "bench", "--encoder", encoder, "--store", tmp_path / "store", *FEW)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("best bfloat16 matrix product: ")
    assert [line.split()[:2] for line in lines[2:]] == [
        ["8", "train"],
        ["8", "predict"],
        ["16", "train"],
        ["16", "predict"],
    ]


@pytest.mark.parametrize("lengths", ["", "long", "3", "32,-1"])
def test_lengths_that_are_none(capfd, lengths):
    said = midway(capfd, "bench", "--lengths", lengths)
    assert said.code == 2
    assert "--lengths" in said.err
    assert "32,128,384" in said.err


def test_an_encoder_that_is_not_there(capfd, tmp_path):
    said = midway(capfd, "bench", "--encoder", "./nowhere", "--store", tmp_path / "store", *FEW)
    assert said.code == 2
    assert "./nowhere" in said.err
