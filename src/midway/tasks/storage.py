"""Examples as JSON Lines: one object a line, UTF-8, in order."""

import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from midway.tasks.examples import Example
from midway.tasks.kinds import KINDS

FILE = "examples.jsonl"


def write_examples(examples: Iterable[Example], folder: Path) -> None:
    """Write ``examples.jsonl``."""
    with (folder / FILE).open("w", encoding="utf-8", newline="\n") as file:
        for example in examples:
            fields = {name: getattr(example, name) for name in example.__slots__}
            file.write(json.dumps(fields, ensure_ascii=False) + "\n")


def read_examples(folder: Path, family: str, only: Collection[int] | None = None) -> list[Any]:
    """Read ``examples.jsonl`` back into the family's example type; `only` some, by number."""
    shape = KINDS[family].example
    examples = []
    with (folder / FILE).open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file):
            if only is not None and number not in only:
                continue
            fields = json.loads(line)
            values = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
            examples.append(shape(**values))
    return examples
