"""COPA and XCOPA: a premise, and which of two alternatives is its cause or effect.

1. COPA's items are numbered 1 to 1,000. SuperGLUE and XTREME-R train on 1 to 400, 401 to 500 are
   validation, 501 to 1,000 test. XCOPA's validation row i is item 401 + i, test row i is 501 + i.
2. The document of an item is ``copa-<number>`` in both tasks, so that leaks between them are
   found and folds are the same.
3. The question is XTREME-R's prompt, in English whatever the language.
4. The XML is read by expat, without a document type: the one line of COPA's files that names a
   DTD is blanked out, and any other document type, hence any entity of a file's own, is refused.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from midway.errors import DataError
from midway.tasks.examples import ChoiceExample, Reading
from midway.tasks.readers.choice import complete, gold_of, keep, text
from midway.tasks.sources import read_text
from midway.tasks.tables import json_rows, one_of

OTHER_SPLIT = "item of another split"
ITEMS = {"train": (1, 400), "validation": (401, 500), "test": (501, 1000)}  # first and last
QUESTIONS = {"cause": "What was the cause?", "effect": "What was the effect?"}
FEWEST = 10  # examples from which on one and the same question everywhere is suspicious

_DOCTYPE = re.compile(r'<!DOCTYPE copa-corpus SYSTEM "[^"<>\[\]\n]*">')
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_PARENTS = {"copa-corpus": "", "item": "copa-corpus", "p": "item", "a1": "item", "a2": "item"}
_TEXTS = {"p": "premise", "a1": "choice1", "a2": "choice2"}
_ATTRIBUTES = {"id": "idx", "asks-for": "question", "most-plausible-alternative": "label"}

Item = tuple[int, int, dict[str, Any]]  # line, number in COPA, fields named as in SuperGLUE


def read_copa(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read COPA's XML or SuperGLUE's JSON Lines; ids are the items' numbers.

    Raises:
        DataError: an item is not complete or occurs twice, or it has no label (SuperGLUE's test
            file).
    """
    reading, seen = Reading([]), set[str]()
    first, last = ITEMS[split]
    for path in files:
        prepared = ".jsonl" in path.suffixes
        labels = ("0", "1") if prepared else ("1", "2")
        for line, number, row in _json_items(path, split) if prepared else _xml_items(path):
            if not first <= number <= last:
                reading.dropped[OTHER_SPLIT] += 1
                continue
            example = _example(
                path, line, row, identity=f"{number}", labels=labels, number=number, code=language
            )
            _keep(reading, f"{path}:{line}", example, seen)
    return complete(reading, files)


def read_xcopa(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read XCOPA's JSON Lines; ids are the rows' ``idx``, the same in every language.

    Raises:
        DataError: a row is not complete, has no label, or an ``idx`` that occurs twice or that
            the split has not.
    """
    reading, seen = Reading([]), set[str]()
    for path in files:
        for line, number, row in _json_items(path, split):
            identity = str(row["idx"])
            example = _example(
                path, line, row, identity=identity, labels=("0", "1"), number=number, code=language
            )
            _keep(reading, f"{path}:{line}", example, seen)
    kinds = {example.question for example in reading.examples if isinstance(example, ChoiceExample)}
    if len(kinds) == 1 and len(reading.examples) >= FEWEST:
        reading.warnings.append(
            f"{', '.join(map(str, files))}: all {len(reading.examples):,} rows ask "
            f"{kinds.pop()!r}, while about half of COPA's items ask for the other; the prompt is "
            "wrong for those"
        )
    return complete(reading, files)


def _example(
    path: Path,
    line: int,
    row: dict[str, Any],
    *,
    identity: str,
    labels: tuple[str, str],
    number: int,
    code: str,
) -> ChoiceExample:
    """The example for an item; a blank text is empty."""
    asked = one_of(path, line, row.get("question"), tuple(QUESTIONS), "question")
    return ChoiceExample(
        id=identity,
        language=code,
        document=f"copa-{number}",
        context=text(path, line, row, "premise"),
        question=QUESTIONS[asked],
        choices=(text(path, line, row, "choice1"), text(path, line, row, "choice2")),
        label=gold_of(path, line, row.get("label"), labels),
    )


def _keep(reading: Reading, place: str, example: ChoiceExample, seen: set[str]) -> None:
    keep(reading, place, example, seen, blank=not all((example.context, *example.choices)))


def _json_items(path: Path, split: str) -> Iterator[Item]:
    """Items of a file in SuperGLUE's layout, which holds one split."""
    first, last = ITEMS[split]
    for line, row in json_rows(path):
        index = row.get("idx")
        if type(index) is not int or not 0 <= index <= last - first:
            raise DataError(
                f"{path}:{line}: 'idx' is {index!r:.30}, expected 0 to {last - first} in {split}"
            )
        if row.get("label") is None:
            raise DataError(
                f"{path}:{line}: no label; SuperGLUE keeps those of its test file back, put "
                "COPA's copa-test.xml (or XCOPA's own file) in its place"
            )
        yield line, first + index, row


def _xml_items(path: Path) -> Iterator[Item]:
    """Items of COPA's XML, all of which must be numbered 1 to 1,000."""
    for line, row in _Corpus(path).items:
        number = row.get("idx", "")
        if not _NUMBER.fullmatch(number) or int(number) > ITEMS["test"][1]:
            raise DataError(f"{path}:{line}: item id {number!r:.20}, expected 1 to 1000")
        yield line, int(number), row


class _Corpus:
    """A strict reader of COPA's XML; `items` are (line, fields)."""

    def __init__(self, path: Path) -> None:
        self.items: list[tuple[int, dict[str, str]]] = []
        self._path = path
        self._open = [""]  # names of the elements around the current place
        self._pieces: list[str] = []  # of the current text
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        try:
            self._parser.Parse(_DOCTYPE.sub("", read_text(path), count=1), True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise DataError(
                f"{path}:{error.lineno}: not XML ({reason}); expected copa-corpus, fetch it again"
            ) from error

    def _fail(self, found: str) -> NoReturn:
        line = self._parser.CurrentLineNumber
        raise DataError(f"{self._path}:{line}: {found}; expected COPA's XML, fetch it again")

    def _doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        del system, public, internal
        self._fail(f"a document type {name!r:.30}, which is refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if _PARENTS.get(name) != self._open[-1]:
            self._fail(f"element {name!r:.30} inside {self._open[-1] or 'nothing'!r}")
        self._open.append(name)
        if name == "item":
            fields = {_ATTRIBUTES[key]: attributes.get(key, "") for key in _ATTRIBUTES}
            self.items.append((self._parser.CurrentLineNumber, fields))
        elif name in _TEXTS:
            if _TEXTS[name] in self.items[-1][1]:
                self._fail(f"a second {name!r} in an item")
            self._pieces.clear()

    def _end(self, name: str) -> None:
        self._open.pop()
        if name in _TEXTS:
            self.items[-1][1][_TEXTS[name]] = "".join(self._pieces)

    def _text(self, data: str) -> None:
        name = self._open[-1]
        if name in _TEXTS:
            self._pieces.append(data)
        elif data.strip():
            self._fail(f"text {data.strip()!r:.30} inside {name!r}")
