"""PAN-X: person, organisation and place names in Wikipedia sentences of 48 languages."""

from pathlib import Path

from midway.tasks.card import SPLITS, DataFolders, HubSource, TaskCard
from midway.tasks.examples import Reading
from midway.tasks.hub.to_sentences import entities
from midway.tasks.readers.columns import IOB2, read_columns
from midway.tasks.sources import find_first

_XTREME = (
    "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th "
    "sw yo my zh kk tr et fi hu"
)
_XTREME_R = "qu pl uk az lt pa gu ro"
_FILES = {"train": "train", "validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    part = _FILES[split]
    names = (f"panx_dataset/{language}/{part}", f"panx/{language}/{part}")
    return find_first(folders, *names, f"panx/{part}-{language}.tsv")


def _read(files: tuple[Path, ...], split: str, language: str) -> Reading:
    prepared = any(".tsv" in path.suffixes for path in files)
    return read_columns(
        files,
        language,
        tags=IOB2,
        separator="\t",
        prefix="" if prepared else f"{language}:",
        advice="XTREME's preparation removes the tags of its test files, put the original files "
        f"into panx_dataset/{language}/ for {split}",
    )


CARD = TaskCard(
    name="panx",
    title="PAN-X (WikiAnn) named entities",
    family="tagging",
    roles=("intermediate", "target"),
    languages=tuple(f"{_XTREME} {_XTREME_R}".split()),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("f1", "precision", "recall"),
    licence="not stated by the authors (text: Wikipedia, CC BY-SA 3.0)",
    citation=(
        "Pan, Zhang, May, Nothman, Knight and Ji (2017). Cross-lingual Name Tagging and Linking "
        "for 282 Languages. ACL; split by Rahimi, Li and Cohn (2019). Massively Multilingual "
        "Transfer for NER. ACL. arXiv:1902.00193"
    ),
    homepage="https://github.com/afshinrahimi/mmner",
    summary=(
        "Names of persons, organisations and places in Wikipedia sentences, tagged in IOB2. The "
        "tags were made by programs from links and knowledge bases, so they are noisy, and many "
        "'sentences' are titles or list items. XTREME trains on 20,000 English sentences and "
        "tests 40 languages, XTREME-R 48; sizes run from 100 to 10,000 sentences by language."
    ),
    notes=(
        "XTREME publishes its test files without tags; those are refused. Where the original test "
        "files are missing, validation is the labelled split.",
        "The official F1 is over entities, lenient: an I- without a B- opens one. Such tags "
        "(some 500 each in the validation data of ja and zh) are kept as they are.",
        "Words of ja and zh are single characters.",
        "Copies of a sentence within and across splits are common; folds go by the text.",
        "In the original files each word begins with its language (en:); only that is cut. Until "
        "April 2020 XTREME cut words at other colons too.",
    ),
    labels=IOB2,
    find=_find,
    read=_read,
    hub=HubSource("google/xtreme", "PAN-X.{code}", SPLITS, tuple(_XTREME.split()), entities(IOB2)),
)
