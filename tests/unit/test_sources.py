"""Opening and finding benchmark files."""

import bz2
import gzip

import pytest

from midway.errors import DataError
from midway.tasks import sources


@pytest.mark.parametrize(
    ("name", "pack"), [("a.txt", bytes), ("a.txt.gz", gzip.compress), ("a.txt.bz2", bz2.compress)]
)
def test_lines_end_at_newline_only(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack("\ufeffone\r\ntwo\x1chalf\u2028\x85end\n\nlast".encode()))
    assert sources.read_lines(path) == ["one", "two\x1chalf\u2028\x85end", "", "last"]


def test_only_one_carriage_return_and_one_mark_are_removed(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff\ufeffa\r\r\nb\rc\n".encode())
    assert sources.read_lines(path) == ["\ufeffa\r", "b\rc"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_bad_utf8_names_the_line(tmp_path, mark):
    path = tmp_path / "a.txt"
    path.write_bytes(mark + b"fine\nfine\nb\xffd\n")
    with pytest.raises(DataError, match=r"a\.txt:3: byte 0xff is not valid UTF-8"):
        sources.read_text(path)


def test_truncated_utf8_at_the_end(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("one\nκ".encode()[:-1])
    with pytest.raises(DataError, match=r"a\.txt:2: byte 0xce"):
        sources.read_text(path)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_truncated_archive(tmp_path, suffix, pack):
    path = tmp_path / f"a.json{suffix}"
    path.write_bytes(pack(b"some text " * 1000)[:-12])
    with pytest.raises(DataError, match=rf"a\.json{suffix}: .*(cut off|cannot be read)"):
        sources.read_bytes(path)


def test_not_really_compressed(tmp_path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(b'{"data": []}')
    with pytest.raises(DataError, match=r"a\.json\.gz: cannot be read .*fetch it again"):
        sources.read_bytes(path)


@pytest.mark.parametrize(("name", "content"), [("a", b""), ("a.gz", gzip.compress(b""))])
def test_empty_file(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match="the file is empty"):
        sources.read_text(path)


def test_missing_file_and_folder_instead_of_file(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        sources.read_bytes(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be read"):
        sources.read_bytes(tmp_path)


def test_absurd_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_BYTES", 1000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(1001)))
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        sources.read_bytes(path)


def test_folders_are_parsed_and_checked(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "file").touch()
    assert sources.parse_folders(f"{tmp_path}/a:{tmp_path}") == (tmp_path / "a", tmp_path)
    assert sources.parse_folders(None) == sources.parse_folders("") == ()
    with pytest.raises(DataError, match=r"missing does not exist; .*MIDWAY_DATA"):
        sources.parse_folders(f"{tmp_path}:{tmp_path}/missing")
    with pytest.raises(DataError, match="is not a folder"):
        sources.parse_folders(f"{tmp_path}/file")


def test_find_prefers_folder_then_pattern_then_plain(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    for path in (first / "t/x.b.json.gz", first / "t/x.a.json.bz2", second / "t/x.json"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    patterns = ("t/x.json", "t/x.*.json")
    assert sources.find_first((first, second), *patterns) == (first / "t/x.a.json.bz2",)
    (first / "t/x.json.gz").touch()
    assert sources.find_first((first, second), *patterns) == (first / "t/x.json.gz",)
    (first / "t/x.json").touch()
    assert sources.find_first((first, second), *patterns) == (first / "t/x.json",)
    assert sources.find_first((first, second), "t/y.json", "u/*.json") == ()


def test_find_all_takes_each_file_once_and_one_folder(tmp_path):
    names = ("1/u/b.tsv.gz", "1/u/a.tsv", "1/u/a.tsv.gz", "1/u/a.tsv.old", "2/u/c.tsv")
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = sources.find_all((tmp_path / "1", tmp_path / "2"), "u/*.tsv")
    assert [path.name for path in found] == ["a.tsv", "b.tsv.gz"]


def test_stem():
    from pathlib import Path

    assert sources.stem(Path("x/en_ewt-ud-dev.conllu.gz")) == "en_ewt-ud-dev"
    assert sources.stem(Path("test-ar.tsv")) == "test-ar"
