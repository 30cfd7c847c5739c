"""Verdicts with a confidence that is computed from the evidence.

Confidence says how far the verdict can be leaned on, whatever it is; 0 if nothing was tested.

*Published numbers*: ``0.5 * version * consistent * (1 - retrieval / 2) / sqrt(of)``. One half,
because none of them has an error bar; ``version`` is 1 if they come from the version that the claim
is about and 1/2 if not; ``consistent`` is 1 if the averages follow from their rows and 1/2 if
not, or if no row is published to check by;
``retrieval`` is the share of the effect that untrained retrieval brings; ``of`` is how many numbers
the one in question is the greatest of, chosen by the same score.

*A study*: ``(1 - p) * seeds / (seeds + 1)``, where p is the two-sided probability of an effect so
far from the threshold (zero, or a claimed size that the interval ends below) under a normal
distribution with the interval's width; for "not supported" by zero, where the interval covers it or
a correction for many tests takes the sign away, it is ``p`` instead of ``1 - p``. One seed gives at
most a half.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from midway.analysis import ReportData
from midway.claims.judgement import (
    CONTRADICTED,
    NOT_SUPPORTED,
    NOT_TESTED,
    Grounds,
    Judgement,
)
from midway.claims.on_published import on_published
from midway.claims.on_study import on_study
from midway.claims.published import Published
from midway.claims.schema import Claim


@dataclass(frozen=True)
class Judged:
    """A claim with what is to be said of it.

    Attributes:
        claim: the claim.
        published: by published scores.
        study: by the study's results; None if there is no study.
    """

    claim: Claim
    published: Judgement
    study: Judgement | None

    @property
    def decisive(self) -> Judgement:
        """The study's judgement if it tests the claim, else the published one."""
        tested = self.study is not None and self.study.verdict != NOT_TESTED
        return self.study if tested and self.study is not None else self.published


def judge(
    claims: Sequence[Claim], published: Published, data: ReportData | None = None
) -> tuple[Judged, ...]:
    """Judge claims.

    Args:
        claims: from `midway.claims.schema.load_claims`.
        published: from `midway.claims.published.load_published`.
        data: an analysed study.
    """
    return tuple(_judge(claim, published, data) for claim in claims)


def _judge(claim: Claim, published: Published, data: ReportData | None) -> Judged:
    judgement, grounds = on_published(claim, published)
    if judgement.verdict == CONTRADICTED and not _same(claim.version, grounds):
        reason = f"{judgement.reason}; that is {grounds.sources[0]}, not the claim's version"
        judgement = replace(judgement, verdict=NOT_SUPPORTED, reason=reason)
    printed = replace(judgement, confidence=_of_published(judgement, grounds, claim.version))
    if data is None:
        return Judged(claim, printed, None)
    own = on_study(claim, data)
    return Judged(claim, printed, replace(own, confidence=_of_study(own, len(data.seeds))))


def _same(version: str, grounds: Grounds) -> bool:
    """Whether the numbers are of the version that the claim is about, if it is about one."""
    return not version or version in grounds.sources


def _of_published(judgement: Judgement, grounds: Grounds, version: str) -> float:
    if judgement.verdict == NOT_TESTED:
        return 0.0
    value = 0.5 * (1.0 if _same(version, grounds) else 0.5) * (1.0 if grounds.consistent else 0.5)
    return round(value * (1 - grounds.retrieval_share / 2) / math.sqrt(grounds.of), 3)


def _of_study(judgement: Judgement, seeds: int) -> float:
    if judgement.verdict == NOT_TESTED:
        return 0.0
    share = seeds / (seeds + 1)
    if judgement.effect is None or judgement.low is None or judgement.high is None:
        return round(0.5 * share, 3)  # counts of intervals
    error = max((judgement.high - judgement.low) / (2 * 1.959964), 1e-12)
    distance = abs(judgement.effect - judgement.threshold)
    beyond = math.erfc(distance / error / math.sqrt(2))  # two-sided
    open_ = judgement.verdict == NOT_SUPPORTED and not judgement.threshold
    value = beyond if open_ else 1 - beyond
    return round(value * share, 3)
