"""What a mixture asked for, and what its steps really saw."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from midway.families.features import LANGUAGE
from midway.families.tokens import languages_of
from midway.train.schedule import Step
from midway.train.step import Entry


def realised_shares(
    entries: Sequence[Entry], steps: Sequence[Step], intended: np.ndarray
) -> list[dict[str, Any]]:
    """Return for each entry the intended share of the steps and what it got.

    Args:
        entries: of the mixture.
        steps: of the whole run.
        intended: probability of drawing each entry.

    Returns:
        ``{"intended", "steps", "examples", "tokens", "languages": {code: {"examples", "tokens"}}}``
        per entry. Examples are what steps draw: each window of a long text is one, what is seen
        twice counts twice; they are counted in the language of their first row.
    """
    shares = []
    for number, entry in enumerate(entries):
        mine = [step.items for step in steps if step.entry == number]
        items = np.concatenate(mine) if mine else np.zeros(0, dtype=np.int64)
        tokens = entry.pieces.sizes[items]
        codes = languages_of(entry.features.table)
        spoken = entry.features.table[LANGUAGE].to_numpy()[
            entry.items.rows[entry.items.offsets[:-1][items]]
        ]
        shares.append(
            {
                "intended": round(float(intended[number]), 4),
                "steps": len(mine),
                "examples": len(items),
                "tokens": int(tokens.sum()),
                "languages": {
                    code: {
                        "examples": int((spoken == place).sum()),
                        "tokens": int(tokens[spoken == place].sum()),
                    }
                    for place, code in enumerate(codes)
                },
            }
        )
    return shares
