"""SIB-200 as retrieval: its 1,004 parallel sentences in 204 varieties, each paired with English."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.catalogue.sib200 import CARD as SIB200
from midway.tasks.readers.parallel import PARTS, read_sib200_pairs
from midway.tasks.sources import find_first

ENGLISH = "eng_Latn"


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split != "test" or language not in CARD.languages:
        return ()
    for folder in folders:
        for place in ("sib200", "sib-200/data/annotated"):
            ours, others = (_parts(folder, f"{place}/{code}") for code in (language, ENGLISH))
            if len(ours) == len(PARTS):
                return ours + others
    return ()


def _parts(folder: Path, place: str) -> tuple[Path, ...]:
    found = (find_first((folder,), f"{place}/{part}.tsv") for part in PARTS)
    return tuple(path for files in found for path in files)


CARD = TaskCard(
    name="sib200-pairs",
    title="SIB-200 sentence retrieval",
    family="retrieval",
    roles=("target",),
    languages=tuple(code for code in SIB200.languages if code != ENGLISH),
    splits=("test",),
    evaluation_split="test",
    metrics=("accuracy",),
    licence=SIB200.licence,
    citation=SIB200.citation,
    homepage=SIB200.homepage,
    summary=(
        "SIB-200 gives 1,004 sentences of FLORES-200 in 205 language varieties. Here its parts are "
        "joined and each sentence is paired with the English one, without topics: English searches "
        "its translation by the cosine of mean-pooled hidden states. No other retrieval set at "
        "hand reaches as many languages, and all have the same candidates."
    ),
    notes=(
        "This is not a published benchmark: it uses SIB-200's sentences under the protocol of "
        "Tatoeba, with English as the query.",
        "Train, dev and test are joined by index_id, which is id and document: folds and subsets "
        "are the same sentences in all varieties. All three files are needed.",
        "The sentences are those of sib200 and are part of FLORES-200; training on sib200 shows "
        "the encoder text of this task, and the check for leaks finds it.",
        "CSV quoting of the files is undone on both sides, and these rows are counted.",
        "The layer decides the score; report which one was used.",
    ),
    find=_find,
    read=read_sib200_pairs,
)
