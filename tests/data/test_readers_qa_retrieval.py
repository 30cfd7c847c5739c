"""MLQA, AfriQA and LAReQA on the real files: counts, traps, and what is parallel."""

import gzip
import json
import os

from midway.tasks import load_card
from midway.tasks.folds import fold_of
from midway.tasks.readers.afriqa import NO_PASSAGE
from midway.tasks.readers.sentences import sentence_spans
from midway.tasks.readers.squad_json import NO_SPAN, NOT_FOUND, REFOUND
from midway.tasks.select import present, select
from midway.tasks.sources import parse_folders

MLQA = {"en": 1_148, "ar": 517, "de": 512, "es": 500, "hi": 507, "vi": 511, "zh": 504}
SENTENCES = {
    "ar": 1_222, "de": 1_276, "el": 1_234, "en": 1_180, "es": 1_215, "hi": 1_244, "ru": 1_219,
    "th": 852, "tr": 1_167, "vi": 1_209, "zh": 1_196,
}  # fmt: skip
HERE = ("ar", "de", "el", "en", "es", "hi", "tr", "zh")
RECORDS = {"train": 2_171, "validation": 1_928, "test": 3_111}


def folders():
    return parse_folders(os.environ["MIDWAY_DATA"])


def read(name, split, language):
    card = load_card(name)
    return card.read(card.find(folders(), split, language), split, language)


def test_mlqa():
    english = {e.id: e.document for e in read("mlqa", "validation", "en").examples}
    for language, number in MLQA.items():
        reading = read("mlqa", "validation", language)
        assert len(reading.examples) == number
        assert not (reading.dropped or reading.repaired or reading.warnings)
        assert all(english[e.id] == e.document for e in reading.examples)
    assert present(load_card("mlqa"), folders())["test"] == []


def test_mlqa_passages_are_in_the_language():
    assert any(
        "ü" in e.context and "ü" in e.question for e in read("mlqa", "validation", "de").examples
    )
    for e in read("mlqa", "validation", "zh").examples:
        assert not e.question.isascii()


def test_afriqa_counts():
    records, passages, found = {}, 0, 0
    for split, languages in present(load_card("afriqa"), folders()).items():
        for language in languages:
            reading = read("afriqa", split, language)
            passages += reading.dropped[NO_PASSAGE]
            found += reading.repaired[REFOUND] + reading.repaired[NO_SPAN]
            found += reading.dropped[NOT_FOUND]
            total = len(reading.examples) + reading.dropped.total()
            records[split] = records.get(split, 0) + total
            assert not reading.dropped or set(reading.dropped) <= {NO_PASSAGE, NOT_FOUND}
    assert records == RECORDS
    assert passages == 156  # null in 153 records, blank in three
    assert found == 530  # two more among the records without a passage


def test_afriqa_languages():
    here = present(load_card("afriqa"), folders())
    assert here["test"] == ["bem", "fon", "hau", "ibo", "kin", "swa", "twi", "yor", "zul"]
    assert "swa" not in here["train"]
    assert "yor" not in here["validation"]
    french = read("afriqa", "test", "fon").examples
    assert sum(" est " in e.context for e in french) > 300
    assert all(e.language == "fon" for e in french)


def test_lareqa_counts():
    assert sum(SENTENCES.values()) == 13_014
    ids = None
    for language in HERE:
        reading = read("lareqa", "test", language)
        assert not reading.dropped
        queries = [e for e in reading.examples if e.side == "query"]
        candidates = [e for e in reading.examples if e.side == "candidate"]
        assert (len(queries), len(candidates)) == (1_190, SENTENCES[language])
        assert len({e.context for e in candidates}) == 240
        assert sum(len(e.keys) for e in candidates) == 1_190  # one right sentence a question
        assert all(e.text in e.context for e in candidates)
        shared = [(e.id, e.document) for e in queries]
        ids = ids or shared
        assert shared == ids


def test_lareqa_answers_are_in_their_sentence():
    reading = read("lareqa", "test", "en")
    holder = {key: e for e in reading.examples if e.side == "candidate" for key in e.keys}
    crossing = 0
    for question in read("xquad", "test", "en").examples:
        crossing += question.answers[0] not in holder[question.id].text
    assert crossing == 3


def test_lareqa_training_pairs():
    reading = read("lareqa", "train", "en")
    questions = {e.id: e for e in read("squad", "train", "en").examples}
    queries = [e for e in reading.examples if e.side == "query"]
    assert [e.id for e in queries] == list(questions)
    holder = {key: e for e in reading.examples if e.side == "candidate" for key in e.keys}
    assert set(holder) == set(questions)
    for identity, question in questions.items():
        assert question.answers[0].strip() in holder[identity].text
        assert holder[identity].context == question.context
        assert holder[identity].document == question.document
    chosen = select(reading.examples, total=100)
    assert sum(e.side == "query" for e in chosen) == 100
    known = {key for e in chosen if e.side == "candidate" for key in e.keys}
    assert {e.id for e in chosen if e.side == "query"} <= known


def test_lareqa_folds_keep_questions_and_sentences_together():
    reading = read("lareqa", "test", "de")
    for fold in "AB":
        part = [e for e in reading.examples if fold_of(e.document) == fold]
        keys = {key for e in part if e.side == "candidate" for key in e.keys}
        assert {e.id for e in part if e.side == "query"} == keys
        assert keys


def test_sentence_rules_against_the_publishers_sentences():
    (path,) = load_card("lareqa").find(folders(), "test", "en")
    document = json.loads(gzip.decompress(path.read_bytes()))
    right = total = 0
    for article in document["data"]:
        for paragraph in article["paragraphs"]:
            mine = set(sentence_spans(paragraph["context"]))
            theirs = {tuple(span) for span in paragraph["sentence_breaks"]}
            right += len(mine & theirs)
            total += len(theirs)
    assert total == 1_180
    assert right == 1_167
