"""Families: what tasks of one kind share; `midway.families.family.Family` says what that is."""

from midway.families import (
    choice,
    classification,
    mining,
    mlm,
    ranking,
    retrieval,
    span_qa,
    tagging,
)
from midway.families.family import Family

FAMILIES: dict[str, Family] = {
    "classification": classification.FAMILY,
    "choice": choice.FAMILY,
    "tagging": tagging.FAMILY,
    "span_qa": span_qa.FAMILY,
    "mlm": mlm.FAMILY,
    "ranking": ranking.FAMILY,
    "retrieval": retrieval.FAMILY,
    "mining": mining.FAMILY,
}
