"""BUCC 2018: find the translations in two large heaps of sentences."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.bucc import read_bucc
from midway.tasks.sources import find_first

# XTREME's name of a set, and the shared task's own name.
_FILES = {"validation": ("dev", "sample"), "test": ("test", "training")}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    pair, (xtreme, own) = f"{language}-en", _FILES[split]
    places = (f"{pair}/{pair}.{own}", f"{pair}.{own}", f"{pair}.{xtreme}")
    sets = [_three(folder, f"bucc2018/{p}", language) for folder in folders for p in places]
    # A complete set wins over one without gold, wherever it is.
    return next((files for files in sets if len(files) == 3), next(filter(None, sets), ()))


def _three(folder: Path, place: str, language: str) -> tuple[Path, ...]:
    """Foreign side, English side and gold, as far as they are there."""
    foreign = find_first((folder,), f"{place}.{language}")
    if not foreign:
        return ()
    others = (find_first((folder,), f"{place}.{kind}") for kind in ("en", "gold"))
    return (*foreign, *(path for found in others for path in found))


CARD = TaskCard(
    name="bucc2018",
    title="BUCC 2018 bitext mining",
    family="mining",
    roles=("target",),
    languages=("de", "fr", "ru", "zh"),
    splits=("validation", "test"),
    evaluation_split="test",
    metrics=("f1", "precision", "recall"),
    licence="not stated (shared task data, for research)",
    citation=(
        "Zweigenbaum, Sharoff and Rapp (2018). Overview of the Third BUCC Shared Task: Spotting "
        "Parallel Sentences in Comparable Corpora. Workshop on Building and Using Comparable "
        "Corpora at LREC"
    ),
    homepage="https://comparable.limsi.fr/bucc2018/bucc2018-task.html",
    summary=(
        "Translated sentences were hidden in comparable German, French, Russian or Chinese text "
        "and in English text; the task is to find them. Nothing is trained: sentences are embedded "
        "with mean-pooled hidden states, and pairs whose margin score is above a threshold are "
        "taken. XTREME tests on 1,896 to 14,330 gold pairs; XTREME-R has dropped the task."
    ),
    notes=(
        "XTREME's validation is the shared task's sample set, its test the shared task's training "
        "set, whose gold is public (XX-en.training); the shared task's own test has no gold.",
        "XTREME's script removes the gold of test and renames the set; files without gold are "
        "refused.",
        "Validation is far easier than test (91.9 against 71.9 in Phang et al. 2020): report test.",
        "Sentences of both sides may occur more than once: all rows are read, of equal sentences "
        "the first one is searched, and pairs with it are left out, as in XTREME.",
        "XTREME's scorer takes the best threshold on the gold that it scores; the clean profile "
        "tunes it on validation.",
        "The layer and the pooling decide the score; report which ones were used.",
        "Gold is incomplete by design: true translations outside of it count as errors.",
    ),
    find=_find,
    read=read_bucc,
)
