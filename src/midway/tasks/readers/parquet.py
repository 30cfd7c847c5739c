"""The hub's Parquet files: rows → examples, by the function of the task's card.

1. All shards of a split are read in order, a batch of rows at a time; rows are numbered through,
   so that row i is the same example in every language of parallel data.
2. A label of the type ClassLabel is an integer; its name stands in the metadata that the hub
   writes into every file it converts (key ``huggingface``). Without names the order of labels
   would be a guess, so such a file is refused where a label is needed.
3. A row is an example, or counted with its reason, or a DataError naming file and row.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.tasks.card import HubSource
from midway.tasks.examples import RankedText, Reading
from midway.tasks.hub.rows import Row

BATCH_ROWS = 1024
MAX_ROWS = 1 << 26
MAX_BYTES = 1 << 32  # of all values of a file, unpacked
MAX_BATCH = 1 << 28  # of the values of rows that are unpacked at once

Names = list[str]


def read_parquet(hub: HubSource, files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read one split and language from the hub's files.

    Args:
        hub: says what a row means.
        files: shards in order, in folders named ``<config>/<split>``.
        split: train, validation or test.
        language: the benchmark's code.

    Raises:
        DataError: a file is damaged, a row is not as the card expects, an id occurs twice, or no
            row at all gives an example.
    """
    own = hub.parts(split, language)[:1]
    config = own[0].rpartition("/")[0] if own else ""
    if not hub.documents or hub.documents == config:
        reading = _read(hub, files, split, language)
    else:
        reading = _read_with_documents(hub, files, split, language)
    if hub.finish is not None:
        hub.finish(reading, split)
    return reading


def _read_with_documents(
    hub: HubSource, files: tuple[Path, ...], split: str, language: str
) -> Reading:
    """Read a language whose documents another configuration tells."""
    beside = tuple(path for path in files if path.parent.parent.name == hub.documents)
    reading = _read(hub, tuple(path for path in files if path not in beside), split, language)
    documents = {e.id: e.document for e in _read(hub, beside, split, language).examples}
    alone = sum(example.id not in documents for example in reading.examples)
    reading.examples = [
        replace(example, document=documents.get(example.id, example.document))
        for example in reading.examples
    ]
    if alone:
        reading.warnings.append(
            f"{files[0]}: {alone} of {len(reading.examples)} rows are not in {hub.documents}, so "
            "folds A and B may differ from those of other languages"
        )
    return reading


def _read(hub: HubSource, files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read rows one after the other, all numbered through."""
    reading = Reading([])
    seen: set[tuple[str, str]] = set()
    number = 0
    for path in files:
        for place, values in _rows(path):
            row = Row(values, language, split, number, path.parent.name, reading.repaired)
            number += 1
            try:
                example = hub.example(row)
            except DataError as error:
                advice = "" if ";" in str(error) else "; run `midway data fetch` for it again"
                raise DataError(f"{path}:{place}: {error}{advice}") from error
            if isinstance(example, str):
                reading.dropped[example] += 1
                continue
            key = example.id, example.side if isinstance(example, RankedText) else ""
            if key in seen:
                raise DataError(
                    f"{path}:{place}: the id {example.id!r:.40} occurs twice; run `midway data "
                    "fetch` for it again"
                )
            seen.add(key)
            reading.examples.append(example)
    if not reading.examples:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(reading.dropped.items()))
        why = f" ({reasons})" if reasons else ""
        raise DataError(
            f"{', '.join(map(str, files))}: none of {number:,} rows is an example of {language!r}"
            f"{why}; choose another split or language"
        )
    return reading


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (row from 1, column → value) of a Parquet file, labels by name."""
    import pyarrow
    import pyarrow.parquet

    place = 0
    try:
        with path.open("rb") as stream, pyarrow.parquet.ParquetFile(stream) as file:
            rows = _rows_at_once(path, file.metadata)
            schema = file.schema_arrow
            named = label_names(schema.metadata or {})
            total = 0
            for batch in file.iter_batches(batch_size=rows):
                total += batch.nbytes
                if batch.nbytes > MAX_BATCH or total > MAX_BYTES:
                    raise DataError(
                        f"{path}: {total:,} bytes in {place + len(batch):,} rows, expected a "
                        "benchmark file; run `midway data fetch` again"
                    )
                for values in batch.to_pylist():
                    place += 1
                    for column, (names, many) in named.items():
                        if column in values:
                            values[column] = _named(
                                path, place, column, values[column], names, many
                            )
                    yield place, values
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; fetch it again") from error
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        why = " ".join(str(error).split())[:200]
        where = f" after row {place}" if place else ""
        raise DataError(
            f"{path}: not readable as Parquet{where} ({why}); run `midway data fetch` again"
        ) from error


def _rows_at_once(path: Path, metadata: Any) -> int:
    """Refuse what announces more than a benchmark file holds; return how many rows to unpack.

    A value that stands once in a dictionary may stand in every row, so few rows of a large
    dictionary are unpacked at once.
    """
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    size = sum(group.total_byte_size for group in groups)
    if metadata.num_rows > MAX_ROWS or size > MAX_BYTES:
        raise DataError(
            f"{path}: announces {metadata.num_rows:,} rows of {size:,} bytes, expected a benchmark "
            "file; run `midway data fetch` again"
        )
    columns = (group.column(n) for group in groups for n in range(group.num_columns))
    largest = max((c.total_uncompressed_size for c in columns if c.has_dictionary_page), default=1)
    return min(BATCH_ROWS, max(1, MAX_BATCH // max(largest, 1)))


def label_names(metadata: Mapping[bytes, bytes]) -> dict[str, tuple[Names, bool]]:
    """Return the names of each ClassLabel column, and whether it holds lists of labels.

    Args:
        metadata: of the Arrow schema. What cannot be understood names nothing.
    """
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError, RecursionError):
        return {}
    found: dict[str, tuple[Names, bool]] = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        inner = feature
        if isinstance(feature, dict) and "feature" in feature:
            inner = feature["feature"]
        elif isinstance(feature, list) and len(feature) == 1:
            inner = feature[0]
        names = inner.get("names") if isinstance(inner, dict) else None
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
            found[column] = names, inner is not feature
    return found


def _named(path: Path, place: int, column: str, value: Any, names: Names, many: bool) -> Any:
    """Return the name of a label, or the names of a list of them; None where there is none."""
    if many and isinstance(value, list):
        return [_named(path, place, column, each, names, False) for each in value]
    if value is None or value == -1 or not isinstance(value, int):
        return None if value == -1 else value
    if not 0 <= value < len(names):
        raise DataError(
            f"{path}:{place}: {column!r} is {value}, expected 0 to {len(names) - 1} "
            f"({', '.join(names[:20])})"
        )
    return names[value]
