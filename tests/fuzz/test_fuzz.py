"""The short form of the fuzzing that `python -m reliability.fuzz` does at length."""

import json
import random
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reliability import fuzz
from reliability.mutate import any_value, damaged, rearranged, toml
from reliability.targets import TARGETS, Target

from midway.errors import DataError

CASES = {name: max(20, 6 * target.weight) for name, target in TARGETS.items()}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_result_or_one_clear_error(name, tmp_path):
    """In this process, so that it takes seconds; the long form has limits on memory and time."""
    action = TARGETS[name].make(tmp_path)
    for case in range(CASES[name]):
        with fuzz.limited(fuzz.CASE_SECONDS):
            fuzz.judge(action, fuzz.generator(1, name, case))


def misbehave(folder):
    def action(rng):
        match rng.randrange(40):
            case 0:
                raise RuntimeError("a traceback")
            case 1:
                raise DataError("")
            case 2:
                while True:
                    pass
            case 3:
                bytearray(16 << 30)
            case 4:
                raise DataError("one clear line")

    return action


def test_what_fails_is_found_with_its_number(monkeypatch):
    """Failures of every kind are seen: else a run without failures would say nothing."""
    target = Target(misbehave, 1)
    monkeypatch.setitem(fuzz.TARGETS, "misbehave", target)
    monkeypatch.setattr(fuzz, "CASE_SECONDS", 0.2)
    sent = []

    class Pipe:
        send = sent.append

    limits = fuzz.resource.getrlimit(fuzz.resource.RLIMIT_AS)
    try:
        fuzz.work("misbehave", 0, range(300), Pipe, 1 << 30)
    finally:
        fuzz.resource.setrlimit(fuzz.resource.RLIMIT_AS, limits)
    tally = sent[-1]
    kinds = {what.partition(":")[0] for _, what in tally.failures}
    assert kinds == {"RuntimeError", "AssertionError", "HangError", "MemoryError"}
    assert tally.refused > 0
    assert tally.accepted > 100
    number, what = next(each for each in tally.failures if "RuntimeError" in each[1])
    with pytest.raises(RuntimeError, match="a traceback"):  # the same case again
        fuzz.judge(misbehave(None), fuzz.generator(0, "misbehave", number))
    assert "a traceback" in what


def test_a_crash_is_a_failure(monkeypatch):
    class Dead:
        exitcode = 7

        def __init__(self, target, args, daemon):
            self.pipe = args[3]

        def start(self):
            self.pipe.send(0)

        def kill(self):
            pass

        def join(self):
            pass

    real = fuzz.multiprocessing.get_context("spawn")

    class Context:
        Pipe = real.Pipe
        Process = Dead

    monkeypatch.setattr(fuzz.multiprocessing, "get_context", lambda _: Context)
    tally = fuzz.run("codes", 0, 5)
    assert tally.failures == [(0, "the process died with exit code 7")]


def test_a_case_does_not_depend_on_those_before_it():
    one = [fuzz.generator(0, "x", case).random() for case in range(5)]
    assert one == [fuzz.generator(0, "x", case).random() for case in range(5)]
    assert len(set(one)) == 5
    assert fuzz.generator(1, "x", 0).random() != fuzz.generator(0, "x", 0).random()


def test_shares_add_up():
    shares = fuzz.shares(50_000, list(TARGETS))
    assert abs(sum(shares.values()) - 50_000) <= len(TARGETS)
    assert min(shares.values()) > 500


PLAIN = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text("abc é", max_size=4), PLAIN, max_size=4))
def test_what_is_written_as_toml_reads_back(tree):
    assert tomllib.loads(toml(tree)) == tree


def test_damage_is_damage():
    rng, content = random.Random(0), bytes(range(32, 127))
    changed = [damaged(content, rng) != content for _ in range(200)]
    assert sum(changed) > 190
    tree = {"a": [1, {"b": "c"}], "d": None}
    before = json.dumps(tree)
    assert sum(rearranged(tree, rng) != tree for _ in range(200)) > 150
    assert json.dumps(tree) == before
    assert {type(any_value(rng)) for _ in range(300)} >= {str, list, dict, bool}
