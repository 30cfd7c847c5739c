"""MLQA: questions about parallel sentences of Wikipedia in seven languages."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_questions import squad
from midway.tasks.readers.mlqa import read_mlqa
from midway.tasks.sources import find_first

_LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")
_FILES = {"validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    """Return the language's file and the English one, which says what belongs together."""
    if split not in _FILES or language not in CARD.languages:
        return ()
    part = _FILES[split]
    for folder in folders:
        for home in (f"mlqa/{part}", f"mlqa/MLQA_V1/{part}", f"MLQA_V1/{part}"):
            names = [f"{home}/{part}-context-{x}-question-{x}.json" for x in (language, "en")]
            if files := find_first((folder,), names[0]):
                return files if language == "en" else files + find_first((folder,), names[1])
    return ()


CARD = TaskCard(
    name="mlqa",
    title="MLQA",
    family="span_qa",
    roles=("intermediate", "target"),
    languages=_LANGUAGES,
    splits=("validation", "test"),
    evaluation_split="test",
    rule="mlqa",
    train_tasks=("squad",),
    metrics=("f1", "exact_match"),
    licence="CC BY-SA 3.0",
    citation=(
        "Lewis, Oguz, Rinott, Riedel and Schwenk (2020). MLQA: Evaluating Cross-lingual "
        "Extractive Question Answering. ACL. arXiv:1910.07475"
    ),
    homepage="https://github.com/facebookresearch/MLQA",
    summary=(
        "Sentences that occur in several Wikipedias were found first; questions were asked in "
        "English and translated, answers marked in each language's own article. Passages are thus "
        "natural text, only the questions are translated: 12,738 in English, between 5,029 and "
        "6,006 in the other six. XTREME trains on English SQuAD and scores the test part."
    ),
    notes=(
        "Scores follow MLQA's own normaliser, with articles and punctuation per language and "
        "Chinese split into characters; the same answer can score otherwise in XQuAD.",
        "Question ids are shared by all languages, titles are not: an example's document is its "
        "English title, so the English file is read along with each language's.",
        "Only passage and question in one language belong to the benchmark; files with the two "
        "in different languages are not offered.",
        "XTREME's script removes the answers of its test files; those are refused.",
    ),
    find=_find,
    read=read_mlqa,
    hub=HubSource(
        "google/xtreme",
        "MLQA.{code}.{code}",
        ("validation", "test"),
        _LANGUAGES,
        squad,
        documents="MLQA.en.en",
    ),
)
