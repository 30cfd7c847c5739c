"""The sampler: gold is exact, content is parallel, splits are apart, and nothing moves."""

import json
import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from midway.canonical import digest
from midway.families import span_qa
from midway.languages import is_low_resource, lookup
from midway.tasks import load_card
from midway.tasks.sampler import lexicon as lexicons
from midway.tasks.sampler import render, world
from midway.tasks.sampler.generate import LABELS

# After a change that is meant: raise world.VERSION and write the new digests here.
DIGESTS = Path(__file__).with_name("sampler_digests.json")
LANGUAGES = lexicons.languages()
TASKS = ("sampler-qa", "sampler-ner", "sampler-pairs")
SIGNS = set("0123456789 .,?？。,،؟।'’-·¿«»，") | {"\N{ZERO WIDTH NON-JOINER}"}
SCRIPTS = {
    "Latn": "LATIN",
    "Cyrl": "CYRILLIC",
    "Arab": "ARABIC",
    "Deva": "DEVANAGARI",
    "Hans": "CJK",
    "Telu": "TELUGU",
}


@cache
def examples(task, split, language):
    card = load_card(task)
    reading = card.read(card.find((), split, language), split, language)
    assert not reading.dropped
    return reading.examples


def texts(language):
    yield from (e.context for e in examples("sampler-qa", "test", language))
    yield from (e.question for e in examples("sampler-qa", "train", language))
    if language != "en":
        yield from (e.sentence for e in examples("sampler-pairs", "test", language))


def test_enough_languages_scripts_and_poor_languages():
    structure = lexicons.read_structure(lexicons.STRUCTURE)
    scripts = {
        lexicons.read_lexicon(lexicons.LEXICONS / f"{code}.json", structure).script
        for code in LANGUAGES
    }
    assert len(LANGUAGES) >= 14
    assert len(scripts) >= 6
    assert sum(is_low_resource(code) is True for code in LANGUAGES) >= 5
    sizes = {
        name: len({item for part in splits.values() for item in part})
        for name, splits in structure.items.items()
    }
    assert sizes["given"] >= 30
    assert sizes["place"] >= 20
    assert sizes["profession"] >= 15
    assert sizes["thing"] >= 15


@pytest.mark.parametrize("task", TASKS)
def test_cards_say_what_there_is(task):
    card = load_card(task)
    for split in ("train", "validation", "test"):
        assert bool(card.find((), split, "de")) == (split in card.splits)
    assert card.find((), "test", "xx") == ()
    assert card.find((), "test", card.languages[0])[0] == lexicons.STRUCTURE
    for split in card.splits:
        asked = {"train": 4000, "validation": 500, "test": 300 if "pairs" in task else 500}
        assert len(examples(task, split, card.languages[0])) == asked[split]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_moves(language):
    pinned = json.loads(DIGESTS.read_text(encoding="utf-8"))
    found = {
        f"{task} {split}": digest(examples(task, split, language)[:50])
        for task in TASKS
        for split in load_card(task).splits
        if language in load_card(task).languages
    }
    assert found == pinned[language]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", world.SIZES["qa"])
def test_answers_stand_where_they_are_said_to_and_nowhere_else(language, split):
    spaced = language != "zh"
    for example in examples("sampler-qa", split, language):
        (answer,), (start,) = example.answers, example.starts
        end = start + len(answer)
        assert example.context[start:end] == answer
        assert example.context.count(answer) == 1, example
        if spaced:
            edges = render.tokenize(example.context, spaced=True)
            assert start in {a for a, _ in edges}
            assert end in {b for _, b in edges}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_does_not_give_the_answer_away(language):
    for example in examples("sampler-qa", "test", language):
        assert example.answers[0] not in example.question, example


@pytest.mark.parametrize("task", TASKS)
def test_content_is_parallel(task):
    card = load_card(task)
    ids = {
        language: [(e.id, e.document) for e in examples(task, "test", language)]
        for language in card.languages
    }
    assert len({tuple(of) for of in ids.values()}) == 1
    assert len(set(ids["de"])) == len(ids["de"])
    assert ids["de"][0][1] == "d-test-0000"


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_parallel_to_english(language):
    digits = re.compile(r"\d+")
    pairs = zip(
        examples("sampler-qa", "test", language),
        examples("sampler-qa", "test", "en"),
        strict=True,
    )
    for here, english in pairs:
        assert sorted(digits.findall(here.context)) == sorted(digits.findall(english.context))
        if here.id.rsplit("-")[-1] == "count":
            assert digits.findall(here.answers[0]) == digits.findall(english.answers[0])


def test_capabilities_are_spread():
    found = {}
    for example in examples("sampler-qa", "test", "en"):
        name = example.id.rsplit("-", 1)[1]
        found[name] = found.get(name, 0) + 1
    assert set(found) == {"who", "where", "what", "when", "count", "comparison", "negation"}
    assert min(found.values()) >= 25
    sizes = {e.context.count(". ") + 1 for e in examples("sampler-qa", "test", "en")}
    assert sizes == {3, 4, 5, 6}


