"""AfriQA: questions in ten African languages, answered in English or French passages."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.afriqa import read_afriqa
from midway.tasks.sources import find_first

_PIVOTS = {
    "bem": "en", "fon": "fr", "hau": "en", "ibo": "en", "kin": "en", "swa": "en", "twi": "en",
    "wol": "fr", "yor": "en", "zul": "en",
}  # fmt: skip
_FILES = {"train": "train", "validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in _PIVOTS:
        return ()
    pivot = _PIVOTS[language]
    name = f"{language}/gold_span_passages.afriqa.{language}.{pivot}.{_FILES[split]}.json"
    return find_first(folders, f"afriqa/gold_passages/{name}", f"afriqa/data/gold_passages/{name}")


CARD = TaskCard(
    name="afriqa",
    title="AfriQA, gold passages",
    family="span_qa",
    roles=("intermediate", "target"),
    languages=tuple(_PIVOTS),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    train_tasks=("squad",),
    metrics=("f1", "exact_match"),
    licence="CC BY 4.0",
    citation=(
        "Ogundepo et al. (2023). AfriQA: Cross-lingual Open-Retrieval Question Answering for "
        "African Languages. Findings of EMNLP. arXiv:2305.06897"
    ),
    homepage="https://github.com/masakhane-io/afriqa",
    summary=(
        "Speakers of African languages asked what they wanted to know; as Wikipedia in their "
        "language rarely has the answer, it was looked up in English or French. This is the "
        "reading part: the question in the African language, the passage with the answer in the "
        "pivot language. It shows whether a model ties a poor language to a rich one, which "
        "tasks with both texts in one language do not."
    ),
    notes=(
        "The question is the one in the African language (question_lang), not its translation.",
        "Passage and answers are in the pivot language: French for fon and wol, else English.",
        "The language of an example is that of its question.",
        "Some records have no passage or no answer (up to 45 in a file); they are dropped and "
        "counted.",
        "About 6 % of the answers, yes and no among them, are not in their passage word for word: "
        "these questions are dropped in train and stay, unreachable, in test.",
        "swa has a test set only and yor no development set; wol has no files in the publisher's "
        "repository.",
        "Files are JSON Lines although they are called .json.",
    ),
    find=_find,
    read=read_afriqa,
)
