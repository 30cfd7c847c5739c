"""Mewsli-X: mentions, candidates by language of their description, training pairs."""

import json

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.mewslix import (
    ACROSS,
    NO_CANDIDATE,
    NO_DESCRIPTION,
    NO_ENTITY,
    OTHER_ENTITY,
    OTHER_MENTION,
    REFOUND,
    read_mewslix,
)

CARD = load_card("mewslix")
TEXT = "Storm news. In {old} Lima\n it  rained. Bye."
SPANS = [(0, 11), (12, 38), (39, 43)]


def spans(pairs):
    return [{"start": begin, "end": end} for begin, end in pairs]


def context(language="es", text=TEXT, sentences=SPANS, **fields):
    return {"language": language, "text": text, "sentence_spans": spans(sentences), **fields}


def mention(identity="m1", entity="Q1", text="Lima", start=21):
    span = {"start": start, "end": start + len(text), "text": text}
    return {"example_id": identity, "entity_id": entity, "mention_span": span}


def article(*mentions, **fields):
    return {"context": context(**fields), "mentions": list(mentions)}


def entity(identity="Q1", language="id", description="Lima ada. Di Peru.", **fields):
    sentences = [(0, 9), (10, 18)] if len(description) > 17 else [(0, len(description))]
    return {
        "entity_id": identity,
        "title": "Lima",
        "description": description,
        "description_language": language,
        "sentence_spans": spans(sentences) if description else [],
        **fields,
    }


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def files(folder, articles, entities, *, part="test"):
    return (
        write(folder / f"mewslix/wikinews_mentions-{part}.jsonl", *articles),
        write(folder / "mewslix/candidate_set_entities.jsonl", *entities),
    )


def test_a_query_is_the_marked_sentence_and_a_candidate_a_description(tmp_path):
    paths = files(
        tmp_path,
        [article(mention(), mention("m2", "Q2", "news", 6)), article(mention("m3"), language="de")],
        [entity(), entity("Q2", "es", "Noticia."), entity("Q3", "en", "x")],
    )
    reading = read_mewslix(paths, "test", "es")
    first, second, candidate = reading.examples
    assert first.text == "Lima: In (old) { Lima } it rained."
    assert second.text == "news: Storm { news } ."
    assert (first.id, first.language, first.side) == ("m1", "es", "query")
    assert (first.document, first.keys, first.context) == ("Q1", ("Q1",), "")
    assert (candidate.side, candidate.id, candidate.keys) == ("candidate", "Q2", ("Q2",))
    assert (candidate.text, candidate.document) == ("Noticia.", "Q2")
    assert reading.dropped == {OTHER_MENTION: 1, OTHER_ENTITY: 2}
    assert not reading.repaired
    assert not reading.warnings


def test_all_languages_together_have_every_row_once(tmp_path):
    codes = [*CARD.languages, "es", "ht"]
    entities = [entity(f"Q{n}", code) for n, code in enumerate(codes)]
    files(tmp_path, [article(mention(code), language=code) for code in codes[:11]], entities)
    found = []
    for code in CARD.languages:
        paths = CARD.find((tmp_path,), "test", code)
        assert len(paths) == 1 + (code in codes[:11])
        reading = CARD.read(paths, "test", code)
        assert all(e.language == code for e in reading.examples)
        assert not reading.warnings
        found += [(e.side, e.id) for e in reading.examples]
    assert sorted(found) == sorted(
        [("candidate", f"Q{n}") for n in range(52)] + [("query", code) for code in codes[:11]]
    )


def test_a_language_that_is_written_in_escapes_is_read_once(tmp_path):
    articles, candidates = files(tmp_path, [article(mention())], [entity()])
    text = candidates.read_text(encoding="utf-8")
    candidates.write_text(text.replace('"id"', '"\\u0069d"'), encoding="utf-8")
    assert [e.id for e in read_mewslix((candidates,), "test", "id").examples] == ["Q1"]
    reading = read_mewslix((articles, candidates), "test", "es")
    assert [e.id for e in reading.examples] == ["m1"]
    assert reading.dropped == {OTHER_ENTITY: 1}


