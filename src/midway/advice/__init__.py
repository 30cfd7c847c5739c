"""Advice: which intermediate to try for a target, and how well such advice would have done."""

from midway.advice.evidence import Evidence, gather
from midway.advice.pairs import Data, Probe
from midway.advice.predict import Advice, Recommendation, recommend
from midway.advice.trial import Outcome, Trial, try_out

__all__ = [
    "Advice",
    "Data",
    "Evidence",
    "Outcome",
    "Probe",
    "Recommendation",
    "Trial",
    "gather",
    "recommend",
    "try_out",
]
