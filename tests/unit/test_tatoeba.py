"""Tatoeba's aligned files."""

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.tatoeba import BLANK, read_tatoeba


def write(folder, foreign, english, *, code="swh", place="tatoeba/v1"):
    home = folder / place
    home.mkdir(parents=True, exist_ok=True)
    (home / f"tatoeba.{code}-eng.{code}").write_text(foreign, encoding="utf-8", newline="")
    (home / f"tatoeba.{code}-eng.eng").write_text(english, encoding="utf-8", newline="")


@pytest.mark.parametrize("place", ["tatoeba/v1", "tatoeba"])
def test_pairs_by_line_under_xtremes_code(tmp_path, place):
    write(tmp_path, "Habari\x1c za leo\r\nNdiyo\n", "How are\u2028you?\nYes\n", place=place)
    card = load_card("tatoeba")
    reading = card.read(card.find((tmp_path,), "test", "sw"), "test", "sw")
    assert [(e.id, e.sentence, e.english) for e in reading.examples] == [
        ("sw-0", "Habari\x1c za leo", "How are\u2028you?"),
        ("sw-1", "Ndiyo", "Yes"),
    ]
    assert reading.examples[1].document == "Yes"
    assert card.find((tmp_path,), "test", "swh") == ()


def test_blank_lines_are_counted_and_keep_the_numbering(tmp_path):
    write(tmp_path, "a\n\nc\n", "x\ny\nz\n")
    reading = read_tatoeba(load_card("tatoeba").find((tmp_path,), "test", "sw"), "test", "sw")
    assert [e.id for e in reading.examples] == ["sw-0", "sw-2"]
    assert reading.dropped == {BLANK: 1}


def test_sides_of_different_length(tmp_path):
    write(tmp_path, "a\nb\n", "x\n")
    card = load_card("tatoeba")
    with pytest.raises(DataError, match=r"eng\.swh: 2 lines, but tatoeba\.swh-eng\.eng has 1"):
        card.read(card.find((tmp_path,), "test", "sw"), "test", "sw")


def test_a_missing_side(tmp_path):
    write(tmp_path, "a\n", "x\n")
    (tmp_path / "tatoeba/v1/tatoeba.swh-eng.eng").unlink()
    card = load_card("tatoeba")
    with pytest.raises(DataError, match="expected two files, one per side"):
        card.read(card.find((tmp_path,), "test", "sw"), "test", "sw")


def test_xtremes_sorted_english_is_refused(tmp_path):
    home = tmp_path / "tatoeba"
    home.mkdir()
    (home / "de-en.de").write_text("b\na\n", encoding="utf-8")
    (home / "de-en.en").write_text("a\nb\n", encoding="utf-8")
    card = load_card("tatoeba")
    files = card.find((tmp_path,), "test", "de")
    assert len(files) == 2
    with pytest.raises(DataError, match="sorts the English side"):
        card.read(files, "test", "de")
