r"""Two-column tag files: a word and its tag on each line, a blank line between sentences.

1. The tag is what follows the last separator (a tab in PAN-X, a space in Masakhane's files), so
   a word may hold spaces.
2. PAN-X's original files put the language before each word (``sw:Juma``). That prefix alone is
   cut: a colon inside a word stays.
3. A word that is empty is left out with its tag and counted in `repaired`. Words of unusual
   spaces (U+00A0, U+2028) are words: lines end at ``\n`` only.
4. Tags are taken as they are: an I- without a B- before it is not put right, since the metrics
   are lenient there.
5. A sentence's document is its text, so copies of it fall into one fold.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import Reading, TaggedSentence
from midway.tasks.sources import read_lines
from midway.tasks.tables import one_of

BLANK_WORD = "empty word left out"
NO_WORDS = "sentence without words"

IOB2 = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

Row = tuple[int, str]  # line number from 1, line


def read_columns(
    files: tuple[Path, ...],
    language: str,
    *,
    tags: Sequence[str],
    separator: str = " ",
    prefix: str = "",
    advice: str = "fetch it again",
) -> Reading:
    """Read the tagged sentences of `files`, one after the other.

    Args:
        files: two-column files.
        language: given to every sentence.
        tags: the tags there are.
        separator: what stands between word and tag.
        prefix: what every word begins with and is cut; empty where words have none.
        advice: what to do about a line without a tag.

    Returns:
        Sentences with ids ``<language>-<n>``, from 0.

    Raises:
        DataError: a line has no tag or not the prefix, a tag is unknown, or a file has no
            sentences.
    """
    reading = Reading([])
    number = 0
    for path in files:
        before = number
        for rows in sentences(path):
            pairs = [
                split_line(path, (line, text.rstrip(" \t")), separator, advice)
                for line, text in rows
            ]
            words = [
                _word(path, line, word, prefix)
                for (line, _), (word, _) in zip(rows, pairs, strict=True)
            ]
            found = [
                one_of(path, line, tag, tags, "tag")
                for (line, _), (_, tag) in zip(rows, pairs, strict=True)
            ]
            kept = [(word, tag) for word, tag in zip(words, found, strict=True) if word]
            if kept:
                reading.examples.append(_sentence(f"{language}-{number}", language, kept))
                reading.repaired[BLANK_WORD] += len(words) - len(kept)
            else:
                reading.dropped[NO_WORDS] += 1
            number += 1
        if number == before:
            raise DataError(f"{path}: no sentences; expected a word and its tag on each line")
    reading.repaired = +reading.repaired  # only what happened
    return reading


def sentences(path: Path) -> Iterator[list[Row]]:
    """Yield the numbered lines of each sentence: those between blank lines."""
    rows: list[Row] = []
    for number, line in enumerate([*read_lines(path), ""], start=1):
        if line.strip(" \t"):
            rows.append((number, line))
        elif rows:
            yield rows
            rows = []


def split_line(path: Path, row: Row, separator: str, advice: str) -> tuple[str, str]:
    """Return word and tag of a line; the tag is what follows the last separator.

    Raises:
        DataError: there is no tag; the message ends in `advice`.
    """
    number, line = row
    word, found, tag = line.rpartition(separator)
    if not found:
        raise DataError(f"{path}:{number}: {line!r:.40} has no tag; {advice}")
    return word, tag


def _word(path: Path, number: int, word: str, prefix: str) -> str:
    """Return the word without the prefix, empty if nothing is left."""
    if not word.startswith(prefix):
        raise DataError(
            f"{path}:{number}: {word!r:.40} does not begin with {prefix!r}; expected a word of "
            "that language with its prefix, check that the file is in the right folder"
        )
    return word.removeprefix(prefix).strip(" \t")


def _sentence(name: str, language: str, pairs: Iterable[tuple[str, str]]) -> TaggedSentence:
    tokens, tags = zip(*pairs, strict=True)
    return TaggedSentence(
        id=name, language=language, document=" ".join(tokens), tokens=tokens, tags=tags
    )
