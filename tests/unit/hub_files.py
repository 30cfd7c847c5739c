"""Parquet files as the hub's conversion writes them, and a card that reads them."""

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from midway.tasks import load_card
from midway.tasks.card import HubSource
from midway.tasks.examples import LabelledText
from midway.tasks.hub.lock import Pinned, lock_text

NLI = ("entailment", "neutral", "contradiction")


def write(path, columns, *, features=None, metadata=None, **options):
    """Write a Parquet file; `features` as the hub describes the columns."""
    table = pa.table(columns)
    if features is not None:
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), path, **options)
    return path


def label(*names):
    """A column of labels in `features`."""
    return {"names": list(names), "_type": "ClassLabel"}


def lock(folder, repo, *paths, **more):
    """Write a lock file that names `paths`."""
    pinned = Pinned("main", "c" * 40, dict.fromkeys(paths, ("0" * 64, 1)), **more)
    (folder / "hub").mkdir(exist_ok=True)
    (folder / "hub/lock.json").write_text(lock_text({repo: pinned}), encoding="utf-8")


def labelled(row):
    """A text and its label; some have none."""
    found = row.label("label", NLI)
    if found is None:
        return "no label"
    number = str(row.number)
    return LabelledText(number, row.language, number, row.text("premise"), "", found)


def hub(example=labelled, **more):
    """Where test data are."""
    values = {
        "repo": "test/nli",
        "config": "{code}",
        "splits": {"validation": "validation", "test": ("test_a", "test_b")},
        "codes": {"de": "deu", "sw": "swh"},
        "example": example,
    }
    return HubSource(**(values | more))


def card(**more):
    """A task whose data are on the hub only."""
    values = {"hub": hub(), "find": lambda *_: (), "languages": ("de", "sw", "zh")}
    return replace(load_card("squad"), name="nli", splits=("validation", "test"), **(values | more))
