"""Sampler pairs: generated sentences with their English, to be found among 300 like them."""

from midway.tasks.card import TaskCard
from midway.tasks.sampler.generate import find_pairs, read_pairs
from midway.tasks.sampler.lexicon import languages
from midway.tasks.sampler.world import VERSION

CARD = TaskCard(
    name="sampler-pairs",
    title="Sampler sentence pairs",
    family="retrieval",
    roles=("target",),
    languages=tuple(language for language in languages() if language != "en"),
    splits=("test",),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="Apache-2.0 (part of midway)",
    citation=(
        "The midway developers. Sampler, generated from templates; in the spirit of Ribeiro et "
        "al. (2020), CheckList, ACL, and Ruder et al. (2021), MultiCheckList in XTREME-R, EMNLP"
    ),
    homepage="https://arxiv.org/abs/2005.04118",
    summary=(
        "300 sentences in each language and their English, the same 300 everywhere. Many differ "
        "in one name or number only, so a model must represent who, where and when, not just the "
        "topic."
    ),
    notes=(
        "Synthetic, and the candidates are closer to each other than in Tatoeba; do not compare "
        "the two scores.",
        "Made of the test split's names and places, which no training split of the sampler has.",
        "Sentences are written without review by native speakers; see docs/sampler.md.",
    ),
    find=find_pairs,
    read=read_pairs,
    version=VERSION,
)
