"""CCG supertagging: a lexical category for every word."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.examples import Reading
from midway.tasks.readers.ccg import read_ccg
from midway.tasks.sources import find_all, find_first

_CODES = {"en": "eng", "de": "deu", "it": "ita", "nl": "nld"}
_PARTS = {"validation": "dev", "test": "test"}
_SECTIONS = {
    "train": tuple(f"{number:02}" for number in range(2, 22)),
    "validation": ("00",),
    "test": ("23",),
}
_CCGBANK = ("ccgbank/AUTO", "ccgbank/data/AUTO", "ccgbank_1_1/data/AUTO")


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _SECTIONS or language not in _CODES:
        return ()
    part, code = _PARTS.get(split, split), _CODES[language]
    if language != "en":
        return find_first(folders, f"ccg-pmb/{part}.{code}-eng.trg.gold.parse.tags")
    for place in _CCGBANK:
        files = find_all(folders, *(f"{place}/{each}/wsj_*.auto" for each in _SECTIONS[split]))
        if files:
            return files
    return find_all(folders, f"ccg-pmb/{part}.*-eng.src.gold.parse.tags")


def _read(files: tuple[Path, ...], split: str, language: str) -> Reading:
    reading = read_ccg(files, split, language)
    here = {path.parent.name for path in files if ".auto" in path.suffixes}
    missing = [section for section in _SECTIONS[split] if here and section not in here]
    if missing:
        reading.warnings.append(
            f"{files[0].parent.parent}: {split} is without the sections {', '.join(missing)}"
        )
    return reading


CARD = TaskCard(
    name="ccg",
    title="CCG supertagging",
    family="tagging",
    roles=("intermediate", "target"),
    languages=tuple(_CODES),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="CCGbank: LDC licence; Parallel Meaning Bank files: not stated (text: CC BY 2.0 FR)",
    citation=(
        "Hockenmaier and Steedman (2007). CCGbank: A Corpus of CCG Derivations and Dependency "
        "Structures Extracted from the Penn Treebank. Computational Linguistics 33(3); German, "
        "Italian and Dutch: Evang (2019). Cross-lingual CCG Induction. NAACL"
    ),
    homepage="https://github.com/texttheater/xlci",
    summary=(
        "Every word gets its category of Combinatory Categorial Grammar, which says what it "
        "combines with; there are hundreds, and together they nearly decide the parse. In Phang "
        "et al. (2020) it is the one syntactic intermediate task. CCGbank has the Wall Street "
        "Journal; the Parallel Meaning Bank's files have 50 + 50 short sentences in four languages."
    ),
    notes=(
        "The categories are learnt from the training data; a category not seen there is an error.",
        "CCGbank (sections 02-21, 00 and 23) is used where it is at hand, and only it has "
        "training data. Phang et al. (2020) do not say how they come to 38,015 + 5,484 sentences.",
        r"The two sources write categories differently (S[dcl]\NP, s:dcl\np): a tagger trained on "
        "CCGbank scores nothing on the Parallel Meaning Bank's files.",
        "The 50 sentences are parallel: ids and folds are the same in all four languages.",
        "Words are those of the derivations; in a few sentences the .tok files split otherwise.",
    ),
    rule="accuracy",
    find=_find,
    read=_read,
)
