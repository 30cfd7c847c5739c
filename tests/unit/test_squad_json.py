"""SQuAD's JSON: spans, languages, unanswerable questions, damaged files."""

import json

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.squad_json import (
    LEFT_OUT,
    NO_ANSWER,
    NO_SPAN,
    NOT_FOUND,
    OTHER_LANGUAGE,
    REFOUND,
    nearest,
    read_squad,
)

CONTEXT = "Tom met Ann. Ann met Bob."


def question(identity="q1", answers=(("Bob", 21),), **fields):
    return {
        "id": identity,
        "question": "Who?",
        "answers": [{"text": text, "answer_start": start} for text, start in answers],
        **fields,
    }


def write(path, *questions, context=CONTEXT, **article):
    document = {"data": [{"paragraphs": [{"context": context, "qas": list(questions)}], **article}]}
    path.write_text(json.dumps(document), encoding="utf-8")
    return (path,)


def test_a_question_becomes_an_example_without_version_key(tmp_path):
    files = write(tmp_path / "x.json", question(answers=[("Bob", 21), ("Ann", 8)]), title="People")
    reading = read_squad(files, "test", "en")
    (example,) = reading.examples
    assert (example.id, example.language, example.document) == ("q1", "en", "People")
    assert (example.context, example.question) == (CONTEXT, "Who?")
    assert (example.answers, example.starts) == (("Bob", "Ann"), (21, 8))
    assert not reading.dropped
    assert not reading.repaired


def test_offsets_are_characters_not_bytes(tmp_path):
    files = write(tmp_path / "x.json", question(answers=[("東京", 2)]), context="𝒳は東京だ")
    assert read_squad(files, "train", "ja").examples[0].starts == (2,)


def test_wrong_offset_is_refound_at_the_nearest_occurrence(tmp_path):
    files = write(tmp_path / "x.json", question(answers=[("Ann", 12), ("Ann", 7), ("Bob", -3)]))
    reading = read_squad(files, "train", "en")
    assert reading.examples[0].starts == (13, 8, 21)
    assert reading.repaired == {REFOUND: 3}


@pytest.mark.parametrize(
    ("start", "expected"), [(0, 0), (4, 0), (6, 10), (10, 10), (9999, 10), (-8, 0)]
)
def test_nearest(start, expected):
    assert nearest("ab........ab", "ab", start) == expected
    assert nearest("ab", "c", start) == -1


def test_nearest_tie_takes_the_earlier():
    assert nearest("a..a", "a", 1) == 0
    assert nearest("a.a", "a", 1) == 0


def test_answer_that_is_not_in_the_context(tmp_path):
    lost, half = question("lost", [("Eve", 3)]), question("half", [("Eve", 3), ("Bob", 21)])
    files = write(tmp_path / "x.json", lost, half)
    train = read_squad(files, "train", "en")
    assert [(e.id, e.answers, e.starts) for e in train.examples] == [("half", ("Bob",), (21,))]
    assert train.dropped == {NOT_FOUND: 1}
    assert train.repaired == {LEFT_OUT: 1}
    test = read_squad(files, "test", "en")
    assert [(e.answers, e.starts) for e in test.examples] == [
        (("Eve",), (-1,)),
        (("Eve", "Bob"), (-1, 21)),
    ]
    assert test.repaired == {NO_SPAN: 2}


def test_unanswerable_questions_belong_to_v2_only(tmp_path):
    impossible = question("no", [], is_impossible=True, plausible_answers=[])
    files = write(tmp_path / "x.json", impossible, question("yes", is_impossible=False))
    reading = load_card("squad-v2").read(files, "train", "en")
    assert [(e.id, e.answers, e.starts) for e in reading.examples] == [
        ("no", (), ()),
        ("yes", ("Bob",), (21,)),
    ]
    with pytest.raises(DataError, match=r"qas\[0\] has no answer .*squad-v2"):
        load_card("squad").read(files, "train", "en")


