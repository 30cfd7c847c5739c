"""What one body of evidence says of one claim."""

from dataclasses import dataclass

SUPPORTED, NOT_SUPPORTED, CONTRADICTED, NOT_TESTED = (
    "supported",
    "not supported",
    "contradicted",
    "not tested",
)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict with what it rests on.

    Attributes:
        verdict: ``supported``; ``not supported`` if the evidence does not bear the claim out as it
            is stated; ``contradicted`` if it points the other way; ``not tested``.
        reason: a sentence.
        effect: in points, or a share or a number, as the reason says; None if nothing was tested.
        low: lower end of a 95 % interval; None if there is none.
        high: upper end.
        sample: what was looked at.
        confidence: 0 to 1, see `midway.claims.judge`.
    """

    verdict: str
    reason: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    sample: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What lowers the weight of published numbers.

    Attributes:
        sources: where the numbers stand.
        consistent: whether all averages that were used follow from their rows.
        retrieval_share: of an average gain, what comes from untrained retrieval; 0 if this is no
            matter.
        of: the number is the greatest of so many that were chosen by the same score; 1 if it is no
            maximum.
    """

    sources: tuple[str, ...] = ()
    consistent: bool = True
    retrieval_share: float = 0.0
    of: int = 1


def nothing(reason: str) -> Judgement:
    """There is nothing to judge by."""
    return Judgement(verdict=NOT_TESTED, reason=reason)
