"""SQuAD v2: SQuAD v1.1 with questions that look answerable and are not."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.examples import Reading
from midway.tasks.hub.to_questions import squad_v2
from midway.tasks.readers.squad_json import read_squad
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    name = f"squad/{_FILES[split]}-v2.0"
    return find_first(folders, f"{name}.json", f"{name}.*.json")


def _read(files: tuple[Path, ...], split: str, language: str) -> Reading:
    return read_squad(files, split, language, unanswerable=True)


CARD = TaskCard(
    name="squad-v2",
    title="SQuAD v2.0",
    family="span_qa",
    unanswerable=True,
    roles=("intermediate", "target"),
    languages=("en",),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=("f1", "exact_match"),
    licence="CC BY-SA 4.0",
    citation=(
        "Rajpurkar, Jia and Liang (2018). Know What You Don't Know: Unanswerable Questions for "
        "SQuAD. ACL. arXiv:1806.03822"
    ),
    homepage="https://rajpurkar.github.io/SQuAD-explorer/",
    summary=(
        "The answerable questions of SQuAD v1.1 and over 50,000 unanswerable ones, written by "
        "crowd workers to look like answerable ones. A system has to abstain where the paragraph "
        "has no answer. The complete training set has 130,319 questions, the development set "
        "11,873."
    ),
    notes=(
        "An unanswerable question has no reference answer; the empty string is right and scores "
        "1, anything else 0.",
        "plausible_answers of unanswerable questions are not used.",
        "The development set shares paragraphs with XQuAD: train on the training set only.",
        "Ids of course editions of the development set were re-issued; to compare with the "
        "published set, match context and question.",
        "Paragraphs are those of SQuAD v1.1; mixing both counts them twice.",
    ),
    find=_find,
    read=_read,
    hub=HubSource("rajpurkar/squad_v2", "squad_v2", ("train", "validation"), ("en",), squad_v2),
)
