"""PAWS-X and Quora Question Pairs in all their layouts."""

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.labelled import BLANK, BROKEN, UNQUOTED
from midway.tasks.readers.paraphrases import (
    PAWSX_LABELS,
    QQP_LABELS,
    REPLACED,
    UNTRANSLATED,
)

PAWSX = "id\tsentence1\tsentence2\tlabel\n"
GLUE = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(name, folder, split, language="en"):
    card = load_card(name)
    files = card.find((folder,), split, language)
    assert files
    return card.read(files, split, language)


def shape(reading):
    return [(e.id, e.document, e.text, e.pair, e.label) for e in reading.examples]


@pytest.mark.parametrize(
    ("name", "split", "language", "path"),
    [
        ("pawsx", "train", "en", "x-final/en/train.tsv"),
        ("pawsx", "train", "de", "x-final/de/translated_train.tsv"),
        ("pawsx", "train", "en", "pawsx/train-en.tsv"),
        ("pawsx", "validation", "ko", "pawsx/x-final/ko/dev_2k.tsv"),
        ("pawsx", "validation", "ko", "pawsx/dev-ko.tsv.gz"),
        ("pawsx", "test", "zh", "pawsx/zh/test_2k.tsv"),
        ("pawsx", "test", "zh", "pawsx/test-zh.tsv.gz"),
        ("qqp", "train", "en", "QQP/train.tsv"),
        ("qqp", "validation", "en", "glue/QQP/dev.tsv"),
        ("qqp", "validation", "en", "qqp/dev.tsv.gz"),
        ("qqp", "test", "en", "qqp/test.tsv.gz"),
    ],
)
def test_layouts(name, split, language, path, tmp_path):
    file = write(tmp_path, path, "x")
    card = load_card(name)
    assert card.find((tmp_path / "nothing", tmp_path), split, language) == (file,)
    assert card.find((tmp_path,), split, "*") == ()
    assert card.find((tmp_path,), "nonsense", language) == ()
    others = {"train", "validation", "test"} - {split}
    assert all(card.find((tmp_path,), other, language) == () for other in others)


def test_the_publishers_pawsx_wins(tmp_path):
    write(tmp_path, "pawsx/test-de.tsv", "a\tb\n")
    best = write(tmp_path, "x-final/de/test_2k.tsv", PAWSX)
    assert load_card("pawsx").find((tmp_path,), "test", "de") == (best,)


def test_pawsx_is_parallel_by_row_in_both_layouts(tmp_path):
    write(tmp_path, "pawsx/dev-de.tsv", "a\tb\t1\nc\x1cd\te\t0\n")
    expected = [
        ("1", "1", "a", "b", "paraphrase"),
        ("2", "2", "c\x1cd", "e", "not_paraphrase"),
    ]
    assert shape(read("pawsx", tmp_path, "validation", "de")) == expected
    write(tmp_path, "x-final/de/dev_2k.tsv", f"{PAWSX}10\ta\tb\t1\n12\tc\x1cd\te\t0\n")
    assert shape(read("pawsx", tmp_path, "validation", "de")) == expected


def test_quoted_cells_of_pawsx(tmp_path):
    write(tmp_path, "pawsx/dev-fr.tsv", 'a\t"b ""c"""\t1\r\nd\te\t0\r\n')
    reading = read("pawsx", tmp_path, "validation", "fr")
    assert [e.pair for e in reading.examples] == ['b "c"', "e"]
    assert reading.repaired == {UNQUOTED: 1}


def test_untranslated_sentences(tmp_path):
    rows = "1\tNS\tb\t0\n2\ta\tns\t0\n3\t\tb\t1\n4\ta\tb\t1\n"
    write(tmp_path, "x-final/ko/translated_train.tsv", PAWSX + rows)
    reading = read("pawsx", tmp_path, "train", "ko")
    assert [e.id for e in reading.examples] == ["4"]
    assert reading.dropped == {UNTRANSLATED: 2, BLANK: 1}
    assert not reading.warnings
    write(tmp_path, "x-final/ko/test_2k.tsv", PAWSX + rows)
    reading = read("pawsx", tmp_path, "test", "ko")
    assert [e.id for e in reading.examples] == ["1", "2", "4"]
    assert reading.dropped == {BLANK: 1}
    (warning,) = reading.warnings
    assert "test_2k.tsv: NS stands in place of" in warning
    assert "2 rows" in warning


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\n", r"test-de\.tsv:1: 2 columns and no label.*x-final/de/test_2k\.tsv"),
        ("a\tb\t2\n", r"test-de\.tsv:1: label '2' is unknown\. Expected: 0 1"),
        (f"{PAWSX}1\ta\tb\n", r"test-de\.tsv:2: 3 columns, expected 4"),
        ("id\tsentence1\tsentence2\n", "no column 'label'.*XTREME"),
    ],
)
def test_damaged_pawsx(tmp_path, content, message):
    write(tmp_path, "pawsx/test-de.tsv", content)
    with pytest.raises(DataError, match=message):
        read("pawsx", tmp_path, "test", "de")


def test_labels_are_those_of_the_cards():
    assert tuple(PAWSX_LABELS.values()) == load_card("pawsx").labels
    assert tuple(QQP_LABELS.values()) == load_card("qqp").labels
    assert list(PAWSX_LABELS) == list(QQP_LABELS) == ["0", "1"]
    assert load_card("qqp").rule == "f1"  # of the last label
    assert load_card("qqp").labels[-1] == "duplicate"


def test_qqp_in_both_layouts(tmp_path):
    write(tmp_path, "qqp/dev.tsv", b"1\tWhat\xe2\x80 is A?\tWhy?\t18\n0\tWho?\tWho is B?\t211\n")
    reading = read("qqp", tmp_path, "validation")
    assert shape(reading) == [
        ("18", "what\ufffd is a?", "What\ufffd is A?", "Why?", "duplicate"),
        ("211", "who?", "Who?", "Who is B?", "not_duplicate"),
    ]
    assert reading.repaired == {REPLACED: 1}
    rows = "18\t1\t2\tWho?\tWho is B?\t1\n19\t3\t4\tbroken\n off\t?\t0\n20\t5\t6\t\tC?\t0\n"
    write(tmp_path, "QQP/dev.tsv", GLUE + rows)
    reading = read("qqp", tmp_path, "validation")
    assert shape(reading) == [("18", "who?", "Who?", "Who is B?", "duplicate")]
    assert reading.dropped == {BROKEN: 2, BLANK: 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id\tquestion1\tquestion2\n1\ta\tb\n", "no column 'is_duplicate'.*GLUE's test set has no"),
        ("1\ta\tb\n", r"test\.tsv:1: 3 columns, expected 4"),
        ("a\tb\tc\t1\n", "label 'a' is unknown"),
        (f"{GLUE}1\t2\n", r"no examples \(row cut in two by a line end: 1\)"),
        ("1\ta\tb\t \n", r"test\.tsv:1: the id is blank"),
    ],
)
def test_damaged_qqp(tmp_path, content, message):
    write(tmp_path, "qqp/test.tsv", content)
    with pytest.raises(DataError, match=message):
        read("qqp", tmp_path, "test")
