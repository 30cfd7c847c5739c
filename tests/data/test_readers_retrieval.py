"""Mining, retrieval and tagging files: nothing at hand is left out, and counts are the notes'."""

import os
from collections import Counter
from pathlib import Path

import pytest

from midway.families.mining import gold_pairs
from midway.tasks import load_card
from midway.tasks.examples import SentencePair
from midway.tasks.readers.labelled import UNQUOTED
from midway.tasks.select import present
from midway.tasks.sources import parse_folders


def folders():
    return parse_folders(os.environ["MIDWAY_DATA"])


def read(name, split, language):
    card = load_card(name)
    return card.read(card.find(folders(), split, language), split, language)


def here(name):
    return present(load_card(name), folders())


def test_bucc_sample_set():
    reading = read("bucc2018", "validation", "zh")
    examples = reading.examples
    assert Counter(e.side for e in examples) == {"query": 8_624, "candidate": 13_589}
    assert not reading.dropped
    assert not reading.repaired
    gold = gold_pairs(examples)
    assert len(gold) == 257
    documents = {e.id: e.document for e in examples}
    assert all(documents[foreign] == english == documents[english] for foreign, english in gold)
    assert len({e.id for e in examples}) == len(examples)
    assert len({(e.side, e.text) for e in examples}) == 22_190  # repeats are kept
    assert here("bucc2018") == {"validation": ["zh"], "test": []}


def test_flores_is_parallel():
    codes = ["ben_Beng", "guj_Gujr", "hin_Deva", "mar_Deva", "tam_Taml", "tel_Telu"]
    assert here("flores") == {"validation": [], "test": codes}
    english = set()
    for code in codes:
        reading = read("flores", "test", code)
        assert not reading.dropped
        assert [e.id for e in reading.examples] == [str(n) for n in range(1_012)]
        english.add(tuple(e.english for e in reading.examples))
    assert len(english) == 1
    assert len(load_card("flores").languages) == 203


def test_all_varieties_of_sib200_are_parallel():
    card = load_card("sib200-pairs")
    assert here("sib200-pairs") == {"test": list(card.languages)}
    assert len(card.languages) == 204
    pairs, quoted = set(), Counter()
    for code in card.languages:
        reading = read("sib200-pairs", "test", code)
        assert not reading.dropped
        pairs.add(tuple((e.id, e.document, e.english) for e in reading.examples))
        quoted[code] = reading.repaired[UNQUOTED]
    (one,) = pairs
    assert len({identity for identity, _, _ in one}) == len(one) == 1_004
    assert all(identity == document for identity, document, _ in one)
    assert quoted["swh_Latn"] == 85


def test_sib200_sentences_are_those_of_the_topic_task():
    pairs = {e.id: e.sentence for e in read("sib200-pairs", "test", "yor_Latn").examples}
    topics = {
        e.id: e.text
        for split in ("train", "validation", "test")
        for e in read("sib200", split, "yor_Latn").examples
    }
    assert pairs == topics


@pytest.mark.parametrize(
    ("name", "folder", "languages"), [("udpos", "ud", None), ("tatoeba", "tatoeba/v1", 97)]
)
def test_every_file_is_served(name, folder, languages):
    card, root = load_card(name), Path(os.environ["MIDWAY_DATA"].split(":")[0])
    served = {
        path
        for split, codes in here(name).items()
        for code in codes
        for path in card.find((root,), split, code)
    }
    assert served == {path for path in (root / folder).rglob("*") if path.is_file()}
    assert languages is None or len(here(name)["test"]) == languages


def test_every_language_of_tatoeba_can_be_read():
    sizes = {}
    for code in here("tatoeba")["test"]:
        examples = read("tatoeba", "test", code).examples
        assert all(isinstance(e, SentencePair) and e.language == code for e in examples)
        sizes[code] = len(examples)
    assert min(sizes.values()) == 104
    assert max(sizes.values()) == 1_000
    assert (sizes["ta"], sizes["th"]) == (307, 548)
