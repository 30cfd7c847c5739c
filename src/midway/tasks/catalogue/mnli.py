"""MultiNLI: inference over ten genres of English, the training data of XNLI."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_labelled import mnli
from midway.tasks.readers.nli_english import read_mnli
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev_matched"}
_PLACES = ("multinli_1.0", "multinli", "mnli")


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    names = [f"{place}/multinli_1.0_{_FILES[split]}.jsonl" for place in _PLACES]
    if split == "train":
        english = "multinli.train.en.tsv"
        names += [
            *(f"XNLI-MT-1.0/multinli/{english}", f"xnli/XNLI-MT-1.0/multinli/{english}"),
            *(f"XNLI-MT-1.0/xnli/{english}", f"xnli/{english}"),
            *("xnli/train-en.tsv", f"xnli-mt-subset/{english}"),
        ]
    return find_first(folders, *names)


CARD = TaskCard(
    name="mnli",
    title="MultiNLI",
    family="classification",
    roles=("intermediate", "target"),
    languages=("en",),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=("accuracy",),
    licence="OANC, with CC BY 3.0 and CC BY-SA 3.0 parts",
    citation=(
        "Williams, Nangia and Bowman (2018). A Broad-Coverage Challenge Corpus for Sentence "
        "Understanding through Inference. NAACL. arXiv:1704.05426"
    ),
    homepage="https://cims.nyu.edu/~sbowman/multinli/",
    summary=(
        "Crowd workers wrote three hypotheses for each premise from ten genres of spoken and "
        "written English: one that follows, one that cannot be true, one that may be. The "
        "complete training set has 392,702 pairs. It is the training data of XNLI in XTREME and a "
        "strong general intermediate task; in the final version of Phang et al. (2020) it is one "
        "of the three best."
    ),
    notes=(
        "Validation is the matched development set; the English side of XNLI is another text.",
        "The English file of XNLI-MT is MultiNLI's training set, tokenised and without ids; the "
        "publisher's JSON Lines are taken first if both are there.",
        "A folder xnli-mt-subset holds the first part of the training set only.",
        "Pairs on which annotators did not agree (label -) are dropped and counted.",
        "XNLI's train split is this text in other languages: do not mix it in as new data.",
    ),
    labels=("entailment", "neutral", "contradiction"),
    find=_find,
    read=read_mnli,
    hub=HubSource(
        "nyu-mll/multi_nli",
        "default",
        {"train": "train", "validation": "validation_matched"},
        ("en",),
        mnli,
    ),
)
