import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midway.canonical import DigestCache, canonical_json, digest, file_digest
from midway.errors import DataError


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    YES = "yes"


@dataclass(frozen=True)
class Spec:
    rate: float
    langs: tuple[str, ...] = ()
    later: object = field(default=0, metadata={"neutral": 0})


@dataclass
class Loose:
    x: int = 1


def test_text_is_sorted_compact_and_readable():
    value = {"b": [1, 2.5, None, True], "a": "Ünïcödé ਪੰਜਾਬੀ \u2028"}
    assert canonical_json(value) == '{"a":"Ünïcödé ਪੰਜਾਬੀ \u2028","b":[1,2.5,null,true]}'


def test_equal_numbers_have_one_text_but_int_and_float_differ():
    assert canonical_json(-0.0) == canonical_json(0.0) == "0.0"
    assert canonical_json(1) != canonical_json(1.0)
    assert canonical_json(5e-5) == "5e-05"


def test_enums_and_tuples():
    assert canonical_json([Colour.RED, Level.LOW, Word.YES, (1,)]) == '["red",1,"yes",[1]]'


def test_neutral_field_is_left_out_while_neutral():
    assert canonical_json(Spec(0.5, ("de",))) == '{"langs":["de"],"rate":0.5}'
    assert canonical_json(Spec(0.5, ("de",), 2)) == '{"langs":["de"],"later":2,"rate":0.5}'
    # False equals 0 in Python, but it is another value.
    assert "later" in canonical_json(Spec(0.5, ("de",), False))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": {"b": [1, Path("x")]}}, r"a\.b\[1\] is of type PosixPath"),
        (Spec(0.5, langs=(b"de",)), r"langs\[0\] is of type bytes"),
        ({"a": Loose()}, "a is a Loose, a dataclass that is not frozen"),
        ({"a": {1: 2}}, "a has the key 1 of type int"),
        ({"a": np.float64(1.0)}, "a is of type float64"),
        ({"a": {1, 2}}, "a is of type set"),
        ({"a": len}, "a is of type builtin_function_or_method"),
        (object(), "the value is of type object"),
        (Spec, "the value is of type type"),
    ],
)
def test_refuses_and_names_the_path(value, where):
    with pytest.raises(TypeError, match=where):
        canonical_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_refuses_values_without_a_text(value):
    with pytest.raises(ValueError, match=r"spec\.x"):
        canonical_json({"spec": {"x": value}})


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_text_reads_back_and_is_stable(value):
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_digest_is_sha256_of_the_text(tmp_path):
    assert digest({"a": "ü"}) == hashlib.sha256('{"a":"ü"}'.encode()).hexdigest()
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    assert file_digest(path) == hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(DataError, match="gone"):
        file_digest(tmp_path / "gone")


def old(path, data, age=100):
    path.write_bytes(data)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def counted():
    calls = []

    def compute(path):
        calls.append(path)
        return file_digest(path)

    return calls, compute


def test_digest_cache_remembers_and_notices_changes(tmp_path):
    path, (calls, compute) = old(tmp_path / "f", b"abc"), counted()
    first = DigestCache(tmp_path / "cache", compute=compute).digest(path)
    cache = DigestCache(tmp_path / "cache", compute=compute)
    assert cache.digest(path) == first == file_digest(path)
    assert len(calls) == 1
    old(path, b"abd", age=90)
    assert cache.digest(path) == file_digest(path) != first


def test_digest_cache_does_not_trust_fresh_times(tmp_path):
    path, (calls, compute) = tmp_path / "f", counted()
    path.write_bytes(b"abc")
    cache = DigestCache(tmp_path / "cache", compute=compute)
    cache.digest(path), cache.digest(path)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "damage",
    [b"", b"\xff\xfe{", b'{"path": 3}\n[]\n', None],
    ids=["empty", "bytes", "types", "gone"],
)
def test_digest_cache_survives_damage(tmp_path, damage):
    path = old(tmp_path / "f", b"abc")
    DigestCache(tmp_path).digest(path)
    file = tmp_path / "digests.jsonl"
    file.unlink() if damage is None else file.write_bytes(damage)
    assert DigestCache(tmp_path).digest(path) == file_digest(path)


def test_digest_cache_refuses_a_flipped_digit(tmp_path):
    path = old(tmp_path / "f", b"abc")
    right = DigestCache(tmp_path).digest(path)
    file = tmp_path / "digests.jsonl"
    wrong = ("0" if right[0] != "0" else "1") + right[1:]
    file.write_text(file.read_text("utf-8").replace(right, wrong), encoding="utf-8")
    assert DigestCache(tmp_path).digest(path) == right


def test_digest_cache_without_a_writable_folder(tmp_path):
    path = old(tmp_path / "f", b"abc")
    assert DigestCache(path / "below-a-file").digest(path) == file_digest(path)


@pytest.mark.parametrize("jump", [-(10**6), -3600, 3600, 10**6, 2 * 10**9])
def test_a_clock_that_jumps_gives_no_wrong_digest(tmp_path, monkeypatch, jump):
    """What was remembered before, or is changed after, is never taken for something else."""
    path = tmp_path / "a"
    path.write_bytes(b"1")
    os.utime(path, (1e9, 1e9))
    DigestCache(tmp_path / "cache").digest(path)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)
    assert DigestCache(tmp_path / "cache").digest(path) == hashlib.sha256(b"1").hexdigest()
    for text in (b"2", b"3"):  # written at once, one after the other: one tick of the clock
        path.write_bytes(text)
        os.utime(path, (now + jump, now + jump))
        assert DigestCache(tmp_path / "cache").digest(path) == hashlib.sha256(text).hexdigest()


def test_a_file_from_the_future_is_never_remembered(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    os.utime(path, (time.time() + 10**6,) * 2)
    calls = []
    cache = DigestCache(tmp_path / "cache", compute=lambda p: calls.append(p) or file_digest(p))
    assert cache.digest(path) == cache.digest(path)
    assert len(calls) == 2


@pytest.mark.parametrize("line", ["[" * 10**5, '{"path":"\\ud800"}', "9" * 5000, "null", "[]"])
def test_lines_of_the_cache_that_are_none_are_ignored(tmp_path, line):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "digests.jsonl").write_text(f"{line}\n{line}", encoding="utf-8")
    assert DigestCache(folder).digest(path) == hashlib.sha256(b"1").hexdigest()
