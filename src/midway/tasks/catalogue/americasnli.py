"""AmericasNLI: part of XNLI in ten indigenous languages of the Americas."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.nli import read_americasnli
from midway.tasks.sources import find_first

_FILES = {"validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    name = f"{_FILES[split]}/{language}.tsv"
    return find_first(folders, f"americasnli/{name}", f"americasnli/data/anli_final/{name}")


CARD = TaskCard(
    name="americasnli",
    title="AmericasNLI",
    family="classification",
    roles=("target",),
    languages=("aym", "bzd", "cni", "gn", "hch", "nah", "oto", "quy", "shp", "tar"),
    splits=("validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="CC BY-SA 4.0",
    citation=(
        "Ebrahimi, Mager, Oncevay, Chaudhary, Chiruzzo, Fan, Ortega, Ramos and others (2022). "
        "AmericasNLI: Evaluating Zero-shot Natural Language Understanding of Pretrained "
        "Multilingual Models in Truly Low-resource Languages. ACL. arXiv:2104.08726"
    ),
    homepage="https://github.com/abteen/americasnli",
    summary=(
        "Pairs of XNLI, translated from Spanish by people into Aymara, Asháninka, Bribri, Guaraní, "
        "Nahuatl, Otomí, Quechua, Rarámuri, Shipibo-Konibo and Wixarika. Hardly any of them is in "
        "the training text of a multilingual encoder, so scores show what is left of transfer "
        "when the language is new. There are 743 pairs for validation and 750 for test, fewer in "
        "some languages."
    ),
    notes=(
        "No training data by design: train on MultiNLI.",
        "Languages are parallel by id, but not complete: validation has 658 pairs in cni, 585 in "
        "nah and 222 in oto, test 738 in nah and 748 in oto.",
        "Ids are rows of XNLI's file of all languages, from which the premise follows: documents "
        "are those of XNLI, so folds of both tasks agree.",
        "Labels are those of the Spanish pairs; a pair is a translation of text that models have "
        "seen in other languages if they were trained or selected on XNLI's validation set.",
        "Three pairs of nah (test) have a blank premise and are dropped and counted.",
    ),
    labels=("entailment", "neutral", "contradiction"),
    train_tasks=("mnli",),
    find=_find,
    read=read_americasnli,
)
