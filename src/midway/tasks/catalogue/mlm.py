"""Masked language modelling on plain text of any language, which the user brings."""

from pathlib import Path

from midway.languages import Language, languages, lookup
from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.plain_text import read_plain_text
from midway.tasks.sources import find_all, stem

_PATTERNS = {"train": ("mlm/train/*.txt", "mlm/*.txt"), "validation": ("mlm/validation/*.txt",)}


def _code(language: Language) -> str:
    """Return the shortest code, in its usual spelling if that is the full one (``ace_Arab``)."""
    shortest = min(language.aliases, key=lambda alias: (len(alias), alias))
    full = language.code.lower().replace("_", "-")
    return language.code if shortest == full else shortest


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _PATTERNS or language not in CARD.languages:
        return ()
    wanted = lookup(language)
    for folder in folders:
        for pattern in _PATTERNS[split]:
            found = find_all((folder,), pattern)
            files = tuple(path for path in found if lookup(stem(path)) == wanted)
            if files:
                return files
    return ()


CARD = TaskCard(
    name="mlm",
    title="Masked language modelling",
    family="mlm",
    roles=("intermediate",),
    languages=tuple(map(_code, languages())),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=(),
    licence="that of the text which is used",
    citation=(
        "Devlin, Chang, Lee and Toutanova (2019). BERT: Pre-training of Deep Bidirectional "
        "Transformers for Language Understanding. NAACL. arXiv:1810.04805"
    ),
    homepage="https://aclanthology.org/N19-1423",
    summary=(
        "The encoder's own pre-training task: 15 % of the pieces of a text are hidden and "
        "predicted. Mixed with an intermediate task it may keep the encoder from forgetting "
        "languages while it learns from English labels; alone it adapts the encoder to a "
        "language. Phang et al. (2020) add it, on Wikipedia text of the 40 languages of XTREME, "
        "to their intermediate tasks and see no consistent gain."
    ),
    notes=(
        "The text is the user's: mlm/CODE.txt, or mlm/train/CODE.txt and mlm/validation/CODE.txt, "
        "one text a line, plain or compressed, CODE being any code of the language (sw, swh, "
        "swh_Latn).",
        "Several files of one language (sw.txt, swh.txt) are joined in sorted order.",
        "Blank lines are dropped and counted; a text longer than max_length is cut into windows.",
        'The texts of another task serve as well: { task = "mlm", text = "sib200" } in a mix.',
        "Phang et al. draw languages with the exponent 0.3, 2 million sentences in all.",
        "The head is new: a checkpoint's own language-modelling head is not used.",
        "It is not evaluated: the quantity of interest is what it does to other tasks.",
    ),
    find=_find,
    read=read_plain_text,
)
