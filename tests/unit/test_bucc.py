"""BUCC's two heaps of sentences and their gold."""

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.bucc import BLANK, BLANK_GOLD, TWICE

FOREIGN = "de-000000001\tEins\x1c!\r\nde-000000002\tZwei\nde-000000003\tZwei\n"
ENGLISH = "en-000000001\tTwo\nen-000000002\tOne\tof all\nen-000000003\tFour\n"
GOLD = "de-000000003\ten-000000001\nde-000000001\ten-000000002\n"
LAYOUTS = {
    "validation": ["de-en.dev", "de-en.sample", "de-en/de-en.sample"],
    "test": ["de-en.test", "de-en.training", "de-en/de-en.training"],
}


def write(folder, *, place="de-en.dev", foreign=FOREIGN, english=ENGLISH, gold=GOLD):
    for kind, text in (("de", foreign), ("en", english), ("gold", gold)):
        if text is not None:
            path = folder / "bucc2018" / f"{place}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")


def read(folder, split="validation"):
    card = load_card("bucc2018")
    return card.read(card.find((folder,), split, "de"), split, "de")


@pytest.mark.parametrize(("split", "place"), [(s, p) for s in LAYOUTS for p in LAYOUTS[s]])
def test_gold_pairs_share_key_and_document(tmp_path, split, place):
    write(tmp_path, place=place)
    reading = read(tmp_path, split)
    assert [(e.side, e.id, e.document, e.text, e.keys) for e in reading.examples] == [
        *(
            ("query", *rest)
            for rest in (
                ("de-000000001", "en-000000002", "Eins\x1c!", ("de-000000001 en-000000002",)),
                ("de-000000002", "de-000000002", "Zwei", ()),
                ("de-000000003", "en-000000001", "Zwei", ("de-000000003 en-000000001",)),
            )
        ),
        *(
            ("candidate", *rest)
            for rest in (
                ("en-000000001", "en-000000001", "Two", ("de-000000003 en-000000001",)),
                ("en-000000002", "en-000000002", "One\tof all", ("de-000000001 en-000000002",)),
                ("en-000000003", "en-000000003", "Four", ()),
            )
        ),
    ]
    assert {e.language for e in reading.examples} == {"de"}
    assert not reading.dropped
    assert not reading.repaired


def test_a_sentence_in_two_gold_pairs_has_two_keys(tmp_path):
    write(tmp_path, gold=GOLD + "de-000000001\ten-000000003\n")
    (first,) = (e for e in read(tmp_path).examples if e.id == "de-000000001")
    assert first.keys == ("de-000000001 en-000000002", "de-000000001 en-000000003")
    assert first.document == "en-000000002"


def test_blank_sentences_and_repeated_gold_are_counted(tmp_path):
    write(tmp_path, foreign=FOREIGN.replace("Eins\x1c!", " "), gold=GOLD * 2)
    reading = read(tmp_path)
    assert reading.dropped == {BLANK: 1, BLANK_GOLD: 2}
    assert reading.repaired == {TWICE: 1}
    assert {key for e in reading.examples for key in e.keys} == {"de-000000003 en-000000001"}


def test_a_set_with_gold_wins_over_one_without(tmp_path):
    write(tmp_path / "xtreme", place="de-en.test", gold=None)
    write(tmp_path / "own", place="de-en/de-en.training")
    card = load_card("bucc2018")
    files = card.find((tmp_path / "xtreme", tmp_path / "own"), "test", "de")
    assert [path.name for path in files] == [f"de-en.training.{k}" for k in ("de", "en", "gold")]


@pytest.mark.parametrize(
    ("split", "place", "what"),
    [
        ("test", "de-en.test", "removes the gold of test; .*bucc2018-de-en.training-gold.tar.bz2"),
        ("validation", "de-en.dev", "no gold file; .*bucc2018-de-en.sample-gold.tar.bz2"),
    ],
)
def test_missing_gold_is_refused(tmp_path, split, place, what):
    write(tmp_path, place=place, gold=None)
    with pytest.raises(DataError, match=what):
        read(tmp_path, split)


def test_missing_english_is_refused(tmp_path):
    write(tmp_path, english=None)
    with pytest.raises(DataError, match=r"de-en\.dev\.gold, but no en file"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("part", "text", "what"),
    [
        ("foreign", FOREIGN + "de-000000004\n", r"dev\.de:4: no tab, expected id TAB sentence"),
        ("foreign", ENGLISH, r"dev\.de:1: id 'en-000000001', expected one such as de-0"),
        ("foreign", "de-x\tEins\n", r"dev\.de:1: id 'de-x', expected one such as de-0"),
        ("english", ENGLISH + ENGLISH, r"dev\.en:4: id en-000000001 occurs twice"),
        ("english", "en-000000001\t \n", r"dev\.en: no sentences"),
        ("gold", "de-000000009\ten-000000001\n", r"gold:1: no sentence has the id de-000000009"),
        ("gold", "en-000000001\tde-000000001\n", r"gold:1: id 'en-000000001', expected one such"),
        ("gold", "de-000000001\n", r"gold:1: 1 columns, expected 2"),
        ("gold", "", r"gold: the file is empty"),
    ],
)
def test_errors_name_the_line(tmp_path, part, text, what):
    write(tmp_path, **{part: text})
    with pytest.raises(DataError, match=what):
        read(tmp_path)
