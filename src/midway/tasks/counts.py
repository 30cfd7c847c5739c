"""Numbers of examples, remembered so that listing the tasks does not read every file each time.

A number is valid for the same files (path, size, time of change), the same card and the same
source of this package. As with `midway.canonical.DigestCache`, the file behind it only saves
time: it may vanish, be damaged or be written by several processes.
"""

import json
import time
from pathlib import Path

from midway.canonical import digest, file_digest
from midway.errors import DataError
from midway.tasks.card import TaskCard
from midway.tasks.files import read_files

FILE = "counts.jsonl"
FRESH_SECONDS = 2.0  # a file changed within one tick of the clock keeps its time


class CountCache:
    """Remembers how many examples a split and language of a task has."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._known: dict[str, int] | None = None
        self._code = ""

    def count(self, card: TaskCard, files: tuple[Path, ...], split: str, language: str) -> int:
        """Return the number of examples in `files`, from memory if nothing has changed.

        Raises:
            DataError: a file is damaged; names file and line.
        """
        if self._known is None:
            self._known, self._code = _remembered(self._file), _source_digest()
        key, newest = self._key(card, files, split, language)
        if key not in self._known:
            number = len(read_files(card, files, split, language).examples)
            settled = time.time() - newest > FRESH_SECONDS
            if not settled or self._key(card, files, split, language)[0] != key:
                return number
            self._known[key] = number
            self._append(key, number)
        return self._known[key]

    def _key(
        self, card: TaskCard, files: tuple[Path, ...], split: str, language: str
    ) -> tuple[str, float]:
        """Return what the number depends on, and the time of the last change."""
        states = []
        for path in files:
            try:
                state = path.stat()
            except OSError as error:
                raise DataError(
                    f"cannot read {path}: {error.strerror or error}; make it readable, then run "
                    "again"
                ) from error
            states.append((str(path.absolute()), state.st_size, state.st_mtime_ns))
        newest = max((changed for _, _, changed in states), default=0) / 1e9
        return digest([self._code, card.name, card.version, split, language, states]), newest

    def _append(self, key: str, number: int) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab", buffering=0) as file:
                # The leading newline closes a line that another writer left torn.
                file.write(f"\n{json.dumps([key, number])}\n".encode())
        except OSError:  # the number is right without being remembered
            return


def _remembered(file: Path) -> dict[str, int]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return {}
    known = {}
    for line in lines:
        try:
            key, number = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(key, str) and type(number) is int:
            known[key] = number
    return known


def _source_digest() -> str:
    """Return a digest of the source of this package: readers and cards."""
    root = Path(__file__).parent
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".json"))
    return digest({path.relative_to(root).as_posix(): file_digest(path) for path in files})
