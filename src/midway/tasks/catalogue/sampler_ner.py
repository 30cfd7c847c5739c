"""Sampler names: generated named-entity tagging with exact gold, parallel in its languages."""

from midway.tasks.card import TaskCard
from midway.tasks.sampler.generate import LABELS, find_monolingual, read_ner
from midway.tasks.sampler.lexicon import languages
from midway.tasks.sampler.world import VERSION

CARD = TaskCard(
    name="sampler-ner",
    title="Sampler names",
    family="tagging",
    roles=("intermediate", "target"),
    languages=languages(),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("f1",),
    licence="Apache-2.0 (part of midway)",
    citation=(
        "The midway developers. Sampler, generated from templates; in the spirit of Ribeiro et "
        "al. (2020), CheckList, ACL, and Ruder et al. (2021), MultiCheckList in XTREME-R, EMNLP"
    ),
    homepage="https://arxiv.org/abs/2005.04118",
    summary=(
        "One or two simple sentences about people, companies and places, tagged PER, ORG and LOC "
        "in IOB2. Tags follow from how a sentence is made, so they are exact. Sentence i is the "
        "same in every language."
    ),
    notes=(
        "Synthetic: sentences are few in kind, and companies follow the word for company. Scores "
        "are far above those on PAN-X.",
        "Sentences are written without review by native speakers; see docs/sampler.md.",
        "Given names, surnames, places and companies are disjoint between splits, two word orders "
        "do not occur in training.",
        "Tokens are words with punctuation split off, in Chinese characters as in PAN-X; case "
        "endings attached to a name are part of the entity's token.",
    ),
    labels=LABELS,
    find=find_monolingual,
    read=read_ner,
    version=VERSION,
)
