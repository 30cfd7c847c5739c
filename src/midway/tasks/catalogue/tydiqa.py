"""TyDi QA, gold passage: questions by native speakers of nine languages, never translated."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.examples import Reading
from midway.tasks.hub.to_questions import squad_by_id
from midway.tasks.readers.squad_json import read_squad
from midway.tasks.sources import find_first

_NAMES = {
    "ar": "arabic", "bn": "bengali", "en": "english", "fi": "finnish", "id": "indonesian",
    "ko": "korean", "ru": "russian", "sw": "swahili", "te": "telugu",
}  # fmt: skip
_CODES = {name: code for code, name in _NAMES.items()}
_FILES = {"train": "train", "validation": "dev"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in _NAMES:
        return ()
    part, name = _FILES[split], _NAMES[language]
    joint = f"tydiqa-goldp-v1.1-{part}"
    return find_first(
        folders,
        f"tydiqa-goldp/{name}_tydiqa_{part}.json",
        f"tydiqa-goldp/{joint}.json",
        f"tydiqa/{joint}.json",
        f"tydiqa/{joint}/{joint}.json",
        f"tydiqa/{joint}/tydiqa-goldp-{part}-{name}.json",
        f"tydiqa/{joint}/tydiqa.goldp.{language}.{part}.json",
    )


def _read(files: tuple[Path, ...], split: str, language: str) -> Reading:
    return read_squad(files, split, language, language_of=lambda i: _CODES.get(i.split("-")[0]))


CARD = TaskCard(
    name="tydiqa",
    title="TyDi QA gold passage",
    family="span_qa",
    roles=("intermediate", "target"),
    languages=tuple(_NAMES),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=("f1", "exact_match"),
    licence="Apache 2.0 (text: Wikipedia, CC BY-SA 3.0)",
    citation=(
        "Clark, Choi, Collins, Garrette, Kwiatkowski, Nikolaev and Palomaki (2020). TyDi QA: A "
        "Benchmark for Information-Seeking Question Answering in Typologically Diverse Languages. "
        "TACL 8. arXiv:2003.05002"
    ),
    homepage="https://github.com/google-research-datasets/tydiqa",
    summary=(
        "People wrote questions in their own language without having seen the answer; the "
        "paragraph with the answer is given. Questions are natural, differ between languages and "
        "share few words with the paragraph, so scores show transfer without translation effects. "
        "XTREME trains on the 3,696 English questions and evaluates on the public development set "
        "(5,077 questions), which it calls test; here it is validation."
    ),
    notes=(
        "The published training file holds all nine languages, and tools have copied it under an "
        "English name. Every id begins with its language: others are dropped and counted.",
        "One paragraph and one question per article; titles recur, so folds go by title.",
        "Official scores use the English SQuAD normaliser. XTREME averages over all nine "
        "languages; TyDi QA's own average leaves English out.",
        "XTREME's script removes the answers of the development files; those are refused.",
        "There is no other evaluation set: selecting on it means selecting on the reported score.",
    ),
    find=_find,
    read=_read,
    hub=HubSource(
        "google/xtreme", "tydiqa", ("train", "validation"), tuple(_NAMES), squad_by_id(_CODES)
    ),
)
