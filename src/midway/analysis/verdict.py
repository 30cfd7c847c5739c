"""The verdict: what the numbers say, in words, and no more than they say.

Each question gets one of five answers. *yes* and *no* need a 95 % interval on one side of zero,
*mixed* needs intervals on both sides, *cannot tell* is an interval that covers zero, *not tested*
is a study without the runs that the question needs. Untrained retrieval never decides the first
four questions; it is answered apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from midway.analysis.comparisons import Comparison
from midway.analysis.gains import Average, Gain
from midway.analysis.headline import Standing, best_first, in_a_sentence, untested
from midway.analysis.kinds import KindGain
from midway.analysis.low_resource import TRAINED_MEAN, GroupContrast
from midway.analysis.tests import counted
from midway.analysis.wording import (
    CANNOT_TELL,
    MIXED,
    NO,
    NOT_TESTED,
    YES,
    caveats,
    ends,
    in_brackets,
    join_names,
    languages_gain,
    more_seeds,
    name_targets,
    scores_after,
    unseen,
    with_interval,
    zeros,
)
from midway.stats import expected_maximum


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, answered.

    Attributes:
        key: ``help``, ``which``, ``languages``, ``low_resource`` or ``retrieval``.
        question: in words.
        answer: ``yes``, ``no``, ``mixed``, ``cannot tell`` or ``not tested``; for ``which`` and
            ``languages`` the name of what won.
        text: a sentence or two with the numbers.
    """

    key: str
    question: str
    answer: str
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict rests on; `lows` are gains on low-resource languages wherever they are."""

    gains: Sequence[Gain]
    averages: Sequence[Average]
    resources: Sequence[GroupContrast]
    ranking: Comparison | None
    founding: Comparison | None
    stated: Sequence[Comparison]
    seeds: int
    offline_encoder: bool
    standing: Standing
    lows: Mapping[str, KindGain]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A headline, the answers, and what a reader must know before quoting them."""

    headline: str
    answers: tuple[Answer, ...]
    caveats: tuple[str, ...]


def judge(evidence: Evidence) -> Verdict:
    """Answer the project's questions from the numbers."""
    of_trained = [row for row in evidence.averages if not row.with_untrained]
    stopped = evidence.standing.stopped  # they have fewer seeds, and cannot win nor lose
    decisive = [row for row in of_trained if row.intermediate not in stopped]
    answers = (
        _help(
            decisive,
            [row for row in evidence.gains if row.intermediate not in stopped],
            evidence.standing,
        ),
        _which(decisive, evidence.ranking),
        _languages(evidence.stated, evidence.founding, evidence.standing),
        _low_resource(decisive, evidence.resources, evidence.lows),
        _retrieval(evidence.gains, evidence.standing),
    )
    frozen = evidence.offline_encoder and not all(row.trained for row in evidence.gains)
    notes = caveats(
        progress=evidence.standing.progress,
        leaks=evidence.standing.leaks,
        collapsed=evidence.standing.collapsed,
        stopped=stopped,
        waiting=evidence.standing.waiting,
        seeds=evidence.seeds,
        compared=len(of_trained),
        offline_retrieval=frozen,
        tests=counted(evidence.gains),
    )
    return Verdict(_headline(answers, decisive, evidence.standing), answers, notes)


def _help(averages: Sequence[Average], gains: Sequence[Gain], standing: Standing) -> Answer:
    """Does intermediate training help on the mean of trained targets?"""
    question = "Does intermediate training help here?"
    if not averages:
        text = "No trained target has a complete set of runs."
        if not standing.intermediates:
            text = "The study has no intermediate."
        return Answer("help", question, NOT_TESTED, text)
    signs = [row.mean.interval.sign for row in averages]
    up, down = signs.count(1), signs.count(-1)
    if up and down:
        answer = MIXED
    elif up:
        answer = YES
    else:
        answer = NO if down == len(signs) else CANNOT_TELL
    parts = [f"{row.intermediate} {in_brackets(row.mean.interval)}" for row in best_first(averages)]
    where = name_targets(averages[0].targets)
    text = f"Gain in points over no intermediate on {where}: {'; '.join(ends(parts))}."
    opposed = sorted(
        {
            row.target
            for row in gains
            if row.target in averages[0].targets and row.mean.interval.sign < 0
        }
    )
    if up and opposed:
        text += f" On {join_names(opposed)} taken alone at least one intermediate lowers the score."
    if 0 in signs:
        text += f" {zeros(signs.count(0), len(signs))}."
    return Answer("help", question, answer, text)


def _which(averages: Sequence[Average], ranking: Comparison | None) -> Answer:
    """Which intermediate is best?"""
    question = "Which intermediate?"
    if ranking is None:
        text = "Only one intermediate was compared." if averages else "Nothing to rank."
        return Answer("which", question, NOT_TESTED, text)
    first, second = ranking.first[0], ranking.second[0]
    lead = f"{first} comes first, {with_interval(ranking.mean.interval)} ahead of {second}"
    if ranking.mean.interval.sign > 0:
        return Answer("which", question, first, f"{lead}; the interval excludes zero.")
    return Answer(
        "which",
        question,
        CANNOT_TELL,
        f"{lead}, but the interval includes zero: this study cannot tell the two apart; "
        f"{unseen(ranking.mean.detectable)}.{more_seeds(ranking.mean.interval)}"
        f"{_by_chance(averages)}",
    )