def test_offsets_are_found_again_and_sentences_joined(tmp_path):
    row = article(mention("a", start=20), mention("b", "Q1", "news. In", 6))
    reading = read_mewslix(files(tmp_path, [row], [entity()]), "test", "es")
    assert [e.text for e in reading.examples] == [
        "Lima: In (old) { Lima } it rained.",
        "news. In: Storm { news. In } (old) Lima it rained.",
    ]
    assert reading.repaired == {REFOUND: 1, ACROSS: 1}


def test_a_mention_outside_all_sentences_stands_alone(tmp_path):
    row = article(mention(), sentences=[(0, 11)])
    reading = read_mewslix(files(tmp_path, [row], [entity()]), "test", "es")
    assert reading.examples[0].text == "Lima: { Lima }"
    assert reading.repaired == {ACROSS: 1}


def test_entities_that_are_no_candidates_are_warned_of(tmp_path):
    row = article(mention(), mention("m2", "Q9"))
    reading = read_mewslix(files(tmp_path, [row], [entity()]), "test", "es")
    assert len(reading.examples) == 2
    (warning,) = reading.warnings
    assert "candidate_set_entities.jsonl: 1 of 2 mentions in es" in warning


def test_what_is_blank_is_counted(tmp_path):
    row = article(mention(), mention("m2", ""))
    paths = files(tmp_path, [row], [entity(), entity("Q2", "es", ""), entity("Q3", "es")])
    reading = read_mewslix(paths, "test", "es")
    assert [e.id for e in reading.examples] == ["m1", "Q3"]
    assert reading.dropped == {NO_ENTITY: 1, OTHER_ENTITY: 1, NO_DESCRIPTION: 1}


def test_xtremes_files_without_entities_are_refused(tmp_path):
    paths = files(tmp_path, [article(mention(entity=""))], [entity()])
    with pytest.raises(DataError, match="all 1 mentions in es are without their entity; XTREME"):
        read_mewslix(paths, "test", "es")


def test_published_files_without_texts_are_refused(tmp_path):
    paths = files(tmp_path, [article(mention(), text="", sentences=[])], [entity()])
    with pytest.raises(DataError, match=r"test\.jsonl:1: the article has no text.*get-mewsli-x"):
        read_mewslix(paths, "test", "es")


def pair(identity="m1", entity_id="Q1", language="en", said="Q1", **fields):
    both = {"context": context(language), "mention": mention(identity, said)}
    return {"contextual_mention": both, "entity": entity(entity_id, "en", **fields)}


