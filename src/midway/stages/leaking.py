"""What was found to leak, on disk, and scores without it; predictions stay as they are."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

LEAKING, NEIGHBOURS = "leaking.json", "neighbours.json"

Neighbours = dict[int, dict[int, dict[int, str]]]
"""Number of the evaluation set → of the training set → {row: what it is a neighbour of}."""


def write_leaking(leaking: Mapping[str, Mapping[str, Sequence[str]]], folder: Path) -> None:
    """Write the ids of the evaluation examples that leak: target → language → ids."""
    (folder / LEAKING).write_text(json.dumps(leaking, indent=1), encoding="utf-8")


def read_leaking(folder: Path, target: str) -> dict[str, frozenset[str]]:
    """Read the ids of a target, by language; a language without any is not there."""
    found = json.loads((folder / LEAKING).read_text(encoding="utf-8")).get(target, {})
    return {language: frozenset(ids) for language, ids in found.items()}


def write_neighbours(found: Neighbours, folder: Path) -> None:
    """Write what the encoder's space says."""
    (folder / NEIGHBOURS).write_text(json.dumps(found, indent=1), encoding="utf-8")


def read_neighbours(folder: Path) -> Neighbours:
    """Read it back."""
    found = json.loads((folder / NEIGHBOURS).read_text(encoding="utf-8"))
    return {
        int(i): {int(j): {int(row): at for row, at in rows.items()} for j, rows in by.items()}
        for i, by in found.items()
    }


def left(
    family: str, predictions: Any, pool: Sequence[Any], gone: tuple[str, Collection[str]]
) -> tuple[Any, list[Any]]:
    """What remains of one language, as the family's ``score`` wants it.

    What is searched is never made smaller, or the search would become easier: of a ranking and of
    bitext mining only queries go, and a retrieved sentence that went is a wrong one.

    Args:
        family: decides on the shape of the predictions.
        predictions: of the language.
        pool: its examples; in ranking those of all languages.
        gone: the language, and the ids that go.
    """
    language, ids = gone
    searched = family in ("ranking", "mining")
    kept = [
        place
        for place, example in enumerate(pool)
        if example.language != language
        or example.id not in ids
        or (searched and example.side == "candidate")
    ]
    remaining = [pool[place] for place in kept]
    if family in ("classification", "choice"):
        predictions = [predictions[place] for place in kept]
    elif family == "retrieval":
        now = {place: new for new, place in enumerate(kept)}
        predictions = {
            role: [now.get(found[place], -1) for place in kept]
            for role, found in predictions.items()
        }
    elif family == "mining":
        queries = {example.id for example in remaining}
        predictions = {
            "candidates": [each for each in predictions["candidates"] if each[1][0] in queries],
            "pairs": [each for each in predictions["pairs"] if each[0] in queries],
        }
    return predictions, remaining
