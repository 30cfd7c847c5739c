"""Masked language modelling on plain text of any language, which the user brings."""

from pathlib import Path

from midway.languages import languages, lookup
from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.plain_text import read_plain_text
from midway.tasks.sources import find_all, stem

_PATTERNS = {"train": ("mlm/train/*.txt", "mlm/*.txt"), "validation": ("mlm/validation/*.txt",)}


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
    languages=tuple(min(each.aliases, key=lambda a: (len(a), a)) for each in languages()),
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
        "predicted. As an intermediate task, or mixed with one, it keeps the encoder's languages "
        "alive while English labels are learnt, or brings it closer to a language that it hardly "
        "knows. Phang et al. (2020) mix it with their intermediate tasks in part of their runs."
    ),
    notes=(
        "The text is the user's: mlm/CODE.txt, or mlm/train/CODE.txt and mlm/validation/CODE.txt, "
        "one text a line, plain or compressed, CODE being any code of the language (sw, swh, "
        "swh_Latn).",
        "Several files of one language (sw.txt, swh.txt) are joined in sorted order.",
        "Blank lines are dropped and counted; a text longer than max_length is cut into windows.",
        'The texts of another task serve as well: { task = "mlm", text = "sib200" } in a mix.',
        "It is not evaluated: the quantity of interest is what it does to other tasks.",
    ),
    find=_find,
    read=read_plain_text,
)
