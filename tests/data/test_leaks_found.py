"""What is known to return in the benchmarks' evaluation data is found, with the right counts."""

import os
import unicodedata
from collections import Counter

import pytest

from midway.graph.runner import run_plan
from midway.store.local import Store
from midway.studies.session import open_session
from midway.tasks import load_card
from midway.tasks.files import find_files, read_files
from midway.tasks.sources import parse_folders

pytestmark = pytest.mark.slow
FOLDERS = parse_folders(os.environ.get("MIDWAY_DATA"))
HEAD = 'name = "s"\nencoder = "offline:multilingual-e5-small"\nseeds = [1]\n'


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def compare(store, tmp_path):
    def facts(mix, target):
        """Facts of a study with one intermediate and one target."""
        path = tmp_path / "study.toml"
        inner = f'[[intermediate]]\nname = "a"\nmix = [{mix}]\n' if mix else ""
        path.write_text(f"{HEAD}{inner}[[target]]\n{target}\n", encoding="utf-8")
        session = open_session(path, store, FOLDERS)
        stage = session.expansion.leaks
        outcome = run_plan(session.plan, store, session.runtime, only=stage.key)
        assert not outcome.failed, outcome.failed
        return session.record(stage).facts

    return facts


def read(task, split, language):
    card = load_card(task)
    return read_files(card, find_files(card, FOLDERS, split, language), split, language).examples


def kinds(row):
    return {kind["kind"]: kind["shared"] for kind in row["kinds"]}


def only(rows, training="intermediate a"):
    (row,) = (row for row in rows if row["training"] == training)
    return row


def test_xquad_is_in_squad_dev(compare):
    dev = '{ task = "squad", split = "validation" }'
    leak = only(compare(dev, 'task = "xquad"\nevaluate = { languages = ["en"] }')["leaks"])
    assert kinds(leak) == {"id": 1190, "exact": 1190}
    shared = {e.context for e in read("xquad", "test", "en")}
    assert len(shared) == 240
    assert shared <= {e.context for e in read("squad", "validation", "en")}
    leak = only(compare(dev, 'task = "xquad"')["leaks"])
    assert leak["shared"] == leak["of"] == 9 * 1190
    assert kinds(leak) == {"id": 1190, "exact": 1190, "translated": 8 * 1190}


def test_lareqa_is_xquad(compare):
    leak = only(compare('{ task = "xquad" }', 'task = "lareqa"')["leaks"])
    assert leak["shared"] == leak["of"]
    questions = sum(e.side == "query" for code in leak["languages"] for e in _lareqa(code))
    assert kinds(leak)["id"] == questions == 8 * 1190
    # Of the sentences, those whose paragraph is written the same way in both data sets.
    assert kinds(leak)["exact"] > 0.9 * (leak["of"] - questions)


def _lareqa(language):
    return read("lareqa", "test", language)


def test_the_two_training_sets_of_squad_overlap(compare):
    both = '{ task = "squad" }, { task = "squad-v2" }'
    (pair,) = compare(both, 'task = "tatoeba"\nevaluate = { languages = ["de"] }')["training"]
    assert pair["first"].startswith("squad train")
    assert pair["second"].startswith("squad-v2 train")
    assert pair["shared"] == pair["of"] == 4719
    assert kinds(pair) == {"id": 4371, "exact": 4719}
    v2 = {e.context for e in read("squad-v2", "train", "en")}
    assert len(v2) == len(v2 & {e.context for e in read("squad", "train", "en")}) == 694


def test_training_sets_of_squad_share_no_paragraph_with_other_evaluation_sets(compare):
    for task in ("xquad", "tydiqa"):
        facts = compare('{ task = "squad" }', f'task = "{task}"')
        assert [leak for leak in facts["leaks"] if leak["training"] == "intermediate a"] == []


def test_xcopa_validation_is_in_copa_dev(compare):
    target = 'task = "xcopa"\ntrain = { task = "siqa" }\nevaluate = { split = "validation" }'
    leak = only(compare('{ task = "copa", split = "validation" }', target)["leaks"])
    assert kinds(leak) == {"translated": 900}
    assert leak["shared"] == leak["of"] == 900
    assert leak["kinds"][0]["with"] == ["en:401", "en:402", "en:403"]
    facts = compare('{ task = "copa" }', target)
    assert [leak for leak in facts["leaks"] if leak["training"] == "intermediate a"] == []


def plain(example):
    """What a repetition has in common, written anew: words, however they are cased."""
    return " ".join(unicodedata.normalize("NFKC", " ".join(example.tokens)).casefold().split())


@pytest.mark.parametrize(("code", "repeated"), [("sw", 74), ("en", 110), ("my", 0)])
def test_wikiann_repeats_itself_within_a_language(compare, code, repeated):
    facts = compare("", f'task = "panx"\nevaluate = {{ languages = ["{code}"] }}')
    sentences = Counter(map(plain, read("panx", "validation", code)))
    assert sum(count - 1 for count in sentences.values()) == repeated
    assert sum(row["shared"] for row in facts["repeats"]) == repeated


def test_english_wikiann_returns_in_its_training_data(compare):
    target = 'task = "panx"\nevaluate = { languages = ["en"] }'
    leak = only(compare("", target)["leaks"], "target panx")
    known = set(map(plain, read("panx", "train", "en")))
    found = kinds(leak)
    again = sum(plain(e) in known for e in read("panx", "validation", "en"))
    assert found["exact"] + found.get("normalised", 0) == again
    assert found["exact"] == 325


def test_finnish_treebank_repeats_its_legal_boilerplate(compare):
    """Known of the treebank since 2015: UniversalDependencies/docs, issue 227."""
    target = 'task = "udpos"\nevaluate = { languages = ["fi"], split = "validation" }'
    (row,) = compare("", target)["repeats"]
    assert (row["shared"], row["of"], row["languages"]) == (7, 1364, ["fi"])
    by_id = {e.id: " ".join(e.tokens) for e in read("udpos", "validation", "fi")}
    first = row["with"][0].removeprefix("fi:")
    assert by_id[row["examples"][0]] == by_id[first]
