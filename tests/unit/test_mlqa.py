"""MLQA: documents are the same in every language."""

import json

import pytest

from midway.errors import DataError
from midway.tasks import load_card

CARD = load_card("mlqa")


def article(title, *ids, text="Bob"):
    questions = [
        {"id": i, "question": f"{i}?", "answers": [{"text": text, "answer_start": 8}]} for i in ids
    ]
    return {"title": title, "paragraphs": [{"context": f"Ann met {text}.", "qas": questions}]}


def write(folder, language, *articles, home="mlqa/dev", part="dev", question=None):
    name = f"{part}-context-{language}-question-{question or language}.json"
    path = folder / home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path


def read(folder, language, split="validation"):
    return CARD.read(CARD.find((folder,), split, language), split, language)


def test_documents_are_the_english_titles(tmp_path):
    write(tmp_path, "en", article("Moon", "a", "b"), article("Sun", "c"))
    write(tmp_path, "de", article("Mond", "a"), article("Sonne", "c"))
    reading = read(tmp_path, "de")
    assert [(e.id, e.language, e.document) for e in reading.examples] == [
        ("a", "de", "Moon"),
        ("c", "de", "Sun"),
    ]
    assert not reading.warnings
    assert [e.document for e in read(tmp_path, "en").examples] == ["Moon", "Moon", "Sun"]


def test_questions_that_are_not_in_english_keep_their_title_and_are_warned_of(tmp_path):
    write(tmp_path, "en", article("Moon", "a"))
    write(tmp_path, "de", article("Mond", "a", "x"))
    reading = read(tmp_path, "de")
    assert [e.document for e in reading.examples] == ["Moon", "Mond"]
    (warning,) = reading.warnings
    assert "1 of 2 questions are not in the English file" in warning
    assert "dev-context-de-question-de.json" in warning


def test_without_the_english_file_there_is_a_warning(tmp_path):
    write(tmp_path, "de", article("Mond", "a"))
    reading = read(tmp_path, "de")
    assert len(CARD.find((tmp_path,), "validation", "de")) == 1
    assert [e.document for e in reading.examples] == ["Mond"]
    assert "1 of 1 questions" in reading.warnings[0]


@pytest.mark.parametrize("home", ["mlqa/test", "mlqa/MLQA_V1/test", "MLQA_V1/test"])
def test_layouts(tmp_path, home):
    english = write(tmp_path, "en", article("Moon", "a"), home=home, part="test")
    german = write(tmp_path, "de", article("Mond", "a"), home=home, part="test")
    assert CARD.find((tmp_path / "nothing", tmp_path), "test", "de") == (german, english)
    assert CARD.find((tmp_path,), "test", "en") == (english,)
    assert CARD.find((tmp_path,), "validation", "de") == ()
    assert CARD.find((tmp_path,), "test", "zh") == ()


def test_questions_in_another_language_than_the_passage_are_not_offered(tmp_path):
    write(tmp_path, "de", article("Mond", "a"), question="en")
    assert CARD.find((tmp_path,), "validation", "de") == ()


def test_files_without_answers_are_refused(tmp_path):
    write(tmp_path, "en", article("Moon", "a", text=""))
    with pytest.raises(DataError, match="XTREME's preparation removes the answers"):
        read(tmp_path, "en")


def test_a_damaged_english_file_is_an_error(tmp_path):
    write(tmp_path, "de", article("Mond", "a"))
    write(tmp_path, "en").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"dev-context-en-question-en\.json:1: not JSON"):
        read(tmp_path, "de")
