"""FLORES-200: find the English translation of a sentence among a thousand, in 203 varieties."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.catalogue.sib200 import CARD as SIB200
from midway.tasks.readers.parallel import read_flores
from midway.tasks.sources import find_first

ENGLISH = "eng_Latn"
_NOT_IN_FLORES = (ENGLISH, "nqo_Nkoo")  # SIB-200 has added N'Ko
_FILES = {"validation": "dev", "test": "devtest"}
_OTHER_NAMES = {"sat_Olck": "sat_Beng"}  # what an early release called the same text


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    part = _FILES[split]
    for folder in folders:
        for place in ("flores200", "flores200_dataset", "flores200/flores200_dataset"):
            for code in (language, _OTHER_NAMES.get(language, language)):
                files = find_first((folder,), f"{place}/{part}/{code}.{part}")
                if files:
                    return files + find_first((folder,), f"{place}/{part}/{ENGLISH}.{part}")
    return ()


CARD = TaskCard(
    name="flores",
    title="FLORES-200 sentence retrieval",
    family="retrieval",
    roles=("target",),
    languages=tuple(code for code in SIB200.languages if code not in _NOT_IN_FLORES),
    splits=("validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="CC BY-SA 4.0",
    citation=(
        "NLLB Team (2022). No Language Left Behind: Scaling Human-Centered Machine Translation. "
        "arXiv:2207.04672"
    ),
    homepage="https://github.com/facebookresearch/flores/tree/main/flores200",
    summary=(
        "Professional translations of the same sentences of English Wikimedia articles into 203 "
        "language varieties: 997 sentences in dev (here validation), 1,012 in devtest (here "
        "test). Nothing is trained: each English sentence searches its translation by the cosine "
        "of mean-pooled hidden states. Candidates are the same sentences in all varieties, so "
        "scores of different languages can be compared, which Tatoeba does not allow."
    ),
    notes=(
        "It is made for machine translation; retrieval follows the protocol of Tatoeba here, "
        "with English as the query.",
        "Ids and documents are line numbers: folds and subsets are the same sentences in all "
        "varieties, but sentences of one article may be in both folds.",
        "SIB-200 is made of sentences of FLORES-200: training on sib200 shows the encoder text "
        "of this task.",
        "Some varieties are one language in two scripts; some were not translated from English.",
        "The benchmark's own test set is hidden.",
        "The layer decides the score; report which one was used.",
    ),
    find=_find,
    read=read_flores,
)
