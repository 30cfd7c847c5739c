"""Every card proves itself: read, encode, two training steps, predict, score, in two languages.

A card is trained as an intermediate task if it can be one, and trained and evaluated as a target
if it can be one, with the real encoder and through the same session that `midway run` opens.
"""

import os

import mewslix_files
import pytest

from midway.analysis.results import load_scores
from midway.graph.runner import run_plan
from midway.stages import specs
from midway.store.local import Store
from midway.studies.session import open_session
from midway.tasks import card_names, load_card
from midway.tasks.kinds import KINDS
from midway.tasks.select import present
from midway.tasks.sources import parse_folders

pytestmark = pytest.mark.slow

# No real files of these are at hand: small ones in their layout, which the tests write.
WRITTEN = {"mewslix", "mlm"}
TEXT = "Every step leaves a trace behind it, and every trace tells of a step. "

STUDY = """
name = "{name}"
encoder = "offline:multilingual-e5-small"
seeds = [1]
[train]
batch_size = 8
epochs = 1
max_length = 128
restarts = 0
"""
PART = "{{ task = {task!r}, languages = {languages}, split = {split!r}, examples = 16 }}"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The data folders, with small files of what is in none of them."""
    more = tmp_path_factory.mktemp("written")
    mewslix_files.write(more)
    (more / "mlm").mkdir()
    for language in ("en", "sw"):
        (more / "mlm" / f"{language}.txt").write_text(f"{TEXT * 3}\n" * 20, encoding="utf-8")
    return (*parse_folders(os.environ["MIDWAY_DATA"]), more)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def training_part(card, here):
    """The task's own training data or, where there are none, another split of it."""
    split = next(s for s in ("train", "validation", "test") if here.get(s))
    languages = [code for code in ("en", "eng_Latn") if code in here[split]] or here[split][:2]
    return PART.format(task=card.name, languages=languages, split=split)


def study_of(card, here, folders):
    """A study in which the card has all the roles that the files at hand allow."""
    text = STUDY.format(name=card.name)
    if "intermediate" in card.roles:
        text += f'[[intermediate]]\nname = "first"\nmix = [{training_part(card, here)}]\n'
    evaluated = [split for split in (card.evaluation_split, "validation") if here.get(split)]
    if "target" not in card.roles or not evaluated:
        more = 'evaluate = { languages = ["sw", "te"], examples = 8 }\n'
        return f'{text}[[target]]\ntask = "sampler-pairs"\n{more}'
    text += f'[[target]]\ntask = "{card.name}"\n'
    split = evaluated[0]
    languages = ["de", "es"] if card.name in WRITTEN else here[split][-2:]
    text += f"evaluate = {{ languages = {languages}, examples = 8, split = {split!r} }}\n"
    if KINDS[card.family].trained:
        sources = [load_card(name) for name in card.train_tasks or (card.name,)]
        if all("en" in present(source, folders).get("train", ()) for source in sources):
            text += 'train = { languages = ["en"], examples = 16 }\n'
        else:
            text += f"train = {training_part(card, here)}\n"
    return text


def test_only_these_cards_have_no_real_files(folders):
    real = parse_folders(os.environ["MIDWAY_DATA"])
    bare = {name for name in card_names() if not any(present(load_card(name), real).values())}
    assert bare == WRITTEN


@pytest.mark.parametrize("name", card_names())
def test_card(name, folders, store, tmp_path):
    card = load_card(name)
    here = present(card, folders)
    path = tmp_path / "study.toml"
    path.write_text(study_of(card, here, folders), encoding="utf-8")
    session = open_session(path, store, folders)
    outcome = run_plan(session.plan, store, session.runtime)
    assert not outcome.failed, outcome.failed
    trained = [stage for stage in session.plan.stages if stage.kind is specs.TRAIN]
    for stage in trained:
        facts = session.record(stage).facts
        assert facts["steps"] >= 2
        assert 0 < facts["final_loss"] < 20
    assert bool(trained) == ("intermediate" in card.roles or KINDS[card.family].trained)
    for cell in session.expansion.cells:
        scores = load_scores(store.path(cell.score))
        assert len(scores) == min(2, len(present(cell.card, folders)[cell.split]))
        for record in scores.values():
            assert record["n"] >= 8 or cell.card.family == "mining"
            assert cell.card.metrics[0] in record["official"]
            assert set(cell.card.metrics) <= {*record["official"], *record["clean"]}
            for profile in ("official", "clean"):
                assert record[profile]
                assert all(0 <= value <= 100 for value in record[profile].values())
