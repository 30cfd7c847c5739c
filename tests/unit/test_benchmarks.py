"""Each benchmark runs, on a tiny encoder and made-up data, and what it compares is equal."""

import csv
import functools
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModel

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import (
    common,
    evaluation,
    gpu,
    mining,
    scaling,
    studies,
    study,
    theirs,
    training,
    workloads,
)

from midway.encoders import limits


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "encoder"
    studies.write_encoder(folder)
    return str(folder)


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.delenv("MIDWAY_DATA", raising=False)
    monkeypatch.setattr(limits, "SECONDS", 0.01)
    torch.set_num_threads(1)


def ran(main, folder, *arguments):
    """Run a benchmark in this process and return its JSON."""
    out = folder / "out.json"
    main([*map(str, arguments), "--small", "--rounds", "1", "--json", str(out)])
    return json.loads(out.read_text(encoding="utf-8"))


def test_training_has_all_three_sides(encoder, tmp_path):
    tasks = ran(
        training.main, tmp_path, "--task", "tydiqa", "udpos", "--rows", 40, "--encoder", encoder
    )["tasks"]
    for task in tasks:
        assert set(task["runs"]) == {"midway", "tuned", "default", "matrix product"}
        for name in ("midway", "tuned", "default"):
            (record,) = task["runs"][name]
            assert len(record["losses"]) == 3  # steps; two are not timed
            assert 0 < record["tokens"] <= 8 * task["settings"]["batch"] * 16
            assert record["tokens_per_second"] > 0


def test_training_sides_have_equal_losses(encoder, tmp_path):
    arguments = ("--losses", "--rows", 60, "--encoder", encoder)
    for task in ran(training.main, tmp_path, "--task", "tydiqa", "udpos", *arguments)["tasks"]:
        assert len(task["losses"]["midway"]) == 4
        assert task["midway, float32 - default"] < 1e-5
        assert task["midway - tuned"] < 0.05


def test_evaluation_has_equal_predictions(encoder, tmp_path):
    tasks = ran(
        evaluation.main, tmp_path, "--task", "tydiqa", "udpos", "--examples", 4,
        "--encoder", encoder,
    )["tasks"]  # fmt: skip
    for task in tasks:
        assert len(task["languages"]) == 3
        assert task["equal"] == 1.0
        assert set(task["runs"]) == {"midway", "sorted", "tuned", "scripts"}


@pytest.mark.parametrize("way", list(mining.WAYS))
def test_ways_of_mining_find_the_same_pairs(way, tmp_path):
    if importlib.util.find_spec(mining.NEEDS.get(way, ("torch",))[0]) is None:
        pytest.skip(f"needs {mining.NEEDS[way][1]}")
    found = {name: mining.run(name, 230, 310, 24, tmp_path / name) for name in ("midway", way)}
    assert found[way]["planted_found"] == 1.0
    pairs = [set(map(tuple, np.load(tmp_path / f"{name}.npy").tolist())) for name in found]
    assert pairs[0] == pairs[-1]
    assert len(pairs[0]) == found[way]["found"] > 150


def test_made_up_scores_make_as_many_rows_as_they_say(tmp_path, monkeypatch, capsys):
    said = studies.write_scores(tmp_path, 4000)
    monkeypatch.setattr(sys, "argv", ["studies", str(tmp_path)])
    studies.main()
    assert float(capsys.readouterr().out) > 0
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == said == pytest.approx(4000, rel=0.5)


def test_scaling_meets_small_targets_and_measures_speed(tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "SMALL", workloads.TINY)
    found = ran(
        scaling.main, tmp_path, "--part", "speed", "planning", "start",
        "--lengths", 8, 16, "--batches", 2,
    )  # fmt: skip
    assert {"train 8 x 2", "train 16 x 2", "predict 8", "predict 16"} <= set(found["speed"])
    stages = int(found["targets"][0]["name"].split()[1])
    assert stages == pytest.approx(300, rel=0.3)
    assert [line["target"] for line in found["targets"]] == [2.0, 2.0, 0.3, 0.1]


def test_the_gpu_command_runs_on_a_processor(tmp_path):
    arguments = ("--device", "cpu", "--shape", "tiny", "--rows", 12, "--batch", 4)
    found = ran(gpu.main, tmp_path, *arguments)
    assert found["runs"]["midway"][0]["flops_per_second"] > 0
    lengths = workloads.tydiqa_lengths(5000)
    assert (min(lengths) >= 22) and (max(lengths) == 384)
    assert np.median(lengths) == pytest.approx(147, abs=6)


@pytest.mark.slow
def test_both_sides_of_a_study_score_the_same_runs(encoder, tmp_path):
    options = study_options(encoder)
    workloads.write_encoder(encoder, tmp_path / "encoder")
    work = study._target(tmp_path, "probe", options, evaluated=False)
    study.write_model(tmp_path / "encoder", work, tmp_path / "delta")
    theirs.export(tmp_path / "encoder", tmp_path / "delta", study.FAMILY, tmp_path / "model")
    study.write_study(tmp_path / "study.toml", options)
    ours = study._midway(tmp_path, 1)
    scores = study.plain(tmp_path, [1], options)
    assert len(scores) == 3 * 15  # none and two intermediates, in each language
    assert ours["count"] == len(scores)


def study_options(encoder):
    class Options:
        examples, evaluate, seeds = 10, 1, 1

    Options.encoder = encoder
    return Options


def test_useful_operations_are_those_of_the_matrix_products(tmp_path):
    model = AutoModel.from_config(workloads.TINY, attn_implementation="eager")
    model.pooler = None
    ids = torch.randint(4, 100, (1, 37))
    with FlopCounterMode(display=False) as counter:
        out = model(ids).last_hidden_state
        forward = counter.get_total_flops()
        out.sum().backward()
    lengths = np.array([37])
    assert limits.useful_flops(model, lengths, training=False) == forward
    whole = limits.useful_flops(model, lengths, training=True)
    assert whole == counter.get_total_flops() == 3 * forward


def test_rounds_take_turns_and_ratios_are_of_one_round():
    seen = []

    def system(name):
        seen.append(name)
        return {"rate": len(seen)}

    systems = {name: functools.partial(system, name) for name in "ab"}
    runs = common.in_turn(systems, 2)
    assert seen == ["a", "b", "b", "a"]
    assert common.against(runs, "a", "b", "rate") == common.Spread(
        pytest.approx((1 / 2 + 4 / 3) / 2), 1 / 2, pytest.approx(4 / 3), 2
    )
