"""Sampler questions: generated span QA with exact gold, parallel in all its languages."""

from midway.tasks.card import TaskCard
from midway.tasks.sampler.generate import capability, find_monolingual, read_qa
from midway.tasks.sampler.lexicon import languages
from midway.tasks.sampler.world import VERSION

CARD = TaskCard(
    name="sampler-qa",
    title="Sampler questions",
    family="span_qa",
    roles=("intermediate", "target"),
    languages=languages(),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("f1", "exact_match"),
    licence="Apache-2.0 (part of midway)",
    citation=(
        "The midway developers. Sampler, generated from templates; in the spirit of Ribeiro et "
        "al. (2020), CheckList, ACL, and Ruder et al. (2021), MultiCheckList in XTREME-R, EMNLP"
    ),
    homepage="https://arxiv.org/abs/2005.04118",
    summary=(
        "Paragraphs of three to six simple sentences about invented people and companies, and a "
        "question whose answer is a span: who, where, what, when, how many, a comparison or a "
        "negation. Other facts of the same kind, and other facts about the same person, stand "
        "next to the answer. Question i is the same in every language, so languages differ in "
        "nothing but language. The last part of an id is the capability that is tested."
    ),
    notes=(
        "Synthetic and easy compared with text that people wrote; use it to learn how the program "
        "works and as a diagnostic, not as evidence about a method.",
        "Sentences are written without review by native speakers; see docs/sampler.md.",
        "Given names, surnames, places and companies are disjoint between splits, two word orders "
        "do not occur in training; professions, things, languages and months are shared.",
        "Every language of train has the same 4,000 questions: training on several languages "
        "repeats their content.",
        "An answer is whole words: a case ending attached to a name is part of it.",
    ),
    capability=capability,
    find=find_monolingual,
    read=read_qa,
    version=VERSION,
)
