"""LAReQA: find the answering sentence in a pool of eleven languages."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.lareqa import read_lareqa
from midway.tasks.sources import find_first

_HOMES = ("lareqa/xquad-r", "lareqa/lareqa-master/xquad-r", "lareqa-master/xquad-r", "xquad-r")


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split == "train" and language == "en":
        return find_first(folders, "squad/train-v1.1.json", "squad/train-v1.1.*.json")
    if split == "test" and language in CARD.languages:
        return find_first(folders, *(f"{home}/{language}.json" for home in _HOMES))
    return ()


CARD = TaskCard(
    name="lareqa",
    title="LAReQA, XQuAD-R",
    family="ranking",
    roles=("intermediate", "target"),
    languages=("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"),
    splits=("train", "test"),
    evaluation_split="test",
    metrics=("map@20",),
    licence="CC BY-SA 4.0",
    citation=(
        "Roy, Constant, Al-Rfou, Barua, Phillips and Yang (2020). LAReQA: Language-Agnostic "
        "Answer Retrieval from a Multilingual Pool. EMNLP. arXiv:2004.05484"
    ),
    homepage="https://github.com/google-research-datasets/lareqa",
    summary=(
        "The 1,190 questions of XQuAD search the sentences of its 240 paragraphs in all languages "
        "together: 13,090 queries and 13,014 candidates in eleven languages. A sentence in any "
        "language that answers the question is right, so a model must place translations closer "
        "to each other than to other texts of their own language. XTREME-R trains one encoder "
        "for both sides on English SQuAD."
    ),
    notes=(
        "Each question has one right sentence per language; a smaller set of languages makes "
        "another, easier task, so name the languages with every score.",
        "mAP@20 is over all questions of all languages in XTREME-R; the mean over languages is "
        "the same, as every language has the same questions.",
        "A candidate is embedded as the pair of sentence and paragraph; XTREME-R glues the two "
        "without a separator. Other right candidates of a step are no negatives here, but are "
        "in XTREME-R.",
        "The answer's sentence is where the answer begins; it runs into the next one for 3 "
        "questions in en and up to 20 in other languages.",
        "The train split is made of SQuAD v1.1's training set, the data that XTREME-R trained on "
        "too; its sentences are split by rules of ours, which differ from XTREME-R's in places.",
        "Paragraphs are SQuAD development data: never train on those.",
    ),
    find=_find,
    read=read_lareqa,
)
