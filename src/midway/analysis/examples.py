"""What each example of a run adds to its score, as a score artefact tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midway.errors import StoreError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Order:
    """Where the examples of each language are in a file, by id.

    Runs of a target are scored on the same examples in the same order, so one order, which takes a
    sort of strings, serves them all.

    Attributes:
        keys: the file's columns language and id, an Arrow table.
        rows: language → its rows, sorted by id.
        ids: language → its ids, sorted; an Arrow column each.
    """

    keys: Any
    rows: Mapping[str, NDArray[np.int64]]
    ids: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """What each example of a run adds to its score.

    Attributes:
        order: the examples of each language.
        numerators: in the order of the file.
        denominators: likewise.
    """

    order: Order
    numerators: Floats
    denominators: Floats


def load_examples(folder: Path, known: Order | None = None) -> Examples:
    """Read ``examples.parquet``.

    Args:
        folder: a score artefact.
        known: order of another run; used again if this one has the same examples.

    Raises:
        StoreError: the file is missing, damaged or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "examples.parquet"
    columns = ["language", "id", "numerator", "denominator"]
    try:
        file = pq.ParquetFile(path)  # a third of the time that `read_table` takes
        table = file.read(columns, use_threads=False).select(columns).combine_chunks()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise StoreError(
            f"{path}: not a score artefact ({error}); `midway store verify` finds what is damaged"
        ) from error
    keys = table.select(["language", "id"])
    order = known if known is not None and known.keys.equals(keys) else _order(keys)
    return Examples(order, table["numerator"].to_numpy(), table["denominator"].to_numpy())


def _order(keys: Any) -> Order:
    """Sort the examples of a file by language and id."""
    import pyarrow.compute as pc

    indices = pc.sort_indices(keys, sort_keys=[("language", "ascending"), ("id", "ascending")])
    ids = keys["id"].take(indices)
    rows, names, start = {}, {}, 0
    for count in keys["language"].take(indices).value_counts().to_pylist():  # as they appear
        language, size = count["values"], count["counts"]
        rows[language] = indices.slice(start, size).to_numpy().astype(np.int64)
        names[language] = ids.slice(start, size)
        start += size
    return Order(keys, rows, names)