def test_comparison_and_negation_are_true():
    structure = lexicons.read_structure(lexicons.STRUCTURE)
    for problem in world.problems(structure, "test"):
        key = problem.facts[problem.key]
        if problem.question in ("has_most", "has_fewest"):
            numbers = [int(fact["n"]) for fact in problem.facts if fact.kind == "has"]
            best = max(numbers) if problem.question == "has_most" else min(numbers)
            assert int(key["n"]) == best
            assert numbers.count(best) == 1
        if problem.question == "speaks_not_who":
            lacking = [
                fact["person"]
                for fact in problem.facts
                if fact.kind == "speaks_not" and fact["tongue"] == key["tongue"]
            ]
            assert lacking == [key["person"]]


def test_splits_share_no_name_place_or_company_and_training_lacks_two_word_orders():
    structure = lexicons.read_structure(lexicons.STRUCTURE)
    used = {}
    templates = {}
    for split in world.SIZES["qa"]:
        facts = [f for p in world.problems(structure, split) for f in p.facts]
        facts += [f for group in world.sentences(structure, "ner", split) for f in group]
        templates[split] = {fact.template for fact in facts}
        items = [pair for fact in facts for pair in fact.values]
        used[split] = {
            item
            for slot, value in items
            if slot in ("person", "place", "org")
            for item in value.split("+")
        }
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not used[one] & used[other]
    assert templates["test"] - templates["train"] == set(world.HELD_OUT)
    assert templates["test"] == set(lexicons.STATEMENTS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", world.SIZES["ner"])
def test_tags_are_iob2_and_tokens_join(language, split):
    found = examples("sampler-ner", split, language)
    used = set()
    for example in found:
        assert len(example.tokens) == len(example.tags)
        assert all(token and not token.isspace() for token in example.tokens)
        assert not set(example.tags) - set(LABELS)
        for before, tag in pairwise(("O", *example.tags)):
            assert not tag.startswith("I-") or before[1:] == tag[1:], example
        used |= set(example.tags)
    assert used >= {"O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC"}
    assert len({e.tokens for e in found}) == len(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_entities_are_parallel_to_english(language):
    def entities(example):
        return sorted(tag for tag in example.tags if tag.startswith("B-"))

    pairs = zip(
        examples("sampler-ner", "test", language),
        examples("sampler-ner", "test", "en"),
        strict=True,
    )
    for here, english in pairs:
        assert entities(here) == entities(english)


@pytest.mark.parametrize("language", LANGUAGES)
def test_tokens_join_to_the_text(language):
    for text in list(texts(language))[:600]:
        spans = render.tokenize(text, spaced=language != "zh")
        assert "".join(text[a:b] for a, b in spans) == "".join(text.split())


def test_tokens():
    text = "Ana Paris'te, 7 kitap? Karùn-ún ta."
    tokens = [text[a:b] for a, b in render.tokenize(text, spaced=True)]
    assert tokens == ["Ana", "Paris'te", ",", "7", "kitap", "?", "Karùn-ún", "ta", "."]
    assert [text[a:b] for a, b in render.tokenize(text[:5], spaced=False)] == list("AnaP")


@pytest.mark.parametrize("language", LANGUAGES)
def test_scripts_and_no_leftovers(language):
    structure = lexicons.read_structure(lexicons.STRUCTURE)
    lexicon = lexicons.read_lexicon(lexicons.LEXICONS / f"{language}.json", structure)
    varieties = lookup(language)
    assert varieties is not None
    assert varieties.script == lexicon.script
    signs = {sign for text in texts(language) for sign in text} - SIGNS
    for sign in signs:
        mark = unicodedata.category(sign).startswith("M")
        name = unicodedata.name(sign)
        assert name.startswith(SCRIPTS[lexicon.script]) or (mark and "COMBINING" in name), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_clean(language):
    for text in texts(language):
        assert unicodedata.normalize("NFC", text) == text
        assert not set("{}|/_") & set(text)
        assert text == " ".join(text.split())
        assert text[-1] in ".?？。؟।"


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_pairs_are_distinct(language):
    pairs = examples("sampler-pairs", "test", language)
    assert len({e.sentence for e in pairs}) == len({e.english for e in pairs}) == 300
    assert all(e.sentence != e.english for e in pairs)


def test_error_rates_are_given_for_each_capability():
    card = load_card("sampler-checks")
    examples = card.read(card.find((), "test", "sw"), "test", "sw").examples
    wrong = {"count", "negation"}
    answers = {e.id: "" if e.id.rpartition("-")[2] in wrong else e.answers[0] for e in examples}
    clean = span_qa.score(answers, examples, card, "sw").clean
    rates = {name: value for name, value in clean.items() if name.startswith("error_rate_")}
    assert set(rates) == {
        f"error_rate_{name}"
        for name in ("who", "where", "what", "when", "count", "comparison", "negation")
    }
    for name, value in rates.items():
        assert value == (100.0 if name.removeprefix("error_rate_") in wrong else 0.0)
    assert clean["error_rate"] == pytest.approx(100.0 - clean["exact_match"])
    assert 0 < clean["error_rate"] < 100
