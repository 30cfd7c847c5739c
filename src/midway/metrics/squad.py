"""Span question answering: exact match and token F1, the best over the accepted answers.

Source: the SQuAD v1.1 evaluation script (Rajpurkar et al. 2016), which XTREME uses for XQuAD and
TyDiQA; MLQA's differs only in how an answer is normalised (`midway.metrics.normalise`).
A question without accepted answers is SQuAD v2's unanswerable question: only a prediction whose
normal form is empty is right.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from midway.metrics.normalise import AnswerProfile, Normaliser, normaliser

PerQuestion = dict[str, tuple[float, float]]


def normalize_answer(
    text: str, *, language: str = "en", profile: AnswerProfile = "official"
) -> str:
    """Return the normal form of an answer; its tokens are separated by single spaces."""
    return normaliser(profile, language)(text)


def exact_match(
    prediction: str, gold: str, *, language: str = "en", profile: AnswerProfile = "official"
) -> float:
    """Return 1.0 if both answers have the same normal form, else 0.0."""
    normal = normaliser(profile, language)
    return float(normal(prediction) == normal(gold))


def f1(
    prediction: str, gold: str, *, language: str = "en", profile: AnswerProfile = "official"
) -> float:
    """Return the F1, 0 to 1, of the multisets of tokens of the two normal forms.

    Two answers that are both empty after normalisation score 0 in SQuAD v1.1 and so in
    ``official`` and ``mlqa``; in ``clean`` they score 1.
    """
    normal = normaliser(profile, language)
    return _token_f1(normal(prediction), normal(gold), profile)


def per_question(
    predictions: Mapping[str, str],
    golds: Mapping[str, Sequence[str]],
    *,
    language: str = "en",
    profile: AnswerProfile = "official",
) -> PerQuestion:
    """Score every question of a language.

    Args:
        predictions: question id → answer. A missing id scores 0; an id that is not in `golds` is
            not looked at (both as in the SQuAD script).
        golds: question id → accepted answers; none for an unanswerable question.
        language: the benchmark's code.
        profile: ``official`` (SQuAD's English rule for every language), ``mlqa`` or ``clean``.

    Returns:
        Question id → (F1, exact match), fractions 0 to 1, in the order of `golds`. Each of the two
        is the maximum over the accepted answers on its own.
    """
    normal = normaliser(profile, language)
    return {
        question: _score_one(predictions.get(question), accepted, normal, profile)
        for question, accepted in golds.items()
    }


def summarise(scores: Iterable[tuple[float, float]]) -> dict[str, float]:
    """Return ``{"f1", "exact_match"}`` in percent: means over questions, 0 if there are none."""
    pairs = list(scores)
    count = max(len(pairs), 1)
    return {
        "f1": 100.0 * sum(pair[0] for pair in pairs) / count,
        "exact_match": 100.0 * sum(pair[1] for pair in pairs) / count,
    }


def _score_one(
    prediction: str | None, accepted: Sequence[str], normal: Normaliser, profile: AnswerProfile
) -> tuple[float, float]:
    if prediction is None:
        return 0.0, 0.0
    guess = normal(prediction)
    if not accepted:
        silent = float(not guess)
        return silent, silent
    normal_golds = {normal(gold) for gold in accepted}
    best = max(_token_f1(guess, gold, profile) for gold in normal_golds)
    return best, float(guess in normal_golds)


def _token_f1(prediction: str, gold: str, profile: AnswerProfile) -> float:
    if not prediction and not gold:
        return float(profile == "clean")
    guess, truth = prediction.split(), gold.split()
    shared = sum((Counter(guess) & Counter(truth)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(guess), shared / len(truth)
    return 2 * precision * recall / (precision + recall)
