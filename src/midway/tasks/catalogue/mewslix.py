"""Mewsli-X: find the Wikipedia entity that a mention in the news stands for."""

from pathlib import Path

from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.readers.mewslix import CANDIDATES, LANGUAGES, MENTION_LANGUAGES, read_mewslix
from midway.tasks.sources import find_first

_HOMES = ("mewslix", "mewsli-x", "mewsli_x/output/dataset")
_FILES = {"validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    """Return the language's mentions and the candidates; the latter alone where it has none."""
    if split == "train" and language == "en":
        return find_first(folders, *(f"{home}/wikipedia_pairs-train.jsonl" for home in _HOMES))
    if split not in _FILES or language not in LANGUAGES:
        return ()
    own = language in MENTION_LANGUAGES
    part = _FILES[split]
    for folder in folders:
        for home in _HOMES:
            joint = f"{home}/wikinews_mentions-{part}.jsonl"
            single = f"{home}/wikinews_mentions/{part}-{language if own else '*'}.jsonl"
            if mentions := find_first((folder,), joint, single):
                candidates = find_first((folder,), f"{home}/{CANDIDATES}.jsonl")
                return mentions + candidates if own else candidates
    return ()


CARD = TaskCard(
    name="mewslix",
    title="Mewsli-X entity linking",
    family="ranking",
    roles=("intermediate", "target"),
    languages=LANGUAGES,
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("map@20",),
    licence="not stated with the data (text: Wikipedia and Wikinews, Creative Commons)",
    citation=(
        "Ruder, Constant, Botha, Siddhant, Firat, Fu, Liu, Hu, Garrette, Neubig and Johnson "
        "(2021). XTREME-R: Towards More Challenging and Nuanced Multilingual Evaluation. EMNLP. "
        "arXiv:2104.07412"
    ),
    homepage=(
        "https://github.com/google-research/google-research/blob/master/"
        "dense_representations_for_entity_retrieval/mel/mewsli-x.md"
    ),
    summary=(
        "A name in a news article of one of eleven languages stands for an entity, to be found "
        "among 1,003,893 by the beginning of its Wikipedia article, which is in one of fifty "
        "languages drawn by chance. There are 14,624 mentions in the test set and 2,991 in the "
        "development set; XTREME-R trains on 167,719 English mentions of other entities."
    ),
    notes=(
        "The first eleven languages have mentions and candidates, the other 39 candidates only: "
        "all 50 together are the official pool, and without a language its entities cannot be "
        "found.",
        "Published scores are means over the eleven languages; with one right entity a mention, "
        "mAP@20 is the mean reciprocal rank.",
        "Queries and descriptions are made as in XTREME-R, which leaves the entity's title out "
        "and cuts both sides at 64 tokens: set max_length = 64 to compare.",
        "The released files lack the article texts; the publisher's get-mewsli-x.sh fills them in.",
        "The release of 2022-05-18 is another sample than that of the XTREME-R paper, so scores "
        "differ from the printed ones.",
        "XTREME-R's script removes the entities of the test mentions; those files are refused.",
        "The English development pairs (wikipedia_pairs-dev), on which XTREME-R chose its "
        "settings, are not used.",
        "File and field names are from the publisher's description, code and examples; the "
        "complete files have not been read with this card.",
    ),
    find=_find,
    read=read_mewslix,
)
