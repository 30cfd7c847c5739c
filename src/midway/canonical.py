"""One text for one value: what keys and digests are made of.

Canonical JSON has sorted keys, no spaces, text of any script as it is and floats in their
shortest form that reads back exactly. Only plain values have such a text; anything else
raises, so that no key ever depends on a memory address, a pickle or a folder.
"""

import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from midway.errors import DataError

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
_MISSING = object()
# A file changed within one tick of the clock keeps its time; do not trust times this fresh.
_FRESH_SECONDS = 2.0


def canonical_json(obj: object) -> str:
    """Return the one JSON text of `obj`.

    A frozen dataclass becomes an object of its fields; a field whose metadata has ``neutral``
    is left out while it equals that value, so that fields can be added without changing old
    keys. An enum becomes its value, a tuple a list, ``-0.0`` becomes ``0.0``. An integer and a
    float differ (``1`` and ``1.0``).

    Raises:
        TypeError: a value of another type; the message names the path to it.
        ValueError: a float that is not finite, or text that is not Unicode (a lone surrogate).
    """
    return _ENCODER.encode(_plain(obj, ()))


def digest(obj: object) -> str:
    """Return the SHA-256 of the canonical text of `obj`, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(obj).encode("utf-8")).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the bytes of the file at `path`, 64 hexadecimal digits.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; make it readable, then run again"
        ) from error


def _plain(value: object, path: tuple[str, ...]) -> Any:
    kind = type(value)
    if kind is str:
        assert isinstance(value, str)
        if not value.isascii() and not _is_unicode(value):
            raise ValueError(f"{_where(path)} is not Unicode text: {value!r}")
        return value
    if kind is int or kind is bool or value is None:
        return value
    if kind is float:
        assert isinstance(value, float)
        if not math.isfinite(value):
            raise ValueError(f"{_where(path)} is {value!r}; only finite numbers have a key")
        return value + 0.0  # -0.0 + 0.0 is 0.0: equal numbers have one text
    if kind is list or kind is tuple:
        assert isinstance(value, list | tuple)
        return [_plain(item, (*path, f"[{i}]")) for i, item in enumerate(value)]
    if kind is dict:
        assert isinstance(value, dict)
        return _plain_dict(value, path)
    if isinstance(value, Enum):
        return _plain(value.value, path)
    return _plain_dataclass(value, path)


def _plain_dict(value: dict[Any, object], path: tuple[str, ...]) -> dict[str, Any]:
    for key in value:
        if type(key) is not str:
            raise TypeError(
                f"{_where(path)} has the key {key!r} of type {type(key).__name__}; "
                "only text can be a key"
            )
        _plain(key, path)
    return {key: _plain(item, (*path, f".{key}")) for key, item in value.items()}


def _plain_dataclass(value: object, path: tuple[str, ...]) -> dict[str, Any]:
    kind = type(value)
    if not dataclasses.is_dataclass(kind):
        raise TypeError(
            f"{_where(path)} is of type {kind.__name__}, which has no canonical text; use str, "
            "int, bool, None, float, list, tuple, dict, an enum or a frozen dataclass"
        )
    if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{_where(path)} is a {kind.__name__}, a dataclass that is not frozen")
    plain = {}
    for name, neutral in _fields(kind):
        item = _plain(getattr(value, name), (*path, f".{name}"))
        if neutral is _MISSING or _ENCODER.encode(item) != neutral:
            plain[name] = item
    return plain


@cache
def _fields(kind: type) -> list[tuple[str, object]]:
    """Return name and neutral value, as canonical text, of each field of a dataclass."""
    return [
        (
            field.name,
            canonical_json(field.metadata["neutral"]) if "neutral" in field.metadata else _MISSING,
        )
        for field in dataclasses.fields(kind)
    ]


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _where(path: tuple[str, ...]) -> str:
    return "".join(path).lstrip(".") or "the value"


class DigestCache:
    """Digests of files, remembered by absolute path, size and time of change.

    It only saves time: the file behind it may vanish or be damaged at any moment, and several
    processes may write to it. Lines are appended whole; lines that do not parse are ignored.
    """

    def __init__(self, folder: Path, *, compute: Callable[[Path], str] = file_digest) -> None:
        self._file = folder / "digests.jsonl"
        self._compute = compute
        self._known: dict[tuple[str, int, int], str] | None = None

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of the file at `path`, from memory if the file is unchanged.

        Raises:
            DataError: the file cannot be read.
        """
        if self._known is None:
            self._known = _remembered(self._file)
        before = _state(path)
        if before not in self._known:
            value = self._compute(path)
            settled = time.time() - before[2] / 1e9 > _FRESH_SECONDS
            if not settled or _state(path) != before:
                return value
            self._known[before] = value
            self._append(before, value)
        return self._known[before]

    def _append(self, state: tuple[str, int, int], value: str) -> None:
        entry = {"path": state[0], "size": state[1], "mtime_ns": state[2], "sha256": value}
        line = {**entry, "check": digest(entry)[:16]}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab", buffering=0) as file:
                # The leading newline closes a line that another writer left torn.
                file.write(f"\n{canonical_json(line)}\n".encode())
        except OSError:  # the digest is right without being remembered
            return


def _state(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; make it readable, then run again"
        ) from error
    return str(path.absolute()), stat.st_size, stat.st_mtime_ns


def _remembered(file: Path) -> dict[tuple[str, int, int], str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return {}
    known = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, Mapping) and _is_entry(entry):
            known[entry["path"], entry["size"], entry["mtime_ns"]] = entry["sha256"]
    return known


def _is_entry(line: Mapping[str, Any]) -> bool:
    shape = {"path": str, "size": int, "mtime_ns": int, "sha256": str}
    if any(type(line.get(name)) is not kind for name, kind in shape.items()):
        return False
    entry = {name: line[name] for name in shape}
    try:
        return bool(line.get("check") == digest(entry)[:16])
    except ValueError:  # half a surrogate pair, which no digest is made of
        return False
