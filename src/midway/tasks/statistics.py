"""Committed statistics of the tasks' data: examples, lengths and labels, per split and language.

They lie in ``statistics/<task>.json``, are written by ``make statistics`` (`midway.tasks.describe`)
and say which files they describe: data folders differ, and many hold subsets.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("statistics")


@cache
def load_statistics(task: str) -> dict[str, Any]:
    """Return the committed statistics ``{split: {language: record}}``, empty if there are none.

    A record holds ``examples``, ``files`` (names), ``digest`` (of the files), ``tokens`` (mean,
    median, 95th percentile and maximum of a sample under the XLM-R tokenizer, special tokens
    included) and, where there are labels, ``labels`` (counts).
    """
    path = FOLDER / f"{task}.json"
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
