"""ANLI: inference pairs written to fool a model, in three rounds."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_labelled import anli
from midway.tasks.readers.nli_english import ROUNDS, read_anli
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    part = _FILES[split]
    found: tuple[Path, ...] = ()
    for name in ROUNDS:
        names = [
            f"{place}/{name.upper()}/{part}.jsonl" for place in ("anli_v1.0", "anli/anli_v1.0")
        ]
        found += find_first(
            folders,
            *names,
            f"anli/{name.upper()}/{part}.jsonl",
            f"anli/ANLI_analysis_{name}_{part}.csv",
        )
    return found


CARD = TaskCard(
    name="anli",
    title="Adversarial NLI",
    family="classification",
    roles=("intermediate", "target"),
    languages=("en",),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="CC BY-NC 4.0",
    citation=(
        "Nie, Williams, Dinan, Bansal, Weston and Kiela (2020). Adversarial NLI: A New Benchmark "
        "for Natural Language Understanding. ACL. arXiv:1910.14599"
    ),
    homepage="https://github.com/facebookresearch/anli",
    summary=(
        "Annotators saw a passage and a label and wrote a hypothesis that a model of the time got "
        "wrong and people got right. Models grew stronger over three rounds, and round 3 has "
        "passages of more genres. Development sets have 1,000, 1,000 and 1,200 pairs; scores are "
        "low, and in Phang et al. (2020) ANLI is used only joined with MultiNLI and SNLI (ANLI+)."
    ),
    notes=(
        "The three rounds are joined; ids begin with r1, r2 or r3, and a missing round gives a "
        "warning. Published work often reports the rounds separately.",
        "Labels e, n and c are entailment, neutral and contradiction.",
        "Files named ANLI_analysis_rN_dev.csv are annotated development sets; round 3 has 1,198 of "
        "the 1,200 pairs there.",
        "All pairs about one passage are one document.",
    ),
    labels=("entailment", "neutral", "contradiction"),
    find=_find,
    read=read_anli,
    hub=HubSource(
        "facebook/anli",
        "plain_text",
        {split: tuple(f"{part}_{name}" for name in ROUNDS) for split, part in _FILES.items()},
        ("en",),
        anli,
    ),
)