def test_question_without_answers_is_counted(tmp_path):
    files = write(tmp_path / "x.json", question("a", []), question("b"))
    reading = read_squad(files, "validation", "en")
    assert [e.id for e in reading.examples] == ["b"]
    assert reading.dropped == {NO_ANSWER: 1}


def test_answers_blanked_by_xtreme_are_refused(tmp_path):
    files = write(tmp_path / "x.json", question("a", [("", 0)]), question("b", [("", 0)]))
    with pytest.raises(DataError, match=r"x\.json: all 2 questions have blank answers; XTREME"):
        read_squad(files, "test", "de")


def test_documents_without_titles_go_by_position(tmp_path):
    files = write(tmp_path / "x.json", question())
    assert read_squad(files, "test", "en").examples[0].document == "article-0"


def test_english_tydiqa_file_with_all_languages_is_caught(tmp_path):
    folder = tmp_path / "tydiqa-goldp"
    folder.mkdir()
    ids = ["english--12-1", "finnish-3-0", "telugu-4-2", "english-5-1"]
    write(folder / "english_tydiqa_train.json", *map(question, ids))
    card = load_card("tydiqa")
    files = card.find((tmp_path,), "train", "en")
    reading = card.read(files, "train", "en")
    assert [e.id for e in reading.examples] == ["english--12-1", "english-5-1"]
    assert reading.dropped == {OTHER_LANGUAGE: 2}
    with pytest.raises(DataError, match=r"no question in 'sw' \(4 in other languages"):
        card.read(files, "train", "sw")


def test_tydiqa_ids_without_a_language_are_refused(tmp_path):
    files = write(tmp_path / "x.json", question("12"))
    with pytest.raises(DataError, match=r"qas\[0\]\.id is '12', which does not begin with"):
        load_card("tydiqa").read(files, "train", "en")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answers": None}, r"qas\[0\]\.answers is missing, expected a list"),
        ({"answers": {}}, r"qas\[0\]\.answers is of type dict"),
        ({"answers": [7]}, r"answers\[0\] is of type int, expected an object"),
        ({"answers": [{"text": "Bob"}]}, r"answers\[0\]\.answer_start is None"),
        ({"answers": [{"text": "Bob", "answer_start": True}]}, "expected an integer"),
        ({"answers": [{"text": 5, "answer_start": 0}]}, r"answers\[0\]\.text is of type int"),
        ({"id": 5}, r"qas\[0\]\.id is of type int, expected a string"),
        ({"question": None}, r"qas\[0\]\.question is missing"),
        ({"question": "\ud800"}, "half a surrogate pair"),
        ({"is_impossible": "no"}, "is_impossible is 'no', expected true or false"),
        ({"is_impossible": True}, "is marked is_impossible and yet has 1 answers, expected none"),
    ],
)
def test_wrong_fields_name_their_place(tmp_path, change, message):
    files = write(tmp_path / "x.json", {**question(), **change})
    with pytest.raises(DataError, match=r"x\.json: data\[0\]\.paragraphs\[0\]\..*" + message):
        read_squad(files, "train", "en", unanswerable=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"data": [\n{"paragraphs": oops}]}', r"x\.json:2: not JSON"),
        ("[" * 100_000, "not usable JSON|not JSON"),
        ("[]", "the document is of type list, expected an object"),
        ('{"rows": []}', "data is missing, expected a list"),
        ('{"data": []}', "no question in 'en'; expected SQuAD's JSON"),
        ('{"data": [{"title": 5, "paragraphs": []}]}', r"data\[0\]\.title is of type int"),
    ],
)
def test_other_documents(tmp_path, text, message):
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_squad((path,), "train", "en")


def test_an_id_that_occurs_twice(tmp_path):
    files = write(tmp_path / "x.json", question(), question())
    with pytest.raises(DataError, match=r"qas\[1\]\.id 'q1' occurs twice"):
        read_squad(files, "train", "en")
