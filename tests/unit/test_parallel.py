"""Parallel sentences paired with English: FLORES-200 and SIB-200."""

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.labelled import UNQUOTED
from midway.tasks.readers.parallel import BLANK
from midway.tasks.select import resolve_languages

HEADER = "index_id\tcategory\ttext\n"


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def flores(folder, texts, *, place="flores200", part="devtest"):
    for code, text in texts.items():
        put(folder / place / part / f"{code}.{part}", text)


def sib(folder, code, *parts, place="sib200"):
    for name, rows in zip(("train", "dev", "test"), parts, strict=False):
        put(folder / place / code / f"{name}.tsv", HEADER + rows)


def read(name, folder, language, split="test"):
    card = load_card(name)
    return card.read(card.find((folder,), split, language), split, language)


ENGLISH = ("7\ttravel\tOne\n3\thealth\tTwo\n", "1\tsports\tThree\n", "5\ttravel\tFour\n")
FOREIGN = ("7\ttravel\tMoja\n3\thealth\tMbili\n", "1\tsports\tTatu\n", "5\ttravel\tNne\n")


@pytest.mark.parametrize("place", ["flores200", "flores200_dataset", "flores200/flores200_dataset"])
@pytest.mark.parametrize(("split", "part"), [("validation", "dev"), ("test", "devtest")])
def test_flores_pairs_by_line(tmp_path, place, split, part):
    texts = {"swh_Latn": "Moja\x1c\r\nMbili\n", "eng_Latn": "One\u2028\nTwo\n"}
    flores(tmp_path, texts, place=place, part=part)
    assert [
        (e.id, e.document, e.language, e.sentence, e.english)
        for e in read("flores", tmp_path, "swh_Latn", split).examples
    ] == [
        ("0", "0", "swh_Latn", "Moja\x1c", "One\u2028"),
        ("1", "1", "swh_Latn", "Mbili", "Two"),
    ]
    card = load_card("flores")
    assert resolve_languages(card, ["sw"], (tmp_path,), split) == ["swh_Latn"]
    assert card.find((tmp_path,), split, "eng_Latn") == ()


def test_flores_santali_under_its_early_name(tmp_path):
    flores(tmp_path, {"sat_Beng": "a\n", "eng_Latn": "b\n"})
    assert read("flores", tmp_path, "sat_Olck").examples[0].language == "sat_Olck"


def test_flores_blank_lines_keep_the_numbering(tmp_path):
    flores(tmp_path, {"swh_Latn": "a\n\nc\nd\n", "eng_Latn": "x\ny\n \nz\n"})
    reading = read("flores", tmp_path, "swh_Latn")
    assert [e.id for e in reading.examples] == ["0", "3"]
    assert reading.dropped == {BLANK: 2}


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        ({"swh_Latn": "a\n"}, r"swh_Latn\.devtest, expected two files; put the English one"),
        ({"swh_Latn": "a\n", "eng_Latn": "x\ny\n"}, r"swh_Latn\.devtest: 1 lines, but eng_Latn"),
        ({"swh_Latn": "\n", "eng_Latn": "x\n"}, r"swh_Latn\.devtest: no sentences"),
    ],
)
def test_flores_errors(tmp_path, texts, what):
    flores(tmp_path, texts)
    with pytest.raises(DataError, match=what):
        read("flores", tmp_path, "swh_Latn")


@pytest.mark.parametrize("place", ["sib200", "sib-200/data/annotated"])
def test_sib200_joins_its_parts_and_pairs_by_index(tmp_path, place):
    sib(tmp_path, "swh_Latn", *FOREIGN, place=place)
    swapped = "".join(reversed(ENGLISH[0].splitlines(keepends=True)))
    sib(tmp_path, "eng_Latn", swapped, *ENGLISH[1:], place=place)
    reading = read("sib200-pairs", tmp_path, "swh_Latn")
    assert [(e.id, e.document, e.sentence, e.english) for e in reading.examples] == [
        ("7", "7", "Moja", "One"),
        ("3", "3", "Mbili", "Two"),
        ("1", "1", "Tatu", "Three"),
        ("5", "5", "Nne", "Four"),
    ]
    assert not reading.dropped
    assert not reading.repaired


def test_sib200_quoting_is_undone_on_both_sides(tmp_path):
    sib(tmp_path, "swh_Latn", FOREIGN[0].replace("Moja", '"Alisema ""moja"""'), *FOREIGN[1:])
    sib(tmp_path, "eng_Latn", ENGLISH[0].replace("One", '"""One"" he said"'), *ENGLISH[1:])
    reading = read("sib200-pairs", tmp_path, "swh_Latn")
    first = reading.examples[0]
    assert (first.sentence, first.english) == ('Alisema "moja"', '"One" he said')
    assert reading.repaired == {UNQUOTED: 2}


def test_sib200_topics_are_not_needed_and_blanks_are_counted(tmp_path):
    sib(tmp_path, "swh_Latn", FOREIGN[0].replace("Moja", " "), *FOREIGN[1:])
    sib(tmp_path, "eng_Latn", *(part.replace("travel", "") for part in ENGLISH))
    reading = read("sib200-pairs", tmp_path, "swh_Latn")
    assert [e.id for e in reading.examples] == ["3", "1", "5"]
    assert reading.dropped == {BLANK: 1}


def test_sib200_needs_all_three_parts(tmp_path):
    sib(tmp_path, "swh_Latn", *FOREIGN[:2])
    sib(tmp_path, "eng_Latn", *ENGLISH)
    card = load_card("sib200-pairs")
    assert card.find((tmp_path,), "test", "swh_Latn") == ()
    sib(tmp_path, "ewe_Latn", *FOREIGN)
    (tmp_path / "sib200/eng_Latn/dev.tsv").unlink()
    with pytest.raises(DataError, match="expected train, dev and test of the variety and of Eng"):
        read("sib200-pairs", tmp_path, "ewe_Latn")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("5\t", "6\t", r"swh_Latn/test\.tsv:2: index_id '6' is not in .*eng_Latn; both sides"),
        ("5\t", "7\t", r"swh_Latn/test\.tsv:2: index_id '7' is also at .*swh_Latn/train\.tsv:2"),
        ("5\t", "\t", r"swh_Latn/test\.tsv:2: no index_id"),
        ("5\ttravel\tNne\n", "", r"eng_Latn/test\.tsv:2: index_id '5' is not in .*swh_Latn"),
        ("\tNne", "", r"swh_Latn/test\.tsv:2: 2 columns, expected 3"),
        ("index_id", "index", r"swh_Latn/test\.tsv:1: no column 'index_id'"),
    ],
)
def test_sib200_errors_name_the_line(tmp_path, old, new, what):
    sib(tmp_path, "eng_Latn", *ENGLISH)
    sib(tmp_path, "swh_Latn", *FOREIGN)
    path = tmp_path / "sib200/swh_Latn/test.tsv"
    put(path, path.read_text(encoding="utf-8").replace(old, new))
    with pytest.raises(DataError, match=what):
        read("sib200-pairs", tmp_path, "swh_Latn")


def test_sib200_without_a_sentence(tmp_path):
    sib(tmp_path, "eng_Latn", "", "", "")
    sib(tmp_path, "swh_Latn", "", "", "")
    with pytest.raises(DataError, match=r"swh_Latn/train\.tsv: no sentences"):
        read("sib200-pairs", tmp_path, "swh_Latn")