def _by_chance(averages: Sequence[Average]) -> str:
    """How far the best of equal intermediates would stand out."""
    errors = [row.mean.interval.error for row in averages]
    if len(errors) < 3:
        return ""
    lead = expected_maximum(len(errors)) * median(errors)
    return (
        f" Were all {len(errors)} alike, the best of them would stand about {lead:.1f} points "
        "above their mean by chance."
    )


def _languages(
    stated: Sequence[Comparison], founding: Comparison | None, standing: Standing
) -> Answer:
    """Are multilingual intermediate data better than English ones?"""
    question = "English or multilingual intermediate data?"
    sentences = [
        f"Stated contrast: {join_names(row.first)} minus {join_names(row.second)} is "
        f"{with_interval(row.mean.interval)}."
        for row in stated
        if founding is None or (row.first, row.second) != (founding.first, founding.second)
    ]
    if founding is None:
        text = "The study does not have both an English and a multilingual intermediate."
        if standing.progress.missing:
            text = "The runs scored so far do not compare English with multilingual data."
        return Answer("languages", question, NOT_TESTED, " ".join([text, *sentences]))
    sign = founding.mean.interval.sign
    answer = {1: "multilingual", -1: "English", 0: CANNOT_TELL}[sign]
    main = (
        f"Multilingual ({join_names(founding.first)}) minus English "
        f"({join_names(founding.second)}) is {with_interval(founding.mean.interval)}"
    )
    main += (
        "."
        if sign
        else f"; the interval includes zero, and {unseen(founding.mean.detectable)}."
        f"{more_seeds(founding.mean.interval)}"
    )
    if founding.low_minus_high is not None:
        inner = founding.low_minus_high.interval
        word = {
            1: "The advantage is larger for low-resource languages",
            -1: "The advantage is larger for high-resource languages",
            0: "Whether low-resource languages profit more cannot be told",
        }[inner.sign]
        main += f" {word}: difference {in_brackets(inner)}."
    return Answer("languages", question, answer, " ".join([main, *sentences]))


def _low_resource(
    averages: Sequence[Average],
    resources: Sequence[GroupContrast],
    lows: Mapping[str, KindGain],
) -> Answer:
    """Does the best intermediate reach low-resource languages, wherever they are evaluated?"""
    question = "Do low-resource languages gain, or only rich ones?"
    rows = {(row.intermediate, row.target): row for row in resources}
    for average in best_first(averages):
        low = lows.get(average.intermediate)
        if low is None:
            continue
        answer = {1: YES, -1: NO, 0: CANNOT_TELL}[low.mean.interval.sign]
        text = (
            f"With {average.intermediate}, {languages_gain(low.languages, 'low-resource')} "
            f"{with_interval(low.mean.interval)} on {name_targets(low.targets)}"
        )
        label = TRAINED_MEAN if len(average.targets) > 1 else average.targets[0]
        row = rows.get((average.intermediate, label))
        if row is None or row.first is None or row.second is None or row.difference is None:
            return Answer("low_resource", question, answer, text + "; no high-resource to compare.")
        tell = {
            1: "low-resource languages gain more",
            -1: "high-resource languages gain more",
            0: "whether one group gains more cannot be told",
        }[row.difference.interval.sign]
        both = languages_gain(row.second_languages, "high-resource")
        if abs(row.first.interval.estimate - low.mean.interval.estimate) > 1e-9:  # fewer targets
            first = in_brackets(row.first.interval)
            both = (
                f"Where both are evaluated, low-resource ones gain {first} and high-resource ones"
            )
        text += (
            f". {both} {in_brackets(row.second.interval)}, English not counted. "
            f"Difference {in_brackets(row.difference.interval)}: {tell}."
        )
        return Answer("low_resource", question, answer, text)
    text = "No trained target has a language known to be low-resource."
    if not averages:
        text = "No mean gain over trained targets is known."
    return Answer("low_resource", question, NOT_TESTED, text)


def _retrieval(gains: Sequence[Gain], standing: Standing) -> Answer:
    """What happens to retrieval that is never trained?"""
    question = "Does untrained retrieval gain too?"
    rows = [row for row in gains if not row.trained]
    if not rows:
        text = "The study has no untrained retrieval target."
        if standing.untrained:
            text = "No gain on untrained retrieval is known."
        return Answer("retrieval", question, NOT_TESTED, text)
    signs = {row.mean.interval.sign for row in rows}
    if {1, -1} <= signs:
        answer = MIXED
    else:
        answer = YES if 1 in signs else NO if -1 in signs else CANNOT_TELL
    parts = [
        f"{target} {base:.1f} without, "
        + scores_after([(row.intermediate, row.score) for row in group])
        for (target, base), group in groupby(rows, key=lambda row: (row.target, row.baseline))
    ]
    text = f"Shown apart because it can decide averages on its own: {'; '.join(parts)}."
    return Answer("retrieval", question, answer, text)


def _headline(answers: Sequence[Answer], averages: Sequence[Average], standing: Standing) -> str:
    """Put the first question's answer and the retrieval caveat into one or two sentences."""
    found = {answer.key: answer for answer in answers}
    start = in_a_sentence(found["help"].answer, averages) if averages else untested(standing)
    tail = {
        YES: " Untrained retrieval improves.",
        NO: " Untrained retrieval gets worse.",
        MIXED: " Untrained retrieval improves with some intermediates and gets worse with others.",
    }
    return start + tail.get(found["retrieval"].answer, "")
