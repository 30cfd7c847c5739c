"""SNLI: inference over captions of photographs."""

from pathlib import Path

from midway.tasks.card import SPLITS, DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_labelled import snli
from midway.tasks.readers.nli_english import SIDES, read_snli
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev", "test": "test"}
_PLACES = ("snli_1.0", "snli/snli_1.0", "snli")


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    part = _FILES[split]
    for folder in folders:
        names = (f"{place}/snli_1.0_{part}.jsonl" for place in _PLACES)
        if found := find_first((folder,), *names):
            return found
        sides = (find_first((folder,), f"snli/esnli-preproc/{side}.{part}") for side in SIDES)
        if found := tuple(path for files in sides for path in files):
            return found
    return ()


CARD = TaskCard(
    name="snli",
    title="SNLI",
    family="classification",
    roles=("intermediate", "target"),
    languages=("en",),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="CC BY-SA 4.0 (e-SNLI's repository: MIT)",
    citation=(
        "Bowman, Angeli, Potts and Manning (2015). A large annotated corpus for learning natural "
        "language inference. EMNLP. arXiv:1508.05326; three-file layout: Camburu, Rocktäschel, "
        "Lukasiewicz and Blunsom (2018). e-SNLI. NeurIPS. arXiv:1812.01193"
    ),
    homepage="https://nlp.stanford.edu/projects/snli/",
    summary=(
        "Premises are captions of photographs; crowd workers wrote hypotheses that are definitely "
        "true, definitely false or possibly true of the same picture. Large and easy, about "
        "concrete scenes only. In Phang et al. (2020) it is joined with ANLI and MultiNLI to the "
        "intermediate task ANLI+. With a gold label there are 9,842 pairs for validation and "
        "9,824 for test."
    ),
    notes=(
        "Pairs on which annotators did not agree (label -) are dropped and counted; e-SNLI's files "
        "have left them out already.",
        "e-SNLI's files are tokenised, the publisher's JSON Lines are not; the latter are taken "
        "first.",
        "All hypotheses about one caption are one document.",
        "Hypotheses alone give the label away in many cases.",
    ),
    labels=("entailment", "neutral", "contradiction"),
    find=_find,
    read=read_snli,
    hub=HubSource("stanfordnlp/snli", "plain_text", SPLITS, ("en",), snli),
)
