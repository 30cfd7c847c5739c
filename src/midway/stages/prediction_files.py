"""Predictions on disk: a file ``predictions/test-<language>.<suffix>`` for each language.

The layouts are those that XTREME's scripts read, where they have one:

- span QA: ``{question id: answer}``; n-best lists beside it in ``nbest/``;
- tagging: a tag a line, a blank line after each sentence;
- classification: a label a line;
- choice: JSON Lines ``{"idx": …, "label": number of the choice}``;
- ranking: ``{query id: [names of candidates, best first]}``;
- retrieval: for each English query the index found; the other direction in ``to-english/``, other
  layers in ``layer-<k>/``;
- mining: a pair of ids a line; all candidates with their scores in ``candidates/``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.metrics.mining import Pair, Scored
from midway.metrics.prediction_files import (
    read_answers,
    read_choices,
    read_indices,
    read_labels,
    read_rankings,
    read_tags,
)

LABELS = "labels.json"
MAIN, REVERSE, NBEST, CANDIDATES = "predictions", "to-english", "nbest", "candidates"


def write_predictions(
    family: str, predictions: Sequence[Any], examples: Sequence[Any], language: str, out: Path
) -> None:
    """Write one language's predictions, one per example, as the family's ``decode`` gives them."""
    _WRITERS[family](predictions, examples, language, out)


def read_predictions(folder: Path, family: str, language: str, gold: Sequence[Any]) -> Any:
    """Read one language's predictions as the family's ``score`` wants them.

    Raises:
        DataError: their number is not that of the gold.
    """
    return _READERS[family](folder, language, gold)


def write_indices(indices: Sequence[int], language: str, folder: Path) -> None:
    """Write one language's indices, one per query."""
    _write_lines(folder, language, "tsv", map(str, indices))


def write_mined(
    pairs: Sequence[Pair], candidates: Sequence[Scored], language: str, out: Path
) -> None:
    """Write the pairs that are taken, and all candidates with their scores, best first."""
    _write_lines(out / MAIN, language, "tsv", ("\t".join(pair) for pair in pairs))
    lines = ("\t".join([repr(score), *pair]) for score, pair in candidates)
    _write_lines(out / CANDIDATES, language, "tsv", lines)


def _answers(predictions: Sequence[Any], examples: Sequence[Any], language: str, out: Path) -> None:
    answers = {e.id: answer for e, (answer, _) in zip(examples, predictions, strict=True)}
    _write_json(out / MAIN, language, answers)
    rows = ({"id": e.id, "nbest": n} for e, (_, n) in zip(examples, predictions, strict=True))
    _write_lines(out / NBEST, language, "jsonl", map(_line, rows))


def _tags(predictions: Sequence[Any], examples: Sequence[Any], language: str, out: Path) -> None:
    del examples
    lines = (line for tags in predictions for line in (*tags, ""))
    _write_lines(out / MAIN, language, "tsv", lines)


def _labels(predictions: Sequence[Any], examples: Sequence[Any], language: str, out: Path) -> None:
    del examples
    _write_lines(out / MAIN, language, "tsv", predictions)


def _choices(predictions: Sequence[Any], examples: Sequence[Any], language: str, out: Path) -> None:
    rows = ({"idx": e.id, "label": n} for e, n in zip(examples, predictions, strict=True))
    _write_lines(out / MAIN, language, "jsonl", map(_line, rows))


def _rankings(
    predictions: Sequence[Any], examples: Sequence[Any], language: str, out: Path
) -> None:
    pairs = zip(examples, predictions, strict=True)
    _write_json(out / MAIN, language, {e.id: found for e, found in pairs if e.side == "query"})


_WRITERS: Mapping[str, Callable[[Sequence[Any], Sequence[Any], str, Path], None]] = {
    "span_qa": _answers,
    "tagging": _tags,
    "classification": _labels,
    "choice": _choices,
    "ranking": _rankings,
}


def _read_answers(folder: Path, language: str, gold: Sequence[Any]) -> dict[str, str]:
    del gold
    return read_answers(folder / MAIN / f"test-{language}.json")


def _read_tags(folder: Path, language: str, gold: Sequence[Any]) -> dict[str, list[str]]:
    path = folder / MAIN / f"test-{language}.tsv"
    sentences = _as_many(read_tags(path), gold, path)
    return {example.id: tags for example, tags in zip(gold, sentences, strict=True)}


def _read_labels(folder: Path, language: str, gold: Sequence[Any]) -> list[str]:
    path = folder / MAIN / f"test-{language}.tsv"
    return _as_many(read_labels(path), gold, path)


def _read_choices(folder: Path, language: str, gold: Sequence[Any]) -> list[int]:
    path = folder / MAIN / f"test-{language}.jsonl"
    return [int(label) for label in _as_many(read_choices(path), gold, path)]


def _read_rankings(folder: Path, language: str, gold: Sequence[Any]) -> dict[str, list[str]]:
    del gold
    return read_rankings(folder / MAIN / f"test-{language}.json")


def _read_retrieval(folder: Path, language: str, gold: Sequence[Any]) -> dict[str, list[int]]:
    found = {"from_english": folder / MAIN, "to_english": folder / REVERSE}
    found |= {path.name.replace("-", "_"): path for path in sorted(folder.glob("layer-*"))}
    name = f"test-{language}.tsv"
    return {
        role: _as_many(read_indices(path / name), gold, path / name) for role, path in found.items()
    }


def _read_mined(folder: Path, language: str, gold: Sequence[Any]) -> dict[str, Any]:
    del gold
    name = f"test-{language}.tsv"
    rows = (line.split("\t") for line in read_labels(folder / CANDIDATES / name))
    pairs = (line.split("\t") for line in read_labels(folder / MAIN / name))
    return {
        "candidates": [(float(score), (left, right)) for score, left, right in rows],
        "pairs": [(left, right) for left, right in pairs],
    }


_READERS: Mapping[str, Callable[[Path, str, Sequence[Any]], Any]] = {
    "span_qa": _read_answers,
    "tagging": _read_tags,
    "classification": _read_labels,
    "choice": _read_choices,
    "ranking": _read_rankings,
    "retrieval": _read_retrieval,
    "mining": _read_mined,
}


def _as_many(found: list[Any], gold: Sequence[Any], path: Path) -> list[Any]:
    if len(found) != len(gold):
        raise DataError(
            f"{path} has {len(found)} predictions, expected {len(gold)}, one an example"
        )
    return found


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _write_json(folder: Path, language: str, value: Mapping[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=0)
    _place(folder, language, "json").write_text(text, encoding="utf-8", newline="\n")


def _write_lines(folder: Path, language: str, suffix: str, lines: Any) -> None:
    with _place(folder, language, suffix).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def _place(folder: Path, language: str, suffix: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"test-{language}.{suffix}"
