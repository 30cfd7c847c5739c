"""LAReQA: queries, candidates and their keys; training pairs from SQuAD."""

import json

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.lareqa import OUTSIDE, read_lareqa
from midway.tasks.readers.squad_json import NOT_FOUND, REFOUND

TEXT = "Ann met Bob. Bob left at 5 p.m. today. Nobody saw it."
BREAKS = [[0, 12], [13, 38], [39, 53]]


def question(identity, text, start):
    return {
        "id": identity,
        "question": f"{identity}?",
        "answers": [{"text": text, "answer_start": start}],
    }


def write(folder, *questions, breaks=BREAKS, text=TEXT, name="lareqa/xquad-r/de.json"):
    paragraph = {"context": text, "qas": list(questions)}
    if breaks is not None:
        paragraph["sentence_breaks"] = breaks
    other = {"context": "Only this.", "qas": [], "sentence_breaks": [[0, 10]]}
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"data": [{"title": "People", "paragraphs": [paragraph, other]}]}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def read(folder, *questions, **more):
    return read_lareqa((write(folder, *questions, **more),), "test", "de")


def test_every_question_is_a_query_and_every_sentence_a_candidate(tmp_path):
    reading = read(
        tmp_path, question("a", "Bob", 8), question("b", "5 p.m.", 25), question("c", "today", 32)
    )
    queries = [e for e in reading.examples if e.side == "query"]
    candidates = [e for e in reading.examples if e.side == "candidate"]
    assert reading.examples == queries + candidates
    assert [(e.id, e.text, e.context, e.keys) for e in queries] == [
        ("a", "a?", "", ("a",)),
        ("b", "b?", "", ("b",)),
        ("c", "c?", "", ("c",)),
    ]
    assert [(e.id, e.text, e.keys) for e in candidates] == [
        ("0-0", "Ann met Bob.", ("a",)),
        ("0-1", "Bob left at 5 p.m. today.", ("b", "c")),
        ("0-2", "Nobody saw it.", ()),
        ("1-0", "Only this.", ()),
    ]
    assert [e.context for e in candidates] == [TEXT] * 3 + ["Only this."]
    assert {(e.language, e.document) for e in reading.examples} == {("de", "People")}


def test_the_sentence_is_the_one_where_the_answer_begins(tmp_path):
    reading = read(tmp_path, question("a", "Bob. Bob left", 8))
    assert [e.id for e in reading.examples if e.side == "candidate" and e.keys] == ["0-0"]


def test_answers_outside_are_counted_and_offsets_found_again(tmp_path):
    reading = read(
        tmp_path,
        question("a", "Bob", 9),
        question("b", "Zoe", 0),
        question("c", "saw", 46),
        breaks=BREAKS[:2],
    )
    assert [e.id for e in reading.examples if e.side == "query"] == ["a"]
    assert reading.dropped == {NOT_FOUND: 1, OUTSIDE: 1}
    assert reading.repaired == {REFOUND: 1}


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        (None, r"paragraphs\[0\]: no 'sentence_breaks'; this looks like XQuAD's own file"),
        ({}, r"'sentence_breaks' is of type dict, expected a list"),
        ([[0, 12], [11, 38]], r"sentence_breaks\[1\] is \[11, 38\], expected begin and end"),
        ([[0, 54]], r"sentence_breaks\[0\] is \[0, 54\].* within 53 characters"),
        ([[3, 3]], r"sentence_breaks\[0\] is \[3, 3\]"),
        ([[0, True]], r"sentence_breaks\[0\] is \[0, True\]"),
        ([7], r"sentence_breaks\[0\] is 7"),
        ([[0, 12, 13]], r"sentence_breaks\[0\] is \[0, 12, 13\]"),
        ([[12, 13]], r"sentence_breaks\[0\] is a sentence of white space"),
    ],
)
def test_wrong_breaks(tmp_path, breaks, message):
    with pytest.raises(DataError, match=rf"de\.json: .*{message}"):
        read(tmp_path, question("a", "Bob", 8), breaks=breaks)


def test_training_pairs(tmp_path):
    path = write(
        tmp_path,
        question("a", "Ann", 0),
        question("b", "met", 4),
        question("c", "5 p.m.", 25),
        question("d", "Zoe", 0),
        breaks=None,
        name="squad/train-v1.1.subset.json",
    )
    card = load_card("lareqa")
    assert card.find((tmp_path,), "train", "en") == (path,)
    assert card.find((tmp_path,), "train", "de") == ()
    reading = card.read((path,), "train", "en")
    assert reading.dropped == {NOT_FOUND: 1}
    assert [(e.side, e.id, e.keys) for e in reading.examples] == [
        ("query", "a", ("a",)),
        ("query", "b", ("b",)),
        ("query", "c", ("c",)),
        ("candidate", "0-0", ("a", "b")),
        ("candidate", "0-1", ("c",)),
    ]
    candidate = reading.examples[-1]
    assert (candidate.text, candidate.context) == ("Bob left at 5 p.m. today.", TEXT)
    assert {(e.document, e.language) for e in reading.examples} == {("People", "en")}


def test_a_training_answer_joins_the_sentences_that_it_crosses(tmp_path):
    path = write(tmp_path, question("a", "Bob. Bob", 8), question("b", "Nobody", 39))
    candidates = [e for e in read_lareqa((path,), "train", "en").examples if e.side == "candidate"]
    assert [e.text for e in candidates] == ["Ann met Bob. Bob left at 5 p.m. today.", TEXT[39:]]


@pytest.mark.parametrize(
    "home", ["lareqa/xquad-r", "lareqa/lareqa-master/xquad-r", "lareqa-master/xquad-r", "xquad-r"]
)
def test_layouts(tmp_path, home):
    path = write(tmp_path, name=f"{home}/th.json")
    card = load_card("lareqa")
    assert card.find((tmp_path,), "test", "th") == (path,)
    assert card.find((tmp_path,), "test", "ro") == card.find((tmp_path,), "train", "en") == ()
    assert card.find((tmp_path,), "validation", "th") == ()
