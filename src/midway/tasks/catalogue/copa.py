"""COPA: which of two alternatives is the more plausible cause or effect of a premise."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.copa import read_copa
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "val", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    corpus, part = "copa-test" if split == "test" else "copa-dev", _FILES[split]
    return find_first(
        folders,
        f"copa/{corpus}.xml",
        f"copa/datasets/{corpus}.xml",
        f"COPA-resources/datasets/{corpus}.xml",
        f"COPA/{part}.jsonl",
        f"copa/{part}.jsonl",
        f"xcopa/{part}-en.jsonl",
    )


CARD = TaskCard(
    name="copa",
    title="COPA",
    family="choice",
    roles=("intermediate", "target"),
    languages=("en",),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="not stated in the source (commonly given as BSD 2-clause)",
    citation=(
        "Roemmele, Bejan and Gordon (2011). Choice of Plausible Alternatives: An Evaluation of "
        "Commonsense Causal Reasoning. AAAI Spring Symposium"
    ),
    homepage="https://people.ict.usc.edu/~gordon/copa.html",
    summary=(
        "A premise of one sentence and two alternatives, one of which is the more plausible cause "
        "or effect. 1,000 items, half of them development and half test, balanced over the two "
        "positions. It is English; XCOPA is its validation and test part in other languages."
    ),
    notes=(
        "Items 1 to 400 of the development file are train and 401 to 500 validation, as in "
        "SuperGLUE and XTREME-R; 501 to 1,000 are test. The rest of a file is counted as dropped.",
        "XCOPA's validation is a translation of items 401 to 500 and its test of 501 to 1,000: "
        "they share documents, so training on the wrong part shows as a leak.",
        "The prompt is XTREME-R's: the premise and 'What was the cause?' or 'What was the "
        "effect?', then the alternative.",
        "SuperGLUE's and XTREME-R's files are read too; SuperGLUE's test file has no labels and "
        "is refused, XTREME-R's has 0 everywhere.",
        "400 items do not teach multiple choice; XTREME-R trains on Social IQa first.",
    ),
    find=_find,
    read=read_copa,
)
