"""MasakhaNER: names and dates in news of ten African languages, the first edition."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.examples import Reading
from midway.tasks.readers.columns import IOB2, read_columns
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    places = ("masakhaner1", "masakhane-ner/data")
    return find_first(folders, *(f"{place}/{language}/{_FILES[split]}.txt" for place in places))


def _read(files: tuple[Path, ...], split: str, language: str) -> Reading:
    return read_columns(files, language, tags=CARD.labels)


CARD = TaskCard(
    name="masakhaner1",
    title="MasakhaNER 1.0",
    family="tagging",
    roles=("intermediate", "target"),
    languages=("amh", "hau", "ibo", "kin", "lug", "luo", "pcm", "swa", "wol", "yor"),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("f1", "precision", "recall"),
    licence="CC BY-NC 4.0",
    citation=(
        "Adelani et al. (2021). MasakhaNER: Named Entity Recognition for African Languages. "
        "TACL 9. arXiv:2103.11811"
    ),
    homepage="https://github.com/masakhane-io/masakhane-ner",
    summary=(
        "Persons, organisations, places and dates in news of ten African languages, tagged by "
        "their speakers. The second edition is larger and has all of these languages but "
        "Amharic, which is the reason to use the first: it is the only one in the Ethiopic script."
    ),
    notes=(
        "Targets train on PAN-X by default, which has no DATE: zero-shot, a date can never be "
        "predicted. The official score counts every missed date; the clean profile leaves out "
        "what the model could not know.",
        "An I- tag without a B- before it is kept; the metric lets it open an entity.",
        "For languages of both editions use masakhaner2, and do not mix the two.",
        "Codes are ISO 639-3, with swa for Swahili as in the files.",
    ),
    labels=(*IOB2, "B-DATE", "I-DATE"),
    train_tasks=("panx",),
    find=_find,
    read=_read,
)
