"""Tatoeba: find the English translation of a sentence among up to a thousand."""

from pathlib import Path

from midway.tasks.card import DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_sentences import tatoeba
from midway.tasks.readers.tatoeba import FILE_CODES, read_tatoeba
from midway.tasks.sources import find_first

_MORE = (
    "amh ang arq arz ast awa bel ber bos bre cat cbk ceb ces cha cor csb cym dan dsb dtp epo fao "
    "fry gla gle glg gsw hrv hsb hye ido ile ina isl kab khm kur kzj lat lfn lvs max mhr mkd mon "
    "nds nno nob nov oci orv pam pms slk slv sqi srp swe swg tat tuk tzl uig uzb war wuu xho yid "
    "yue zsm"
)

_NOT_IN_XTREME = ("az", "lt", "pl", "ro", "uk")  # nor on the hub


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split != "test" or language not in CARD.languages:
        return ()
    code = FILE_CODES.get(language, language)
    for place, foreign, english in (
        (f"tatoeba/v1/tatoeba.{code}-eng", code, "eng"),
        (f"tatoeba/tatoeba.{code}-eng", code, "eng"),
        (f"tatoeba/{language}-en", language, "en"),
    ):
        files = find_first(folders, f"{place}.{foreign}")
        if files:
            return files + find_first(folders, f"{place}.{english}")
    return ()


CARD = TaskCard(
    name="tatoeba",
    title="Tatoeba sentence retrieval",
    family="retrieval",
    roles=("target",),
    languages=(*FILE_CODES, *_MORE.split()),
    splits=("test",),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="CC BY 2.0 FR",
    citation=(
        "Artetxe and Schwenk (2019). Massively Multilingual Sentence Embeddings for Zero-Shot "
        "Cross-Lingual Transfer and Beyond. TACL 7. arXiv:1812.10464"
    ),
    homepage="https://github.com/facebookresearch/LASER/tree/main/data/tatoeba/v1",
    summary=(
        "Short sentences from a translation site, each with its English translation, in 112 "
        "languages. Nothing is trained: sentences are embedded with mean-pooled hidden states and "
        "matched by cosine, so the score shows how well a model's layers align languages. XTREME "
        "uses 36 of the languages, XTREME-R 41."
    ),
    notes=(
        "XTREME's codes where it has one (af, sw, zh), the file's ISO 639-3 code otherwise; the "
        "latter mix macro-languages (sqi, uzb) and individual ones (lvs, zsm).",
        "Sizes differ: from 104 to 1,000 pairs; accuracy on few candidates is easier.",
        "English sides differ between languages, so languages are not parallel.",
        "Official direction: English is the query, the other language is searched; English lines "
        "are sorted first so that positions give no hint.",
        "The layer decides the score (XLM-R Large 31.0 to 57.3); report which one was used.",
        "XTREME-R encodes with a model tuned on SQuAD, XTREME with the untouched encoder.",
        "Files prepared by XTREME's script have lost the pairing; they are refused.",
    ),
    find=_find,
    read=read_tatoeba,
    hub=HubSource(
        "google/xtreme",
        "tatoeba.{code}",
        {"test": "validation"},
        {k: code for k, code in FILE_CODES.items() if k not in _NOT_IN_XTREME},
        tatoeba,
    ),
)
