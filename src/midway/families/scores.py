"""What scoring a language gives, whatever the family."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scores:
    """Scores of one target in one language.

    Attributes:
        n: how many examples were scored.
        official: metric → percent, as the benchmark's script prints it.
        clean: metric → percent, without the script's quirks.
        numerator: per example, what it adds to the main official metric's numerator.
        denominator: per example, what it adds to its denominator; the main metric is
            100 · Σ numerator / Σ denominator.
        ids: what the two lists are about; None if it is the examples, in order.
    """

    n: int
    official: dict[str, float]
    clean: dict[str, float]
    numerator: list[float]
    denominator: list[float]
    ids: list[str] | None = None
