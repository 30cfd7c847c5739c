"""ANLI+: ANLI, MultiNLI and SNLI joined, an intermediate task of Phang et al. (2020)."""

from functools import partial
from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.catalogue.anli import CARD as ANLI
from midway.tasks.catalogue.mnli import CARD as MNLI
from midway.tasks.catalogue.snli import CARD as SNLI
from midway.tasks.examples import Reading
from midway.tasks.files import find_files, read_files
from midway.tasks.readers.nli_english import read_joined

_PARTS = (ANLI, MNLI, SNLI)


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in CARD.splits:
        return ()
    return tuple(path for part in _PARTS for path in find_files(part, folders, split, language))


def _read(files: tuple[Path, ...], split: str, language: str) -> Reading:
    return read_joined(
        {part.name: partial(read_files, part) for part in _PARTS}, files, split, language
    )


CARD = TaskCard(
    name="anli-plus",
    title="ANLI+ (ANLI, MultiNLI and SNLI)",
    family="classification",
    roles=("intermediate",),
    languages=("en",),
    splits=("train", "validation"),
    evaluation_split="validation",
    metrics=("accuracy",),
    licence="CC BY-NC 4.0 (ANLI), OANC and CC BY/BY-SA 3.0 (MultiNLI), CC BY-SA 4.0 (SNLI)",
    citation=(
        "Phang, Calixto, Htut, Pruksachatkun, Liu, Vania, Kann and Bowman (2020). English "
        "Intermediate-Task Training Improves Zero-Shot Cross-Lingual Transfer Too. AACL. "
        "arXiv:2005.13013"
    ),
    homepage="https://github.com/facebookresearch/anli",
    summary=(
        "The training sets of ANLI, MultiNLI and SNLI put together, as Phang et al. (2020) do: "
        "1,104,934 pairs for training and 22,857 for validation. In the draft of that paper it "
        "helps sentence retrieval most; XNLI loses 0.8 points by it and PAWS-X gains 0.4."
    ),
    notes=(
        "What is at hand is joined, in the order ANLI, MultiNLI, SNLI; a part that is missing "
        "gives a warning, and the task is then not the published one.",
        "Ids begin with the part: anli-, mnli- or snli-.",
        "A subset of a part, such as the first 15,001 pairs of MultiNLI, counts as that part.",
        "XNLI is evaluated on data written as for MultiNLI, so this task is close to that target.",
    ),
    labels=("entailment", "neutral", "contradiction"),
    find=_find,
    read=_read,
)
