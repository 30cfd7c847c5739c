"""PAWS-X: do two sentences of nearly the same words mean the same?"""

from pathlib import Path

from midway.tasks.card import SPLITS, DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_labelled import finish_pawsx, pawsx
from midway.tasks.readers.paraphrases import PAWSX_LABELS, read_pawsx
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev", "test": "test"}
_ORIGINAL = {"train": "translated_train", "validation": "dev_2k", "test": "test_2k"}
_LANGUAGES = ("de", "en", "es", "fr", "ja", "ko", "zh")
_PLACES = ("x-final", "pawsx/x-final", "pawsx")


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    name = "train" if (split, language) == ("train", "en") else _ORIGINAL[split]
    original = (f"{place}/{language}/{name}.tsv" for place in _PLACES)
    return find_first(folders, *original, f"pawsx/{_FILES[split]}-{language}.tsv")


CARD = TaskCard(
    name="pawsx",
    title="PAWS-X paraphrase identification",
    family="classification",
    roles=("intermediate", "target"),
    languages=_LANGUAGES,
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="free use; acknowledgement of Google as the source is asked for",
    citation=(
        "Yang, Zhang, Tar and Baldridge (2019). PAWS-X: A Cross-lingual Adversarial Dataset for "
        "Paraphrase Identification. EMNLP. arXiv:1908.11828"
    ),
    homepage="https://github.com/google-research-datasets/paws/tree/master/pawsx",
    summary=(
        "Pairs of sentences from Wikipedia that share most of their words, made by swapping words "
        "and by translating back, so that word order decides. Development and test pairs were "
        "translated from English by people, training pairs by a machine. XTREME trains on the "
        "49,401 English pairs and tests 2,000 in each of seven languages; XTREME-R dropped the "
        "task."
    ),
    notes=(
        "All languages are parallel by row; ids and documents are row numbers.",
        "Some rows hold NS in place of a sentence nobody translated, with the label 0 whatever the "
        "English one is. They are dropped from train and kept, with a warning, elsewhere, because "
        "published scores count them.",
        "Hence gold labels differ between languages: each is scored on its own.",
        "Files that went through a CSV writer have quotation marks doubled; this is undone and "
        "counted, or languages are not comparable.",
        "Rows of the machine-translated training data with a blank sentence are dropped and "
        "counted.",
        "XTREME's preparation removes the labels of its test files; those are refused.",
        "Readers of XTREME's code lost the first pair of each file until September 2021.",
    ),
    labels=tuple(PAWSX_LABELS.values()),
    find=_find,
    read=read_pawsx,
    hub=HubSource(
        "google-research-datasets/paws-x", "{code}", SPLITS, _LANGUAGES, pawsx, finish=finish_pawsx
    ),
)
