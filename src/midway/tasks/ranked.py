"""What belongs together in a search: queries and candidates with a key in common."""

from collections.abc import Sequence

from midway.tasks.examples import RankedText


def name_of(candidate: RankedText) -> str:
    """What a candidate is called in predictions: its language and its id."""
    return f"{candidate.language}/{candidate.id}"


def gold_pairs(examples: Sequence[RankedText]) -> list[tuple[str, str]]:
    """Pairs of a query's and a candidate's id that have a key in common, in order of the queries.

    Ids tell apart the examples of one side and language only, so give those of one language.
    """
    holders: dict[str, list[str]] = {}
    for example in examples:
        if example.side == "candidate":
            for key in example.keys:
                holders.setdefault(key, []).append(example.id)
    return [
        (example.id, other)
        for example in examples
        if example.side == "query"
        for key in example.keys
        for other in holders.get(key, [])
    ]
