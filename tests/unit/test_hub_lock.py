"""The lock file, and which of the hub's files are taken."""

import pytest
from hub_files import card, hub, lock, write

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.examples import PlainText
from midway.tasks.files import find_files, read_files
from midway.tasks.hub.lock import Pinned, in_part, lock_text, read_lock, verify

DEU, SWH = "deu/validation/0000.parquet", "swh/validation/0000.parquet"
ROWS = {"premise": ["a"], "label": ["neutral"]}


def put(folder, *paths, repo="test/nli"):
    return [write(folder / "hub" / repo / path, ROWS) for path in paths]


def test_only_files_that_the_lock_names(tmp_path):
    one, _ = put(tmp_path, DEU, SWH)
    assert find_files(card(), (tmp_path,), "validation", "de") == ()
    lock(tmp_path, "test/nli", DEU)
    assert find_files(card(), (tmp_path,), "validation", "de") == (one,)
    assert find_files(card(), (tmp_path,), "validation", "sw") == ()
    lock(tmp_path, "test/other", DEU)
    assert find_files(card(), (tmp_path,), "validation", "de") == ()


@pytest.mark.parametrize(
    ("split", "language"), [("validation", "zh"), ("train", "de"), ("*", "de"), ("test", "*")]
)
def test_unknown_splits_and_languages(tmp_path, split, language):
    put(tmp_path, DEU)
    lock(tmp_path, "test/nli", DEU)
    assert find_files(card(), (tmp_path,), split, language) == ()


def test_all_parts_of_a_split_are_needed(tmp_path):
    paths = [f"deu/test_{part}/000{shard}.parquet" for part in "ab" for shard in (1, 0)]
    files = put(tmp_path, *paths)
    lock(tmp_path, "test/nli", *paths[:2])
    assert find_files(card(), (tmp_path,), "test", "de") == ()
    lock(tmp_path, "test/nli", *paths)
    found = find_files(card(), (tmp_path,), "test", "de")
    assert found == (files[1], files[0], files[3], files[2])  # sorted, part after part
    assert len(read_files(card(), found, "test", "de").examples) == 4
    files[0].unlink()
    found = find_files(card(), (tmp_path,), "test", "de")
    with pytest.raises(DataError, match=r"0001\.parquet: no such file"):
        read_files(card(), found, "test", "de")
    for path in found:
        path.unlink(missing_ok=True)
    assert find_files(card(), (tmp_path,), "test", "de") == ()


def test_several_folders(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder, path in ((first, DEU), (second, SWH)):
        put(folder, path)
        lock(folder, "test/nli", path)
    both = (first, second)
    assert find_files(card(), both, "validation", "de")[0].is_relative_to(first)
    assert find_files(card(), both, "validation", "sw")[0].is_relative_to(second)


def test_files_of_the_publisher_come_first(tmp_path):
    put(tmp_path, DEU)
    lock(tmp_path, "test/nli", DEU)
    own = tmp_path / "own.tsv"
    task = card(find=lambda *_: (own,), read=lambda files, *_: files)
    assert find_files(task, (tmp_path,), "validation", "de") == (own,)


def test_a_changed_lock_is_read_again(tmp_path):
    for commit in ("a" * 40, "b" * 40):
        (tmp_path / "hub").mkdir(exist_ok=True)
        pinned = {"x/y": Pinned("main", commit, {}, ("t/train",))}
        path = tmp_path / "hub/lock.json"
        path.unlink(missing_ok=True)
        path.write_text(lock_text(pinned), encoding="utf-8")
        assert read_lock(tmp_path) == pinned


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            "[]",
            "null",
            '{"version": 1}',
            '{"version": 1, "repositories": []}',
            "[" * 9999,
        ),
        '{"version": 9, "repositories": {}}',
        '{"version": 1, "repositories": {"a/b": {}}}',
        '{"version": 1, "repositories": {"a/b": {"revision": "", "commit": "", "files": [1]}}}',
    ],
)
def test_damaged_lock_files(tmp_path, text):
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub/lock.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"lock\.json"):
        find_files(card(), (tmp_path,), "validation", "de")


def test_paths_in_a_lock_file_cannot_lead_elsewhere(tmp_path):
    (tmp_path / "secret.parquet").write_bytes(b"")
    lock(tmp_path, "test/nli", "deu/validation/../../../../secret.parquet", "/etc/0000.parquet")
    assert find_files(card(), (tmp_path,), "validation", "de") == ()


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("a/train/0000.parquet", True),
        ("a/train/12345.parquet", True),
        ("a/train/0000.parquet.part", False),
        ("a/train/x000.parquet", False),
        ("a/train/.parquet", False),
        ("a/train/\u0663.parquet", False),
        ("a/train/b/0000.parquet", False),
        ("a/partial-train/0000.parquet", False),
        ("a/train/index.duckdb", False),
    ],
)
def test_what_belongs_to_a_part(path, inside):
    assert in_part(path, "a/train") is inside


def test_verify(tmp_path):
    (path,) = put(tmp_path, DEU)
    lock(tmp_path, "test/nli", DEU)
    with pytest.raises(DataError, match=r"0000\.parquet: differs from .*lock\.json"):
        verify((tmp_path,), path)
    (stray,) = put(tmp_path, SWH)
    with pytest.raises(DataError, match=r"differs from .*none"):
        verify((tmp_path,), stray)
    with pytest.raises(DataError, match="in no lock file"):
        verify((tmp_path,), tmp_path / "x.parquet")


def test_parts():
    assert hub().parts("validation", "de") == ("deu/validation",)
    assert hub().parts("test", "sw") == ("swh/test_a", "swh/test_b")
    assert hub().parts("train", "de") == hub().parts("test", "zh") == ()


def test_documents_of_another_configuration(tmp_path):
    source = hub(documents="eng", splits=("validation",), example=by_text)
    task = card(hub=source)
    assert source.parts("validation", "de") == ("deu/validation", "eng/validation")
    write(tmp_path / "hub/test/nli" / DEU, {"id": ["1", "2", "3"], "title": ["eins"] * 3})
    lock(tmp_path, "test/nli", DEU)
    assert find_files(task, (tmp_path,), "validation", "de") == ()  # the documents are needed too
    english = "eng/validation/0000.parquet"
    write(tmp_path / "hub/test/nli" / english, {"id": ["2", "1"], "title": ["two", "one"]})
    lock(tmp_path, "test/nli", DEU, english)
    files = find_files(task, (tmp_path,), "validation", "de")
    reading = read_files(task, files, "validation", "de")
    assert [(e.id, e.document) for e in reading.examples] == [
        ("1", "one"),
        ("2", "two"),
        ("3", "eins"),
    ]
    (warning,) = reading.warnings
    assert "1 of 3 rows are not in eng" in warning


def by_text(row):
    return PlainText(row.text("id"), row.language, row.text("title"), "text")


def test_one_revision_for_a_data_set():
    from midway.tasks import card_names

    sources = [load_card(name).hub for name in card_names()]
    pairs = {(source.repo, source.revision) for source in sources if source}
    assert len(pairs) == len({repo for repo, _ in pairs})  # the lock file has one commit of each
