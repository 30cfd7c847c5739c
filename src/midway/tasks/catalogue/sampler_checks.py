"""Sampler checks: a diagnostic of models tuned on SQuAD, in the manner of MultiCheckList."""

from midway.tasks.card import TaskCard
from midway.tasks.sampler.generate import capability, find_monolingual, read_qa
from midway.tasks.sampler.lexicon import languages
from midway.tasks.sampler.world import VERSION

CARD = TaskCard(
    name="sampler-checks",
    title="Sampler checks",
    family="span_qa",
    roles=("target",),
    languages=languages(),
    splits=("validation", "test"),
    evaluation_split="test",
    train_tasks=("squad",),
    metrics=("f1", "exact_match", "error_rate"),
    licence="Apache-2.0 (part of midway)",
    citation=(
        "The midway developers. Sampler, generated from templates; in the spirit of Ribeiro et "
        "al. (2020), CheckList, ACL, and Ruder et al. (2021), MultiCheckList in XTREME-R, EMNLP"
    ),
    homepage="https://arxiv.org/abs/2005.04118",
    summary=(
        "Does a model that learnt to answer questions from SQuAD read names, places, dates, "
        "numbers, comparisons and negation in every language? The questions are those of "
        "sampler-qa; the model has not been trained on any like them, so its mistakes show what "
        "it lacks. Results hold the error rate in all (error_rate) and for each capability "
        "(error_rate_who, …_where, …_what, …_when, …_count, …_comparison, …_negation), in the "
        "clean profile, for each language."
    ),
    notes=(
        "As in XTREME-R's MultiCheckList, the model is tuned on SQuAD and the measure is the share "
        "of wrong answers; the tests, the languages and the numbers are our own and are not "
        "comparable with the published ones.",
        "A wrong answer is one without an exact match after the language's own normalisation.",
        "Error rates are better when lower; gains in the report are of F1.",
        "Synthetic, and written without review by native speakers; see docs/sampler.md.",
    ),
    capability=capability,
    find=find_monolingual,
    read=read_qa,
    version=VERSION,
)
