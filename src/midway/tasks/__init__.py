"""What is to be learnt: cards, readers and the embedded data.

A card lives in ``catalogue/<name>.py``; it is found by its file name and imported when asked for.
"""

import importlib
from pathlib import Path

from midway.errors import UsageError, suggest
from midway.tasks.card import TaskCard

CATALOGUE = Path(__file__).parent / "catalogue"


def card_names() -> list[str]:
    """Return the names of all tasks, in alphabetical order."""
    files = CATALOGUE.glob("[!_]*.py")
    return sorted(path.stem.replace("_", "-") for path in files)


def load_card(name: str) -> TaskCard:
    """Return the card called `name`.

    Raises:
        UsageError: there is no such task; the message names the nearest one.
    """
    names = card_names()
    if name not in names:
        raise UsageError(
            f"unknown task {name!r}.{suggest(name, names)} `midway tasks` lists all {len(names)}"
        )
    module = importlib.import_module(f"midway.tasks.catalogue.{name.replace('-', '_')}")
    card: TaskCard = module.CARD
    return card
