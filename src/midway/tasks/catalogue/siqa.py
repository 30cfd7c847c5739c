"""Social IQa: what people in a situation want, feel or do next."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_choices import siqa
from midway.tasks.readers.choice import read_siqa
from midway.tasks.sources import find_first

_FILES = {"train": ("train", "trn"), "validation": ("dev", "dev"), "test": ("test", "tst")}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    part, short = _FILES[split]
    for folder in folders:
        for place in ("siqa/socialiqa-train-dev", "socialiqa-train-dev", "siqa"):
            files = find_first((folder,), f"{place}/{part}.jsonl")
            if files:
                return files + find_first((folder,), f"{place}/{part}-labels.lst")
        files = find_first((folder,), f"siqa/socialIQa_v1.4_{short}.jsonl")
        if files:
            return files
    return ()


CARD = TaskCard(
    name="siqa",
    title="Social IQa",
    family="choice",
    roles=("intermediate",),
    languages=("en",),
    splits=("train", "validation", "test"),
    evaluation_split="validation",
    metrics=("accuracy",),
    licence="CC BY 4.0",
    citation=(
        "Sap, Rashkin, Chen, Le Bras and Choi (2019). Social IQa: Commonsense Reasoning about "
        "Social Interactions. EMNLP. arXiv:1904.09728"
    ),
    homepage="https://maartensap.github.io/social-iqa/",
    summary=(
        "A short everyday situation, a question about the motives, reactions or next steps of a "
        "person in it, and three answers. 33,410 training and 1,954 development questions. "
        "XTREME-R trains on it first, then on COPA, before it tests XCOPA: COPA alone is too "
        "small to learn multiple choice from."
    ),
    notes=(
        "The labels are in files of their own, 1 to 3, line by line with the questions; in "
        "socialIQa_v1.4 files, XTREME-R's layout, they are letters inside the questions.",
        "XTREME-R trains five epochs on it and reports no score.",
        "Situations recur: folds go by the situation.",
    ),
    find=_find,
    read=read_siqa,
    hub=HubSource("allenai/social_i_qa", "default", ("train", "validation"), ("en",), siqa),
)
