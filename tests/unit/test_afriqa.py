"""AfriQA's gold passages: an African question, a passage and an answer in the pivot language."""

import json

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.afriqa import NO_PASSAGE, read_afriqa
from midway.tasks.readers.squad_json import (
    BLANK,
    LEFT_OUT,
    NO_ANSWER,
    NO_SPAN,
    NOT_FOUND,
    REFOUND,
)

PASSAGE = "Accra is the capital of Ghana."


def record(identity="0", texts=("Accra",), starts=(0,), **fields):
    return {
        "id": identity,
        "question_lang": "Nkran wɔ he?",
        "question_translated": "Where is Accra?",
        "answer_lang": "Nkran",
        "answer_pivot": {"text": list(texts), "answer_start": list(starts)},
        "context": PASSAGE,
        "title": "Accra",
        **fields,
    }


def read(folder, *records, split="train"):
    path = folder / "x.json"
    path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return read_afriqa((path,), split, "twi")


def test_the_question_is_the_african_one_and_the_answer_the_pivots(tmp_path):
    reading = read(tmp_path, record())
    (example,) = reading.examples
    assert (example.id, example.language, example.document) == ("0", "twi", "Accra")
    assert (example.question, example.context) == ("Nkran wɔ he?", PASSAGE)
    assert (example.answers, example.starts) == (("Accra",), (0,))
    assert not reading.dropped
    assert not reading.repaired


def test_records_without_passage_or_answer_are_counted(tmp_path):
    reading = read(
        tmp_path,
        record("0", context=None, title=None),
        record("1", context=" "),
        record("2", texts=(), starts=()),
        record("3", texts=("", "Ghana"), starts=(0, 24)),
        record("4", texts=(" ",)),
    )
    assert [(e.id, e.answers) for e in reading.examples] == [("3", ("Ghana",))]
    assert reading.dropped == {NO_PASSAGE: 2, NO_ANSWER: 2}
    assert reading.repaired == {BLANK: 2}


def test_offsets_are_found_again(tmp_path):
    reading = read(tmp_path, record(texts=("Ghana", "Accra"), starts=(3, 0)))
    assert reading.examples[0].starts == (24, 0)
    assert reading.repaired == {REFOUND: 1}


def test_an_answer_that_is_nowhere_is_no_training_data_but_is_scored(tmp_path):
    rows = (record("0", texts=("Yes",)), record("1", texts=("No", "Accra"), starts=(0, 0)))
    reading = read(tmp_path, *rows)
    assert [(e.id, e.answers) for e in reading.examples] == [("1", ("Accra",))]
    assert reading.dropped == {NOT_FOUND: 1}
    assert reading.repaired == {LEFT_OUT: 1}
    reading = read(tmp_path, *rows, split="test")
    assert [e.starts for e in reading.examples] == [(-1,), (-1, 0)]
    assert not reading.dropped
    assert reading.repaired == {NO_SPAN: 2}


def test_equal_passages_without_title_are_one_document(tmp_path):
    reading = read(
        tmp_path,
        record("0", title=None),
        record("1", title=""),
        record("2", title=None, context="Accra!"),
    )
    first, second, third = (e.document for e in reading.examples)
    assert first == second != third
    assert first.startswith("passage-")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": 7}, r"x\.json:2: 'id' is of type int, expected a string"),
        ({"id": "0"}, r"x\.json:2: the id '0' occurs twice"),
        ({"question_lang": None}, r"x\.json:2: 'question_lang' is missing, expected a string"),
        ({"question_lang": " "}, r"x\.json:2: 'question_lang' is blank"),
        ({"context": 3}, r"x\.json:2: 'context' is of type int"),
        ({"title": ["x"]}, r"x\.json:2: 'title' is of type list"),
        ({"answer_pivot": "Accra"}, r"x\.json:2: 'answer_pivot' is of type str, expected an objec"),
        ({"answer_pivot": {"text": "A"}}, r"x\.json:2: 'text' is of type str, expected a list"),
        ({"answer_pivot": {"text": [1]}}, r"x\.json:2: 'text' holds a value of type int"),
        (
            {"answer_pivot": {"text": ["A"], "answer_start": ["0"]}},
            r"x\.json:2: 'answer_start' holds '0', expected whole numbers",
        ),
        (
            {"answer_pivot": {"text": ["A"], "answer_start": []}},
            r"x\.json:2: 1 answers with 0 offsets",
        ),
        ({"question_lang": "\ud800"}, r"x\.json:2: 'question_lang' holds half a surrogate pair"),
        (
            {"answer_pivot": {"text": ["\ud800"], "answer_start": [0]}},
            r"x\.json:2: 'text' holds half a surrogate pair",
        ),
    ],
)
def test_errors_name_the_line(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, record("0"), record("1") | row)


def test_an_empty_list_and_other_json_are_errors(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.json: no records"):
        read_afriqa((path,), "test", "twi")
    path.write_text("[]\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.json:1: of type list"):
        read_afriqa((path,), "test", "twi")


@pytest.mark.parametrize("home", ["afriqa", "afriqa/data"])
def test_layouts_and_pivots(tmp_path, home):
    card = load_card("afriqa")
    for language, pivot in (("wol", "fr"), ("swa", "en")):
        name = f"gold_span_passages.afriqa.{language}.{pivot}.dev.json"
        path = tmp_path / home / "gold_passages" / language / name
        path.parent.mkdir(parents=True)
        path.touch()
        assert card.find((tmp_path,), "validation", language) == (path,)
        assert card.find((tmp_path,), "test", language) == ()
    assert card.find((tmp_path,), "validation", "en") == ()
