"""Predictions on disk, in the layout that XTREME's scripts read.

- span QA: ``predictions/test-<language>.json``, ``{example id: answer}``;
- tagging: ``predictions/test-<language>.tsv``, a tag a line, a blank line after each sentence;
- retrieval: ``predictions/test-<language>.tsv``, for each English query the index found; the other
  direction in ``to-english/``, other layers in ``layer-<k>/``.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.metrics.prediction_files import read_indices, read_tags

MAIN, REVERSE = "predictions", "to-english"


def write_answers(answers: Mapping[str, str], language: str, out: Path) -> None:
    """Write one language's answers."""
    path = _place(out / MAIN, language, "json")
    text = json.dumps(answers, ensure_ascii=False, indent=0)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_tags(sentences: Sequence[Sequence[str]], language: str, out: Path) -> None:
    """Write one language's tags."""
    text = "".join("".join(f"{tag}\n" for tag in tags) + "\n" for tags in sentences)
    _place(out / MAIN, language, "tsv").write_text(text, encoding="utf-8", newline="\n")


def write_indices(indices: Sequence[int], language: str, folder: Path) -> None:
    """Write one language's indices, one per query."""
    text = "".join(f"{index}\n" for index in indices)
    _place(folder, language, "tsv").write_text(text, encoding="utf-8", newline="\n")


def _place(folder: Path, language: str, suffix: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"test-{language}.{suffix}"


def read_predictions(
    folder: Path, family: str, language: str, gold: Sequence[Any]
) -> Mapping[str, Any]:
    """Read one language's predictions as the family's ``score`` wants them.

    Raises:
        DataError: their number is not that of the gold.
    """
    if family == "span_qa":
        text = (folder / MAIN / f"test-{language}.json").read_text(encoding="utf-8")
        answers: dict[str, str] = json.loads(text)
        return answers
    name = f"test-{language}.tsv"
    if family == "tagging":
        sentences = read_tags(folder / MAIN / name)
        _same_number(len(sentences), len(gold), folder / MAIN / name)
        return {example.id: tags for example, tags in zip(gold, sentences, strict=True)}
    found = {"from_english": folder / MAIN, "to_english": folder / REVERSE}
    found |= {path.name.replace("-", "_"): path for path in sorted(folder.glob("layer-*"))}
    indices = {role: read_indices(path / name) for role, path in found.items()}
    for role, values in indices.items():
        _same_number(len(values), len(gold), found[role] / name)
    return indices


def _same_number(found: int, expected: int, path: Path) -> None:
    if found != expected:
        raise DataError(f"{path} has {found} predictions, expected {expected}")
