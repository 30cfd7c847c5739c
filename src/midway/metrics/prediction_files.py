"""Prediction and label files in XTREME's layout, read strictly.

Only a line feed ends a line: other line separators of Unicode occur inside real text. Whatever is
wrong with a file is one `DataError` that names it and, where there is one, the line.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midway.errors import DataError

MAX_BYTES = 1 << 28  # a file of predictions or labels; the largest published has 8 MB
MAX_DIGITS = 18


def read_lines(path: Path) -> list[str]:
    """Return the stripped lines of a file, without blank ones at its end.

    Raises:
        DataError: the file cannot be read or is not UTF-8.
    """
    lines = [line.strip() for line in _read_text(path).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def read_labels(path: Path) -> list[str]:
    """Return one label a line.

    Raises:
        DataError: the file cannot be read, or a line is blank.
    """
    lines = read_lines(path)
    if "" in lines:
        raise DataError(f"{path}:{lines.index('') + 1} is blank; expected one label a line")
    return lines


def read_tags(path: Path) -> list[list[str]]:
    """Return the tags of each sentence: one tag a line, a blank line between sentences.

    Raises:
        DataError: the file cannot be read, or a line has more than a tag.
    """
    sentences: list[list[str]] = [[]]
    for number, line in enumerate(read_lines(path), start=1):
        if not line:
            sentences.append([])
        elif len(line.split()) > 1:
            raise DataError(
                f"{path}:{number} is {line!r:.40}; expected one tag a line, nothing else"
            )
        else:
            sentences[-1].append(line)
    return [sentence for sentence in sentences if sentence]


def read_indices(path: Path) -> list[int]:
    """Return one 0-based index a line.

    Raises:
        DataError: the file cannot be read, or a line is not a number.
    """
    lines = read_labels(path)
    for number, line in enumerate(lines, start=1):
        digits = line.removeprefix("-")
        if not (line.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
            raise DataError(f"{path}:{number} is {line!r:.40}; expected one 0-based index a line")
    return [int(line) for line in lines]


def read_pairs(path: Path) -> set[tuple[str, ...]]:
    """Return the set of pairs of sentence ids, one tab-separated pair a line.

    Raises:
        DataError: the file cannot be read, or a line is not a pair.
    """
    pairs = [tuple(line.split("\t")) for line in read_labels(path)]
    for number, pair in enumerate(pairs, start=1):
        if len(pair) != 2:
            raise DataError(f"{path}:{number} has {len(pair)} columns; expected two, tab-separated")
    return set(pairs)


def read_choices(path: Path) -> list[str]:
    """Return the ``label`` of each line of a JSON Lines file (XCOPA).

    Raises:
        DataError: the file cannot be read, or a line has no label.
    """
    choices: list[str] = []
    for number, line in enumerate(read_labels(path), start=1):
        row = _parse(path, line, first_line=number)
        if not isinstance(row, dict) or "label" not in row:
            raise DataError(f'{path}:{number} has no "label"; expected {{"idx": 0, "label": 1}}')
        choices.append(str(row["label"]))
    return choices


def read_answers(path: Path) -> dict[str, str]:
    """Return question id → answer.

    Raises:
        DataError: the file cannot be read or is not such an object.
    """
    return _read_mapping(path, "an answer text", lambda value: isinstance(value, str))


def read_rankings(path: Path) -> dict[str, list[str]]:
    """Return query id → entries, best first.

    Raises:
        DataError: the file cannot be read or is not such an object.
    """
    return _read_mapping(path, "a list of entries", _is_ranking)


def read_references(path: Path) -> dict[str, list[str]]:
    """Return question id → accepted answers, of a file in SQuAD's layout.

    Raises:
        DataError: the file cannot be read or does not have that layout.
    """
    document = _parse(path, _read_text(path))
    try:
        articles = document["data"] if isinstance(document, dict) else document
        return {
            _text(question, "id"): [_text(answer, "text") for answer in question["answers"]]
            for article in articles
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        }
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{path} does not have SQuAD's layout ({type(error).__name__}: {error});"
            " expected data, paragraphs, qas, id, answers, text"
        ) from error


def _is_ranking(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str | int) for entry in value)


def _read_mapping(path: Path, wanted: str, fits: Callable[[Any], bool]) -> dict[str, Any]:
    mapping = _parse(path, _read_text(path))
    if not isinstance(mapping, dict):
        raise DataError(f"{path} holds a JSON {type(mapping).__name__}; expected id: {wanted}")
    for key, value in mapping.items():
        if not fits(value):
            raise DataError(f"{path}: {key!r:.40} has {type(value).__name__}; expected {wanted}")
    return mapping


def _text(fields: Any, key: str) -> str:
    value = fields[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is of type {type(value).__name__}, expected a string")
    return value


def _parse(path: Path, text: str, *, first_line: int = 1) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise DataError(f"{path}:{line} is not JSON ({error.msg}); write the file again") from error
    except (ValueError, RecursionError, MemoryError) as error:  # what Python's parser gives up on
        raise DataError(f"{path} is no usable JSON ({error}); write the file again") from error


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path} has more than {MAX_BYTES:,} bytes; expected one language")
        return path.read_bytes().decode("utf-8-sig")
    except MemoryError as error:
        raise DataError(f"{path} does not fit into memory; expected one language") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); make it readable") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(f"{path}:{line} is not UTF-8; save the file as UTF-8") from error
