"""MasakhaPOS: part-of-speech tags of twenty African languages."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.examples import Reading
from midway.tasks.readers.columns import read_columns
from midway.tasks.readers.conllu import UPOS
from midway.tasks.sources import find_first

_LANGUAGES = "bam bbj ewe fon hau ibo kin lug luo mos nya pcm sna swa tsn twi wol xho yor zul"
_FILES = {"train": "train", "validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    places = ("masakhapos", "masakhane-pos/data")
    return find_first(folders, *(f"{place}/{language}/{_FILES[split]}.txt" for place in places))


def _read(files: tuple[Path, ...], split: str, language: str) -> Reading:
    return read_columns(files, language, tags=UPOS)


CARD = TaskCard(
    name="masakhapos",
    title="MasakhaPOS",
    family="tagging",
    roles=("intermediate", "target"),
    languages=tuple(_LANGUAGES.split()),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="CC BY-NC 4.0",
    citation=(
        "Dione et al. (2023). MasakhaPOS: Part-of-Speech Tagging for Typologically Diverse "
        "African Languages. ACL. arXiv:2305.13989"
    ),
    homepage="https://github.com/masakhane-io/masakhane-pos",
    summary=(
        "News sentences in 20 African languages with the 17 part-of-speech tags of Universal "
        "Dependencies, checked by speakers. Each language has 700 to 900 training sentences. With "
        "the same tag set as the treebanks, a tagger trained on English or any other treebank can "
        "be scored on languages that have none."
    ),
    notes=(
        "Targets train on the English treebanks (udpos) by default.",
        "The measure is accuracy over words, not XTREME's F1 over chunks of equal tags: the two "
        "tasks' scores cannot be compared.",
        "Words are split at spaces and punctuation, not into syntactic words as in some treebanks.",
        "Codes are ISO 639-3, with swa for Swahili as in the files.",
    ),
    labels=UPOS,
    rule="accuracy",
    train_tasks=("udpos",),
    find=_find,
    read=_read,
)
