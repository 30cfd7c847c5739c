"""Score one language: a file of predictions against a file of labels, in XTREME's layouts.

Besides the scores there may be something to warn of: labels that are all the same, which XTREME's
preparation puts in the place of gold that was taken out, and questions without an answer, which
count as wrong.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from midway.errors import DataError
from midway.metrics import retrieval, squad, tagging
from midway.metrics.normalise import AnswerProfile
from midway.metrics.prediction_files import (
    read_answers,
    read_indices,
    read_pairs,
    read_rankings,
    read_references,
    read_tags,
)

Profile = Literal["official", "clean"]
LanguageScores = dict[str, float]
FEWEST = 10  # labels from which on one and the same label everywhere is suspicious


@dataclass(frozen=True, slots=True)
class Context:
    """What a scoring function may need to know besides the two files.

    Attributes:
        language: the benchmark's code.
        profile: ``official`` or ``clean``.
        warn: called with a sentence that names the file.
    """

    language: str
    profile: Profile
    warn: Callable[[str], None]


Score = Callable[[Path, Path, Context], LanguageScores]


def _fitting(guess: Path, truth: Path, error: DataError) -> DataError:
    return DataError(
        f"{guess} does not fit {truth}: {error}; expected one prediction for each, in "
        "the same order"
    )


def score_answers(official: AnswerProfile, guess: Path, truth: Path, at: Context) -> LanguageScores:
    """Exact match and F1; `official` is the rule that the official profile uses."""
    answers, references = read_answers(guess), read_references(truth)
    missing = references.keys() - answers.keys()
    if missing:
        at.warn(
            f"{guess}: {len(missing):,} of {len(references):,} questions have no answer, e.g. "
            f"{min(missing)!r}; they count as wrong"
        )
    questions = squad.per_question(
        answers,
        references,
        language=at.language,
        profile="clean" if at.profile == "clean" else official,
    )
    return squad.summarise(questions.values())


def score_tags(entities: bool, guess: Path, truth: Path, at: Context) -> LanguageScores:
    """F1, precision and recall over chunks; or the clean profile of the tags."""
    predicted, gold = read_tags(guess), read_tags(truth)
    _doubt(truth, [tag for tags in gold for tag in tags], at)
    try:
        if at.profile == "clean":
            return tagging.clean_scores(gold, predicted, entities=entities)
        return tagging.official_scores(gold, predicted)
    except DataError as error:
        raise _fitting(guess, truth, error) from error


def score_indices(guess: Path, truth: Path, _at: Context) -> LanguageScores:
    """Accuracy of indices."""
    try:
        return {"accuracy": retrieval.accuracy(read_indices(guess), read_indices(truth))}
    except DataError as error:
        raise _fitting(guess, truth, error) from error


def score_labels(
    read: Callable[[Path], list[str]], guess: Path, truth: Path, at: Context
) -> LanguageScores:
    """Accuracy of labels; their numbers must be equal."""
    predicted, gold = read(guess), read(truth)
    _doubt(truth, gold, at)
    if len(predicted) != len(gold):
        counts = DataError(f"{len(predicted)} predicted labels, but {len(gold)} gold labels")
        raise _fitting(guess, truth, counts)
    right = sum(map(str.__eq__, predicted, gold))
    return {"accuracy": 100.0 * right / len(gold) if gold else 0.0}


def score_pairs(guess: Path, truth: Path, _at: Context) -> LanguageScores:
    """F1, precision and recall over sets of pairs."""
    predicted, gold = read_pairs(guess), read_pairs(truth)
    found = tagging.Counts(len(predicted & gold), len(predicted), len(gold))
    return tagging.summarise([found])


def score_rankings(guess: Path, truth: Path, _at: Context) -> LanguageScores:
    """Mean average precision at 20; a query without a ranking has 0."""
    predicted, gold = read_rankings(guess), read_rankings(truth)
    values = [
        retrieval.average_precision(predicted.get(query, []), right, depth=20)
        for query, right in gold.items()
    ]
    return {"map@20": 100.0 * sum(values) / max(len(values), 1)}


def count_queries(truth: Path) -> int:
    """How many queries a file of rankings has."""
    return len(read_rankings(truth))


def _doubt(truth: Path, labels: Collection[str], at: Context) -> None:
    """Warn of labels that are all the same."""
    if len(labels) >= FEWEST and len(set(labels)) == 1:
        at.warn(
            f"{truth}: all {len(labels):,} labels are {next(iter(labels))!r}, which looks like "
            "placeholders in the place of gold that was taken out; scores on it mean nothing"
        )
