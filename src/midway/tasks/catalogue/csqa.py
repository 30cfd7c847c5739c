"""CommonsenseQA: questions that need everyday knowledge and no text."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_choices import csqa
from midway.tasks.readers.choice import read_csqa
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if language != "en" or split not in _FILES:
        return ()
    return find_first(folders, f"csqa/{_FILES[split]}_rand_split.jsonl")


CARD = TaskCard(
    name="csqa",
    title="CommonsenseQA",
    family="choice",
    roles=("intermediate",),
    languages=("en",),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=("accuracy",),
    licence="not stated in the source (commonly given as MIT)",
    citation=(
        "Talmor, Herzig, Lourie and Berant (2019). CommonsenseQA: A Question Answering Challenge "
        "Targeting Commonsense Knowledge. NAACL. arXiv:1811.00937"
    ),
    homepage="https://www.tau-nlp.org/commonsenseqa",
    summary=(
        "Crowd workers wrote questions that tell apart concepts with the same relation to a "
        "source concept in ConceptNet; each has five short answers. There is no paragraph to "
        "read. The random split has 9,741 training and 1,221 development questions. It is the "
        "smallest intermediate task in Phang et al. (2020), where it helps TyDiQA."
    ),
    notes=(
        "The random split is used, not the one by question tokens.",
        "Choices are put in the order of their letters, A to E.",
        "The test file has no answers, so there is no test split; such a file is refused.",
        "Folds go by the source concept, which several questions share.",
    ),
    find=_find,
    read=read_csqa,
    hub=HubSource("tau/commonsense_qa", "default", ("train", "validation"), ("en",), csqa),
)
