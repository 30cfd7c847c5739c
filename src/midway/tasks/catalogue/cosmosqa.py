"""Cosmos QA: questions about everyday narratives whose answer is not written in them."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_choices import cosmosqa
from midway.tasks.readers.choice import read_cosmosqa
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "valid"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    part = _FILES[split]
    return find_first(folders, f"cosmosqa/{part}.csv", f"cosmosqa/data/{part}.csv")


CARD = TaskCard(
    name="cosmosqa",
    title="Cosmos QA",
    family="choice",
    roles=("intermediate",),
    languages=("en",),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=("accuracy",),
    licence="not stated in the source (commonly given as CC BY 4.0)",
    citation=(
        "Huang, Le Bras, Bhagavatula and Choi (2019). Cosmos QA: Machine Reading Comprehension "
        "with Contextual Commonsense Reasoning. EMNLP. arXiv:1909.00277"
    ),
    homepage="https://github.com/wilburOne/cosmosqa",
    summary=(
        "A paragraph of a personal blog, a question about causes, effects or what people there "
        "think, and four answers, one of which may be 'None of the above choices'. The answer has "
        "to be inferred between the lines. Phang et al. (2020) count 25,588 training and 3,000 "
        "development items, and it gives their best PAWS-X score."
    ),
    notes=(
        "The published development file has 2,985 items.",
        "The text is already tokenised: punctuation and parts of contractions stand alone.",
        "Several questions share a paragraph: folds go by the paragraph.",
        "The test file has no labels, so there is no test split.",
    ),
    find=_find,
    read=read_cosmosqa,
    hub=HubSource("allenai/cosmos_qa", "default", ("train", "validation"), ("en",), cosmosqa),
)
