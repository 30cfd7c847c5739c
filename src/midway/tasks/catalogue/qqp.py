"""QQP: are two questions from Quora the same question?"""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_labelled import qqp
from midway.tasks.readers.paraphrases import QQP_LABELS, read_qqp
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    name = f"{_FILES[split]}.tsv"
    if split == "test":  # GLUE's has no labels
        return find_first(folders, f"qqp/{name}")
    return find_first(folders, f"QQP/{name}", f"glue/QQP/{name}", f"qqp/{name}")


CARD = TaskCard(
    name="qqp",
    title="Quora Question Pairs",
    family="classification",
    roles=("intermediate", "target"),
    languages=("en",),
    splits=("train", "validation", "test"),
    evaluation_split="validation",
    metrics=("accuracy", "f1"),
    licence="Quora's terms of service (non-commercial)",
    citation=(
        "Iyer, Dandekar and Csernai (2017). First Quora Dataset Release: Question Pairs; as in "
        "Wang, Singh, Michael, Hill, Levy and Bowman (2019). GLUE: A Multi-Task Benchmark and "
        "Analysis Platform for Natural Language Understanding. ICLR. arXiv:1804.07461"
    ),
    homepage="https://gluebenchmark.com/tasks",
    summary=(
        "Pairs of questions asked on Quora, marked as duplicates or not. GLUE's split has 363,846 "
        "pairs for training and 40,430 for validation, with fewer duplicates than others. In "
        "Phang et al. (2020) it is the paraphrase task among the intermediate tasks."
    ),
    notes=(
        "F1 is that of the class duplicate.",
        "GLUE's test set has no labels; the test split here is a labelled cut of the training "
        "data: do not evaluate on it after training on GLUE's training set.",
        "That cut has 10,000 pairs for validation and for test, half of them duplicates, so "
        "accuracies are not comparable with GLUE's.",
        "In the cut some quotation marks have lost a byte; they become U+FFFD and their rows are "
        "counted. Cells are written as a CSV writer does; this is undone and counted.",
        "Questions recur in many pairs, so folds by the first question do not separate all text.",
        "Lines of GLUE's file that are cut in two by a line end are dropped and counted.",
    ),
    labels=tuple(QQP_LABELS.values()),
    rule="f1",
    find=_find,
    read=read_qqp,
    hub=HubSource("nyu-mll/glue", "qqp", ("train", "validation"), ("en",), qqp),
)
