"""MasakhaNER 2.0: names and dates in news of twenty African languages."""

from pathlib import Path

from midway.tasks.card import SPLITS, DataFolders, HubSource, TaskCard
from midway.tasks.examples import Reading
from midway.tasks.hub.to_sentences import entities
from midway.tasks.readers.columns import IOB2, read_columns
from midway.tasks.sources import find_first

_LANGUAGES = "bam bbj ewe fon hau ibo kin lug luo mos nya pcm sna swa tsn twi wol xho yor zul"
_FILES = {"train": "train", "validation": "dev", "test": "test"}
_TAGS = (*IOB2, "B-DATE", "I-DATE")


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    places = ("masakhaner2", "MasakhaNER2.0/data", "masakhane-ner/MasakhaNER2.0/data")
    return find_first(folders, *(f"{place}/{language}/{_FILES[split]}.txt" for place in places))


def _read(files: tuple[Path, ...], split: str, language: str) -> Reading:
    return read_columns(files, language, tags=CARD.labels)


CARD = TaskCard(
    name="masakhaner2",
    title="MasakhaNER 2.0",
    family="tagging",
    roles=("intermediate", "target"),
    languages=tuple(_LANGUAGES.split()),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("f1", "precision", "recall"),
    licence="CC BY-NC 4.0",
    citation=(
        "Adelani et al. (2022). MasakhaNER 2.0: Africa-centric Transfer Learning for Named Entity "
        "Recognition. EMNLP. arXiv:2210.12391"
    ),
    homepage="https://github.com/masakhane-io/masakhane-ner",
    summary=(
        "Persons, organisations, places and dates in news, tagged by speakers of 20 languages of "
        "sub-Saharan Africa. Each language has its own training data (some 3,400 to 7,800 "
        "sentences), so zero-shot scores can be set beside trained ones. Its authors report that "
        "the best source language instead of English gains 14 points of F1 on average."
    ),
    notes=(
        "Targets train on PAN-X by default, which has no DATE: zero-shot, a date can never be "
        "predicted. The official score counts every missed date; the clean profile leaves out "
        "what the model could not know.",
        "A few I- tags have no B- before them; they are kept, and the metric lets them open an "
        "entity.",
        "Test sentences are also in the training data: ibo 338 of 2,181, xho 254 of 1,633, hau "
        "197 of 1,633, yor 37, fewer elsewhere. Scores trained on the language itself are too "
        "high there; zero-shot scores are not touched.",
        "Two lines of xho's training file have a tag and no word; they are left out and counted.",
        "Codes are ISO 639-3, with swa for Swahili as in the files.",
    ),
    labels=_TAGS,
    train_tasks=("panx",),
    find=_find,
    read=_read,
    hub=HubSource(
        "masakhane/masakhaner2", "{code}", SPLITS, tuple(_LANGUAGES.split()), entities(_TAGS)
    ),
)
