"""SQuAD v1.1: English questions about Wikipedia paragraphs, answered by a span."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_questions import squad
from midway.tasks.readers.squad_json import read_squad
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    name = f"squad/{_FILES[split]}-v1.1"
    return find_first(folders, f"{name}.json", f"{name}.*.json")


CARD = TaskCard(
    name="squad",
    title="SQuAD v1.1",
    family="span_qa",
    roles=("intermediate", "target"),
    languages=("en",),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=("f1", "exact_match"),
    licence="CC BY-SA 4.0",
    citation=(
        "Rajpurkar, Zhang, Lopyrev and Liang (2016). SQuAD: 100,000+ Questions for Machine "
        "Comprehension of Text. EMNLP. arXiv:1606.05250"
    ),
    homepage="https://rajpurkar.github.io/SQuAD-explorer/",
    summary=(
        "Crowd workers wrote questions about paragraphs of English Wikipedia whose answer is a "
        "span of the paragraph. The complete training set has 87,599 questions about 442 "
        "articles, the development set 10,570 about 48. In Phang et al. (2020) it is the best "
        "single intermediate task for question answering in other languages."
    ),
    notes=(
        "XQuAD and LAReQA are drawn from the development set: train on the training set only.",
        "A question of the development set has one to six reference answers, mostly three, and "
        "the best one counts; 34,726 is the number of answers, not of questions.",
        "The training subset of SQuAD v2 repeats paragraphs of v1.1; mixing both counts them "
        "twice.",
        "In a rebuilt development file some answer offsets are those of the first occurrence of "
        "the text; scores, which compare texts, do not change.",
        "Files named train-v1.1.SOMETHING.json are accepted where the complete one is missing.",
    ),
    find=_find,
    read=read_squad,
    hub=HubSource("rajpurkar/squad", "plain_text", ("train", "validation"), ("en",), squad),
)
