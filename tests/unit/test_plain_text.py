"""Plain text, found under any code of its language."""

import gzip

import pytest

from midway.errors import DataError
from midway.languages import languages, lookup
from midway.tasks import load_card
from midway.tasks.readers.plain_text import BLANK
from midway.tasks.select import present, resolve_languages

CARD = load_card("mlm")


def put(folder, name, text="Habari\n"):
    path = folder / "mlm" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def test_one_code_for_each_variety():
    assert [lookup(code) for code in CARD.languages] == list(languages())
    assert {"en", "sw", "zh", "sr", "sr-latn", "yue"} <= set(CARD.languages)


def test_a_line_is_a_text(tmp_path):
    put(tmp_path, "sw.txt", "  Habari\u2028za leo \r\n\n \t\nNdiyo\x1c!")
    reading = CARD.read(CARD.find((tmp_path,), "train", "sw"), "train", "sw")
    assert [(e.id, e.document, e.language, e.text) for e in reading.examples] == [
        ("sw-1", "sw-1", "sw", "Habari\u2028za leo"),
        ("sw-4", "sw-4", "sw", "Ndiyo\x1c!"),
    ]
    assert reading.dropped == {BLANK: 2}


@pytest.mark.parametrize("name", ["sw.txt", "swh.txt.gz", "swh_Latn.txt", "swa.txt", "SW-latn.txt"])
def test_any_code_of_the_language(tmp_path, name):
    path = put(tmp_path, name)
    assert CARD.find((tmp_path / "nothing", tmp_path), "train", "sw") == (path,)
    assert CARD.find((tmp_path,), "validation", "sw") == ()
    assert present(CARD, (tmp_path,)) == {"train": ["sw"], "validation": []}
    assert resolve_languages(CARD, ["swh_Latn"], (tmp_path,), "train") == ["sw"]
    assert len(CARD.read((path,), "train", "sw").examples) == 1


def test_a_script_is_a_variety_of_its_own(tmp_path):
    latin, other = put(tmp_path, "srp_Latn.txt"), put(tmp_path, "srp.txt")
    assert CARD.find((tmp_path,), "train", "sr-latn") == (latin,)
    assert CARD.find((tmp_path,), "train", "sr") == (other,)


def test_folders_of_splits_come_first(tmp_path):
    put(tmp_path, "sw.txt")
    train, held_out = put(tmp_path, "train/sw.txt"), put(tmp_path, "validation/sw.txt")
    assert CARD.find((tmp_path,), "train", "sw") == (train,)
    assert CARD.find((tmp_path,), "validation", "sw") == (held_out,)


def test_several_files_are_joined(tmp_path):
    files = (put(tmp_path, "sw.txt"), put(tmp_path, "swh.txt.gz"))
    put(tmp_path, "sw.txt.gz")
    put(tmp_path, "notes.txt")
    assert CARD.find((tmp_path,), "train", "sw") == files
    assert [e.id for e in CARD.read(files, "train", "sw").examples] == ["sw-1", "swh-1"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\n \n", r"sw\.txt: blank lines only, expected one text a line"),
        (b"", r"sw\.txt: the file is empty"),
        (b"a\n\xff\n", r"sw\.txt:2: byte 0xff is not valid UTF-8"),
    ],
)
def test_errors(tmp_path, content, what):
    path = tmp_path / "sw.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=what):
        CARD.read((path,), "train", "sw")
