"""HellaSwag: which of four endings continues a description of an event."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_choices import hellaswag
from midway.tasks.readers.choice import read_hellaswag
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "val"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    name = f"hellaswag/hellaswag_{_FILES[split]}"
    return find_first(folders, f"{name}.jsonl", f"{name}_full.txt", f"{name}_*.jsonl")


CARD = TaskCard(
    name="hellaswag",
    title="HellaSwag",
    family="choice",
    roles=("intermediate",),
    languages=("en",),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=("accuracy",),
    licence="MIT",
    citation=(
        "Zellers, Holtzman, Bisk, Farhadi and Choi (2019). HellaSwag: Can a Machine Really Finish "
        "Your Sentence? ACL. arXiv:1905.07830"
    ),
    homepage="https://rowanzellers.com/hellaswag/",
    summary=(
        "The beginning of a video caption or of a WikiHow step, and four endings: one is the real "
        "one, three were written by a language model and chosen so that models found them hard to "
        "tell apart. There are 39,905 training and 10,042 development items. In Phang et al. "
        "(2020) it is among the best intermediate tasks for sentence pairs and retrieval."
    ),
    notes=(
        "The context is 'activity: context' in every layout, since the text layout has nothing "
        "else; others leave the activity out or put the context's last words before each ending.",
        "In the text layout (hellaswag_val_full.txt) the markup of WikiHow items ([header], "
        "[title], [step]) was removed; in the JSON Lines it is there, so scores differ a little.",
        "The publisher's hellaswag_train.jsonl and hellaswag_val.jsonl come first, then the text "
        "layout, then subsets (hellaswag_val_500_en.jsonl).",
        "The test file has no labels, so there is no test split; such a file is refused.",
        "Folds go by the video or article where the file names it, else by the context.",
    ),
    find=_find,
    read=read_hellaswag,
    hub=HubSource("Rowan/hellaswag", "default", ("train", "validation"), ("en",), hellaswag),
)