def test_training_pairs(tmp_path):
    path = tmp_path / "mewslix/wikipedia_pairs-train.jsonl"
    write(path, pair(), pair("m2"), pair("m3", "Q2", said="Q2"))
    assert CARD.find((tmp_path,), "train", "en") == (path,)
    assert CARD.find((tmp_path,), "train", "es") == ()
    examples = CARD.read((path,), "train", "en").examples
    assert [(e.side, e.id, e.keys, e.document) for e in examples] == [
        ("query", "m1", ("Q1",), "Q1"),
        ("candidate", "Q1", ("Q1",), "Q1"),
        ("query", "m2", ("Q1",), "Q1"),
        ("query", "m3", ("Q2",), "Q2"),
        ("candidate", "Q2", ("Q2",), "Q2"),
    ]
    assert examples[1].text == "Lima ada. Di Peru."
    write(path, pair(description=""), pair("m2"))
    reading = CARD.read((path,), "train", "en")
    assert [e.id for e in reading.examples] == ["m2", "Q1"]
    assert reading.dropped == {NO_CANDIDATE: 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (pair(entity_id="Q2"), r":2: the mention stands for 'Q1', the entity is 'Q2'"),
        (pair(language="de"), r":2: language 'de' is unknown.* Expected: en"),
        (pair("m0"), r":2: the example_id 'm0' occurs twice"),
        ({"entity": {}}, r":2: 'contextual_mention' is missing"),
        (pair() | {"entity": 3}, r":2: of type int, expected an object with 'entity_id'"),
        (pair(sentence_spans=[{"start": 0}]), r"spans\[0\]: 'end' is missing, expected a whole"),
        (pair(sentence_spans=[[0, 9]]), r"spans\[0\]: of type list, expected an object"),
        (pair(sentence_spans=spans([(0, 99)])), r"spans\[0\] is 0 to 99, expected a part of"),
    ],
)
def test_errors_in_pairs(tmp_path, row, message):
    path = write(tmp_path / "wikipedia_pairs-train.jsonl", pair("m0"), row)
    with pytest.raises(DataError, match=message):
        read_mewslix((path,), "train", "en")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (article(mention(), language="xx"), r"test\.jsonl:1: language 'xx' is unknown"),
        (article(mention(), mention()), r"test\.jsonl:1: the example_id 'm1' occurs twice"),
        (article(mention(text="Rome")), r"test\.jsonl:1: the mention 'Rome' is not in its article"),
        (article(mention(text=" ")), r"test\.jsonl:1: 'text' is blank"),
        (article("m1"), r"test\.jsonl:1: of type str, expected an object with 'example_id'"),
        (article(mention(7)), r"test\.jsonl:1: 'example_id' is of type int"),
        (article(mention("\ud800")), r"test\.jsonl:1: 'example_id' holds half a surrogate pair"),
        (article(mention(), language="de"), r"test\.jsonl: no mention in 'es'"),
        (article(), r"test\.jsonl: no mention in 'es'"),
    ],
)
def test_errors_in_mentions(tmp_path, row, message):
    path = write(tmp_path / "wikinews_mentions-test.jsonl")
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    candidates = write(tmp_path / "candidate_set_entities.jsonl", entity())
    with pytest.raises(DataError, match=message):
        read_mewslix((path, candidates), "test", "es")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps(entity(language="xx")).encode(), r":1: language 'xx' is unknown"),
        (json.dumps(entity(language=None)).encode(), r":1: language None is unknown"),
        (json.dumps(entity(" ")).encode(), r":1: 'entity_id' is blank"),
        ((json.dumps(entity()) + "\n").encode() * 2, r":2: the entity_id 'Q1' occurs twice"),
        (b'\n{"a": \xff}\n', r":2: not UTF-8 \(invalid start byte\)"),
        (b"{\n", r":1: not JSON"),
        (b"[]\n", r":1: of type list"),
        (b"\n\n", r": no entities"),
    ],
)
def test_errors_in_candidates(tmp_path, content, message):
    path = tmp_path / "candidate_set_entities.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"candidate_set_entities\.jsonl" + message):
        read_mewslix((path,), "test", "id")


def test_candidates_are_needed(tmp_path):
    path = write(tmp_path / "mewslix/wikinews_mentions-dev.jsonl", article(mention()))
    found = CARD.find((tmp_path,), "validation", "es")
    assert found == (path,)
    assert CARD.find((tmp_path,), "validation", "id") == ()
    with pytest.raises(DataError, match=r"dev\.jsonl: no candidate_set_entities\.jsonl beside it"):
        CARD.read(found, "validation", "es")


@pytest.mark.parametrize(
    ("home", "name"),
    [
        ("mewslix", "wikinews_mentions-dev.jsonl"),
        ("mewslix", "wikinews_mentions/dev-es.jsonl"),
        ("mewsli-x", "wikinews_mentions-dev.jsonl"),
        ("mewsli_x/output/dataset", "wikinews_mentions-dev.jsonl"),
    ],
)
def test_layouts(tmp_path, home, name):
    mentions = write(tmp_path / home / name, article(mention()))
    candidates = write(tmp_path / home / "candidate_set_entities.jsonl", entity())
    assert CARD.find((tmp_path / "no", tmp_path), "validation", "es") == (mentions, candidates)
    assert CARD.find((tmp_path,), "validation", "id") == (candidates,)
    assert CARD.find((tmp_path,), "test", "id") == ()
    reading = CARD.read((mentions, candidates), "validation", "es")
    assert [e.id for e in reading.examples] == ["m1"]
