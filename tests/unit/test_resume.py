"""A killed training stage continues as if nothing had happened."""

import dataclasses
from functools import reduce

import numpy as np
import pytest
import torch
from tiny_training import FAMILY_NAMES, QUIET, RECIPE, Case, head_of, plan, rows_of

from midway.encoders.load import load_encoder
from midway.families import FAMILIES
from midway.graph.stage import Runtime
from midway.train.loop import Hooks, train
from midway.train.step import Entry


class Killed(Exception):  # noqa: N818
    pass


def killer(after):
    left = [after]

    def check():
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return check


def parameters(encoder, *heads):
    return [
        p.detach()
        for module in (encoder.model, *(head.module for head in heads))
        for p in module.parameters()
    ]


@pytest.mark.parametrize(
    ("family", "after"), [("span_qa", 1), *((family, 17) for family in FAMILY_NAMES)]
)
def test_a_killed_run_continues_to_the_same_bits(family, after, tmp_path):
    case = Case(tmp_path, family)
    recipe = dataclasses.replace(RECIPE, dropout=0.2, precision="bf16")
    encoder, head, want = case.run(tmp_path / "a", recipe=recipe)
    assert not (tmp_path / "a").exists()
    often = Runtime(checkpoint_seconds=0)
    with pytest.raises(Killed):
        case.run(tmp_path / "b", recipe=recipe, runtime=often, check=killer(after))
    (tmp_path / "b" / "checkpoint.safetensors.partial").write_bytes(b"cut off")
    torch.manual_seed(99)
    again, head_again, got = case.run(tmp_path / "b", recipe=recipe, runtime=often)
    assert got.steps_here == len(case.steps) - after
    assert got.losses == want.losses
    assert got.tokens == want.tokens
    for mine, theirs in zip(parameters(again, head_again), parameters(encoder, head), strict=True):
        assert torch.equal(mine, theirs)


def mixture(folder, tables, work, *, steps, runtime=QUIET, check=lambda: None):
    """Tables of several families, by name."""
    active = reduce(np.union1d, [table.active for table in tables.values()])
    encoder = load_encoder(folder, None, active, dropout=0.1)
    heads = [head_of(name, encoder, seed=i) for i, name in enumerate(tables)]
    entries = [
        Entry(FAMILIES[name], table, head)
        for (name, table), head in zip(tables.items(), heads, strict=True)
    ]
    hooks = Hooks(lambda _: None, check, work)
    trained = train(encoder, entries, steps, RECIPE, runtime, seed=1, hooks=hooks)
    return trained.losses, parameters(encoder, *heads)


@pytest.mark.parametrize("after", [2, 11])
def test_a_mixture_whose_second_head_comes_late_continues_to_the_same_bits(after, tmp_path):
    case = Case(tmp_path)
    tables = {"span_qa": case.features, "tagging": rows_of("tagging", tmp_path / "tags", seed=5)}
    steps = plan(60, 60)[:24]
    steps = [*sorted(steps[:12], key=lambda step: step.entry), *steps[12:]]
    assert [step.entry for step in steps[:3]] == [0, 0, 0]
    assert {step.entry for step in steps} == {0, 1}
    losses, want = mixture(case.folder, tables, tmp_path / "a", steps=steps)
    often = Runtime(checkpoint_seconds=0)
    with pytest.raises(Killed):
        mixture(
            case.folder, tables, tmp_path / "b", steps=steps, runtime=often, check=killer(after)
        )
    again, got = mixture(case.folder, tables, tmp_path / "b", steps=steps, runtime=often)
    assert again == losses
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(got, want, strict=True))


def test_a_mixture_of_all_families_continues_to_the_same_bits(tmp_path):
    case = Case(tmp_path)
    tables = {name: rows_of(name, tmp_path / name, seed=7) for name in FAMILY_NAMES}
    sizes = [len(FAMILIES[name].items(table.table)) for name, table in tables.items()]
    steps = plan(*sizes)[:24]
    assert {step.entry for step in steps} == set(range(len(tables)))
    losses, want = mixture(case.folder, tables, tmp_path / "a", steps=steps)
    often = Runtime(checkpoint_seconds=0)
    with pytest.raises(Killed):
        mixture(case.folder, tables, tmp_path / "b", steps=steps, runtime=often, check=killer(13))
    again, got = mixture(case.folder, tables, tmp_path / "b", steps=steps, runtime=often)
    assert again == losses
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(got, want, strict=True))


def test_a_damaged_checkpoint_means_starting_over(tmp_path):
    case = Case(tmp_path)
    often = Runtime(checkpoint_seconds=0)
    with pytest.raises(Killed):
        case.run(tmp_path / "w", runtime=often, check=killer(5))
    path = tmp_path / "w" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    _, _, got = case.run(tmp_path / "w")
    assert got.steps_here == 30
    assert got.losses == case.run(tmp_path / "v")[2].losses
