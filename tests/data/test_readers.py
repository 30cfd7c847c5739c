"""The readers on real benchmark files: counts that the publishers or the data's notes give."""

import hashlib
import os
import unicodedata
from pathlib import Path

import pytest

from midway.tasks import load_card
from midway.tasks.examples import QAExample, Reading
from midway.tasks.folds import fold_of
from midway.tasks.select import present, resolve_languages, select
from midway.tasks.sources import parse_folders, read_bytes

XQUAD = ("ar", "de", "el", "en", "es", "hi", "ro", "tr", "zh")
TYDIQA = dict(ar=921, bn=113, en=440, fi=782, id=565, ko=276, ru=812, sw=499, te=669)  # noqa: C408


def read(name, split, language):
    card = load_card(name)
    files = card.find(parse_folders(os.environ["MIDWAY_DATA"]), split, language)
    assert files, f"no files of {name} {split} {language}"
    return card.read(files, split, language)


def here(name):
    return present(load_card(name), parse_folders(os.environ["MIDWAY_DATA"]))


@pytest.mark.parametrize(
    ("name", "split", "language", "questions", "articles", "unanswerable"),
    [
        ("squad", "train", "en", 11_877, 44, 0),
        ("squad", "validation", "en", 10_570, 48, 0),
        ("squad-v2", "train", "en", 4_719, 10, 348),
        ("squad-v2", "validation", "en", 6_078, 16, 3_168),
        ("tydiqa", "train", "en", 3_696, 3_016, 0),
        ("tydiqa", "train", "ko", 1_625, 889, 0),
        ("tydiqa", "train", "sw", 2_755, 1_138, 0),
        *(
            ("tydiqa", "validation", language, number, None, 0)
            for language, number in TYDIQA.items()
        ),
        *(("xquad", "test", code, 1_190, 48, 0) for code in XQUAD),
    ],
)
def test_questions(name, split, language, questions, articles, unanswerable):
    reading = read(name, split, language)
    examples = reading.examples
    assert len(examples) == questions
    assert isinstance(reading, Reading)
    assert not reading.dropped
    assert not reading.repaired
    assert len({e.document for e in examples}) == articles or articles is None
    assert sum(not e.answers for e in examples) == unanswerable
    assert all(
        e.context[start : start + len(answer)] == answer
        for e in examples
        if isinstance(e, QAExample)
        for answer, start in zip(e.answers, e.starts, strict=True)
    )


def test_squad_development_answers_and_xquad_contamination():
    squad = read("squad", "validation", "en").examples
    assert sum(len(e.answers) for e in squad) == 34_726
    assert len({e.context for e in squad}) == 2_067
    paragraphs = {e.context for e in read("xquad", "test", "en").examples}
    assert len(paragraphs) == 240
    assert paragraphs <= {e.context for e in squad}
    assert not paragraphs & {e.context for e in read("squad", "train", "en").examples}


def test_xquad_is_parallel_and_its_folds_are_aligned():
    by_language = {code: read("xquad", "test", code).examples for code in here("xquad")["test"]}
    english = [(e.id, e.document) for e in by_language["en"]]
    assert all([(e.id, e.document) for e in each] == english for each in by_language.values())
    sizes = {fold: len(select(by_language["en"], fold=fold)) for fold in "AB"}
    assert sizes == {"A": 554, "B": 636}
    chosen = [
        {e.id for e in select(each, fold="B", per_language=50, seed=1)}
        for each in by_language.values()
    ]
    assert all(ids == chosen[0] for ids in chosen)


SENTENCES = {
    ("en", "train"): (12_543 + 3_753, 204_585 + 69_760),
    ("en", "test"): (2_077 + 890 + 1_000, 25_096 + 15_924 + 21_176),
    ("ar", "test"): (680 + 1_000, None),
    ("ar", "validation"): (909, None),
    ("et", "test"): (3_214 + 546, 48_491 + 10_088),
    ("mr", "train"): (373, 2_997),
    ("mr", "test"): (47, 412),
    ("pt", "test"): (1_204, 31_496),
    ("kmr", "test"): (734, 10_017),
    ("vi", "train"): (1_400, 20_285),
    ("ug", "test"): (900, 10_330),
    ("hi", "test"): (1_000, 23_829),
    ("he", "test"): (491, 12_284),
    ("kk", "train"): (31, 529),
    ("xav", "test"): (248, 2_239),
}


@pytest.mark.parametrize(("language", "split"), SENTENCES)
def test_treebanks(language, split):
    sentences, words = SENTENCES[language, split]
    reading = read("udpos", split, language)
    assert len(reading.examples) == sentences
    assert not reading.dropped
    assert words is None or sum(len(e.tokens) for e in reading.examples) == words


def test_every_treebank_can_be_read_and_ids_are_unique():
    labels = set(load_card("udpos").labels)
    tags = set()
    for split, languages in here("udpos").items():
        for language in languages:
            examples = read("udpos", split, language).examples
            assert len({e.id for e in examples}) == len(examples)
            assert all(len(e.tokens) == len(e.tags) > 0 for e in examples)
            tags |= {tag for e in examples for tag in e.tags}
    assert tags == labels


def test_marathi_words_have_forms():
    examples = read("udpos", "train", "mr").examples
    assert not any(token == "_" for e in examples for token in e.tokens)


def test_parallel_treebanks_share_documents():
    documents = {
        code: {e.document for e in read("udpos", "test", code).examples if "pud/" in e.document}
        for code in ("hi", "th", "en")
    }
    assert len(documents["hi"]) > 300
    assert documents["hi"] == documents["th"] == documents["en"]


def test_tatoeba():
    languages = here("tatoeba")["test"]
    assert len(languages) == 97
    sizes = {}
    for language in languages:
        reading = read("tatoeba", "test", language)
        assert not reading.dropped
        sizes[language] = len(reading.examples)
    assert min(sizes.values()) == 104
    assert max(sizes.values()) == 1_000
    assert [sizes[code] for code in ("ta", "th", "de", "af")] == [307, 548, 1_000, 1_000]
    german = read("tatoeba", "test", "de").examples
    assert german[0].english.isascii()
    assert any("LATIN SMALL LETTER U WITH DIAERESIS" in _names(e.sentence) for e in german)


def _names(text):
    return {unicodedata.name(letter, "") for letter in text}


def test_absent_languages_are_absent():
    assert "ru" not in here("xquad")["test"]
    assert here("tydiqa")["train"] == ["en", "ko", "sw"]
    folders = parse_folders(os.environ["MIDWAY_DATA"])
    assert resolve_languages(load_card("tydiqa"), ["swh", "tel"], folders, "validation") == [
        "sw",
        "te",
    ]


def test_files_are_those_of_the_checksum_list():
    root = Path(os.environ["MIDWAY_DATA"].split(":")[0])
    lines = (root / "SHA256SUMS").read_text(encoding="utf-8").split("\n")
    sums = {name.strip("* ./"): digest for digest, _, name in (x.partition(" ") for x in lines)}
    for name, split, language in (("squad", "train", "en"), ("udpos", "test", "mr")):
        (path,) = load_card(name).find((root,), split, language)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert sums[str(path.relative_to(root))] == digest
        assert len(read_bytes(path)) > path.stat().st_size


def test_folds_split_every_task_in_two():
    for name, split, language in (("squad", "train", "en"), ("tydiqa", "validation", "sw")):
        examples = read(name, split, language).examples
        share = sum(fold_of(e.document) == "A" for e in examples) / len(examples)
        assert 0.35 < share < 0.65  # documents differ in size
