"""AfriSenti: sentiment of tweets in African languages."""

from pathlib import Path

from midway.tasks.card import SPLITS, DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_labelled import afrisenti
from midway.tasks.readers.single_texts import SENTIMENTS, read_afrisenti
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev", "test": "test"}
_LANGUAGES = "amh arq ary hau ibo kin orm pcm por swa tir tso twi yor"


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    name = f"{language}/{_FILES[split]}.tsv"
    places = ("afrisenti", "afrisenti/data", "afrisent-semeval-2023/data")
    return find_first(folders, *(f"{place}/{name}" for place in places))


CARD = TaskCard(
    name="afrisenti",
    title="AfriSenti-SemEval",
    family="classification",
    roles=("intermediate", "target"),
    languages=tuple(_LANGUAGES.split()),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("weighted_f1", "accuracy"),
    rule="weighted_f1",
    licence="CC BY 4.0",
    citation=(
        "Muhammad, Abdulmumin, Ayele, Ousidhoum, Adelani, Yimam and others (2023). AfriSenti: A "
        "Twitter Sentiment Analysis Benchmark for African Languages. EMNLP. arXiv:2302.08956"
    ),
    homepage="https://github.com/afrisenti-semeval/afrisent-semeval-2023",
    summary=(
        "Tweets in 14 languages of Africa, marked by native speakers as positive, neutral or "
        "negative: Algerian and Moroccan Arabic, Amharic, Hausa, Igbo, Kinyarwanda, Mozambican "
        "Portuguese, Nigerian Pidgin, Oromo, Swahili, Tigrinya, Twi, Xitsonga and Yorùbá. The text "
        "is informal and often mixes languages. It was a shared task at SemEval 2023."
    ),
    notes=(
        "There are no English training data: train on another of the languages.",
        "orm and tir have no training data; the shared task used them for zero-shot transfer.",
        "The shared task ranks by F1 averaged over the labels, weighted by how often each occurs.",
        "Shares of the labels differ much between languages, and between splits (amh: 26 % are "
        "negative in validation, 67 % in test).",
        "Languages are not parallel; user names are masked as @user.",
        "Test files that went through a CSV writer have quotation marks doubled; this is undone "
        "and counted.",
    ),
    labels=SENTIMENTS,
    find=_find,
    read=read_afrisenti,
    hub=HubSource(
        "shmuhammad/AfriSenti-twitter-sentiment",
        "{code}",
        SPLITS,
        tuple(_LANGUAGES.split()),
        afrisenti,
    ),
)
