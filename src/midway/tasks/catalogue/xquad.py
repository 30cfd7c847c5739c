"""XQuAD: part of SQuAD's development set in twelve languages, translated by professionals."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_questions import xquad
from midway.tasks.readers.squad_json import read_squad
from midway.tasks.sources import find_first

_LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split != "test" or language not in _LANGUAGES:
        return ()
    return find_first(folders, f"xquad/xquad.{language}.json")


CARD = TaskCard(
    name="xquad",
    title="XQuAD",
    family="span_qa",
    roles=("intermediate", "target"),
    languages=_LANGUAGES,
    splits=("test",),
    evaluation_split="test",
    train_tasks=("squad",),
    metrics=("f1", "exact_match"),
    licence="CC BY-SA 4.0",
    citation=(
        "Artetxe, Ruder and Yogatama (2020). On the Cross-lingual Transferability of Monolingual "
        "Representations. ACL. arXiv:1910.11856"
    ),
    homepage="https://github.com/google-deepmind/xquad",
    summary=(
        "240 paragraphs and 1,190 questions from the 48 articles of SQuAD's development set, with "
        "professional translations. The same questions in every language make it the one span QA "
        "set with which English and multilingual training of equal content can be compared; folds "
        "keep an article together in all languages."
    ),
    notes=(
        "XTREME scores 11 languages, XTREME-R adds ro.",
        "Contexts and questions are SQuAD development data: never train a target on them and "
        "evaluate on XQuAD, and keep folds apart when it serves as intermediate task.",
        "The official score uses the English SQuAD normaliser in every language; in zh and th "
        "most answers are then a single token, so F1 nearly equals exact match.",
        "Files prepared by XTREME's own script have no answers and no titles; they are refused.",
    ),
    find=_find,
    read=read_squad,
    hub=HubSource("google/xquad", "xquad.{code}", {"test": "validation"}, _LANGUAGES, xquad),
)
