"""UDPOS: part-of-speech tagging on the Universal Dependencies treebanks."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.conllu import UPOS, read_pos
from midway.tasks.sources import find_all

_XTREME = (
    "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi "
    "yo zh"
)
_XTREME_R = "lt pl ro uk wo"
_MORE = (
    "am azz be bho bn br bxr ceb cy fo ga gd gn gun ha hsb ht hy jv ka kmr kpv ky ml mt myv pcm "
    "quc sah si sme sq tt ug xav"
)
_FILES = {"train": "train", "validation": "dev", "test": "test"}
_TOKEN_TAG = {"ar": "UD_Arabic-*.token-tag"}  # two-column folders tell no language code


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    part = _FILES[split]
    patterns = [f"ud/UD_*/{language}_*-ud-{part}.conllu"]
    patterns.append(f"ud-treebanks-v2.*/UD_*/{language}_*-ud-{part}.conllu")
    if language in _TOKEN_TAG:
        patterns.append(f"ud/{_TOKEN_TAG[language]}/{part}.txt")
    prepared = f"udpos/{part}-{language}.tsv"
    return find_all(folders, *patterns) or find_all(folders, prepared)


CARD = TaskCard(
    name="udpos",
    title="Universal Dependencies part-of-speech tagging",
    family="tagging",
    roles=("intermediate", "target"),
    languages=tuple(f"{_XTREME} {_XTREME_R} {_MORE}".split()),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("f1", "accuracy"),
    licence="per treebank: CC BY-SA 3.0 or 4.0, some CC BY-NC-SA",
    citation=(
        "Nivre, de Marneffe, Ginter, Hajič, Manning, Pyysalo, Schuster, Tyers and Zeman (2020). "
        "Universal Dependencies v2: An Evergrowing Multilingual Treebank Collection. LREC. "
        "arXiv:2004.10643"
    ),
    homepage="https://universaldependencies.org",
    summary=(
        "Every word of a sentence gets one of 17 universal part-of-speech tags. XTREME trains on "
        "the English treebanks (21,253 sentences) and tests 33 languages of UD 2.5, XTREME-R 38; "
        "the languages beyond those are mostly poor ones that have a treebank and no other task."
    ),
    notes=(
        "The official F1 is over chunks of equal neighbouring tags, not accuracy: a run with one "
        "wrong word is wrong as a whole. The clean profile reports accuracy.",
        "All treebanks of a language that are at hand are joined in sorted order; results depend "
        "on which are there (hi: often PUD only; XTREME also has HDTB).",
        "Tokens are the syntactic words. XTREME's files have fused surface tokens instead and "
        "strip ZWNJ and inner spaces, so counts differ in ar, fr, pt, he, it and others.",
        "Words may hold spaces (vi) and may be a real underscore (ug).",
        "UD_Marathi-UFAL gives fused words as _; they take the form of their range.",
        "XTREME publishes its test files without tags; those are refused.",
    ),
    labels=UPOS,
    find=_find,
    read=read_pos,
)
