"""Numbers of examples are remembered, and never believed when something has changed."""

import os
import time
from collections import Counter

import pytest

from midway.errors import DataError
from midway.tasks import counts, load_card
from midway.tasks.counts import CountCache

CARD = load_card("tatoeba")


@pytest.fixture
def files(tmp_path):
    paths = []
    for side, text in (("deu", "eins\nzwei\n"), ("eng", "one\ntwo\n")):
        paths.append(tmp_path / f"tatoeba.deu-eng.{side}")
        paths[-1].write_text(text, encoding="utf-8")
        age(paths[-1], 100)
    return tuple(paths)


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def reads(monkeypatch):
    """How often files were read."""
    seen = Counter()
    original = counts.read_files

    def counting(*arguments):
        seen["read"] += 1
        return original(*arguments)

    monkeypatch.setattr(counts, "read_files", counting)
    return seen


def count(folder, files, card=CARD):
    return CountCache(folder).count(card, files, "test", "de")


def test_read_once(tmp_path, files, reads):
    for _ in range(3):
        assert count(tmp_path / "cache", files) == 2
    assert reads["read"] == 1


def test_changes_are_seen(tmp_path, files, reads, monkeypatch):
    cache = tmp_path / "cache"
    assert count(cache, files) == 2
    for path, text in zip(files, ("a\nb\nc\n", "d\ne\nf\n"), strict=True):
        path.write_text(text, encoding="utf-8")
        age(path, 50)
    assert count(cache, files) == 3
    monkeypatch.setattr(counts, "_source_digest", lambda: "another version")
    assert count(cache, files) == 3
    assert reads["read"] == 3


def test_fresh_files_are_not_remembered(tmp_path, files, reads):
    age(files[0], 0)
    for _ in range(2):
        assert count(tmp_path / "cache", files) == 2
    assert reads["read"] == 2


def test_damaged_files_are_not_remembered(tmp_path, files, reads):
    files[1].write_bytes(b"\xff\n")
    age(files[1], 100)
    for _ in range(2):
        with pytest.raises(DataError, match="byte 0xff"):
            count(tmp_path / "cache", files)
    assert reads["read"] == 2
    files[1].unlink()
    with pytest.raises(DataError, match="cannot read"):
        count(tmp_path / "cache", files)


def test_a_damaged_cache_is_ignored(tmp_path, files):
    cache = tmp_path / "cache"
    assert count(cache, files) == 2
    file = cache / counts.FILE
    good = file.read_bytes()
    for content in (b"\xff\xfe[", b'["x"]\n1\nnull\n["a", "b"]\n[{}, 1]', good[:-5], good + b"["):
        file.write_bytes(content)
        assert count(cache, files) == 2


def test_a_cache_that_cannot_be_written(tmp_path, files):
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    assert count(tmp_path / "cache", files) == 2
