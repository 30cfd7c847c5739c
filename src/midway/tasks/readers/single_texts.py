"""One labelled text a row: AfriSenti (sentiment of tweets) and SIB-200 (topic of sentences).

1. AfriSenti's tables have the columns ``tweet`` and ``label``, some an ``ID`` as well. Ids are
   row numbers from 1, and a document is the tweet, since some occur twice.
2. SIB-200's tables have the columns ``index_id``, ``category`` and ``text``. The index is the
   same sentence in all varieties: it is both id and document.
"""

from pathlib import Path

from midway.tasks.examples import Reading
from midway.tasks.readers.labelled import Labelled

SENTIMENTS = ("positive", "neutral", "negative")
TOPICS = (
    *("science/technology", "travel", "politics", "sports", "health", "entertainment"),
    "geography",
)


def read_afrisenti(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the tweets of one language, in file order.

    Args:
        files: tables with a header.
        split: not used, the layouts are the same.
        language: the benchmark's code, given to every tweet.

    Raises:
        DataError: a file is damaged or has no labels.
    """
    del split
    found = Labelled(
        language,
        dict(zip(SENTIMENTS, SENTIMENTS, strict=True)),
        instead="get the labelled file of AfriSenti's repository",
    )
    for path in files:
        rows = found.rows(path, {"text": "tweet", "label": "label"})
        for position, (number, cells) in enumerate(rows, start=1):
            found.add(path, number, cells, identity=str(position), document=cells["text"])
    return found.done(files)


def read_sib200(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the sentences of one variety, in file order.

    Args:
        files: tables with a header.
        split: not used, the layouts are the same.
        language: the benchmark's code, given to every sentence.

    Raises:
        DataError: a file is damaged or has no topics.
    """
    del split
    found = Labelled(
        language,
        dict(zip(TOPICS, TOPICS, strict=True)),
        instead="get the annotated files of SIB-200's repository",
    )
    for path in files:
        rows = found.rows(path, {"id": "index_id", "label": "category", "text": "text"})
        for number, cells in rows:
            found.add(path, number, cells, identity=cells["id"], document=cells["id"])
    return found.done(files)
