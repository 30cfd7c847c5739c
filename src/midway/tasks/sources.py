r"""Benchmark files: where they lie and how their bytes become text.

1. `find_first` returns the files of the first pattern that matches, in the order of the data
   folders; a card lists its patterns from the best layout to the least good one.
2. `read_text` and `read_lines` open plain, ``.gz`` and ``.bz2`` files. Whatever is wrong with
   the bytes is a `DataError` that names the file and, where there is one, the line.
3. Lines end at ``\n`` only, less one ``\r``. Characters such as U+001C or U+0085, which
   `str.splitlines` takes for line ends, occur inside real sentences.

Layouts that are understood, relative to a data folder (each file may also end in .gz or .bz2):

* original names: ``squad/train-v1.1.json``, ``squad/dev-v2.0.json``, ``xquad/xquad.de.json``,
  ``tydiqa-goldp/arabic_tydiqa_dev.json``, ``tydiqa-goldp/tydiqa-goldp-v1.1-train.json``,
  ``ud/UD_X-Y/xx_y-ud-test.conllu``, ``tatoeba/v1/tatoeba.deu-eng.deu``; a subset or a rebuilt
  file says so in its name (``squad/train-v1.1.subset-….json.gz``).
* what XTREME's ``scripts/download_data.sh`` leaves in ``download/``: ``squad/``, ``xquad/``,
  ``tydiqa/tydiqa-goldp-v1.1-{train,dev}/``, ``udpos/{train,dev}-xx.tsv``, ``tatoeba/``. That
  script removes the gold of its test files and sorts the English side of Tatoeba, so those
  files are found, recognised and refused with the name of the file to get instead.
"""

import bz2
import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from midway.errors import DataError

COMPRESSED = ("", ".gz", ".bz2")
MAX_BYTES = 1 << 30
MAX_LINE = 1 << 24  # characters of one line
MAX_VALUES = 1 << 25  # of a JSON document; the largest that is published has some two million
# Text packs to a tenth; what unpacks to far more, and to much, was made to fill the memory.
MAX_RATIO, LEAST_BOMB = 100, 1 << 26
BLOCK = 1 << 20


def parse_folders(text: str | None) -> tuple[Path, ...]:
    """Return the data folders of a ``:``-separated list such as that of ``MIDWAY_DATA``.

    Raises:
        DataError: one of them is not a folder.
    """
    folders = tuple(Path(part).expanduser() for part in (text or "").split(":") if part)
    check_folders(folders)
    return folders


def check_folders(folders: Iterable[Path]) -> None:
    """Raise DataError if one of `folders` does not exist or is not a folder."""
    for folder in folders:
        if not folder.is_dir():
            what = "is not a folder" if folder.exists() else "does not exist"
            raise DataError(
                f"data folder {folder} {what}; give an existing one with --data or MIDWAY_DATA"
            )


def find_first(folders: Iterable[Path], *patterns: str) -> tuple[Path, ...]:
    """Return the one file that the earliest pattern matches, or ``()``.

    Folders are tried in order and, within one, patterns in order; of several files that match
    one pattern the first by name is taken. Patterns are globs without a compression suffix.
    """
    for folder in folders:
        for pattern in patterns:
            for path in _matches(folder, pattern):
                return (path,)
    return ()


def find_all(folders: Iterable[Path], *patterns: str) -> tuple[Path, ...]:
    """Return all files that one of `patterns` matches in the first folder with any, sorted."""
    for folder in folders:
        found = {path for pattern in patterns for path in _matches(folder, pattern)}
        if found:
            return tuple(sorted(found))
    return ()


def _matches(folder: Path, pattern: str) -> list[Path]:
    """Return the files that match, sorted; one that is also there compressed counts once, plain.

    A name without wildcards is looked up directly, since folders can be large.
    """
    if "*" not in pattern:
        files = (folder / (pattern + suffix) for suffix in COMPRESSED)
        return [path for path in files if path.is_file()][:1]
    plain: dict[Path, Path] = {}
    for path in sorted(folder.glob(pattern + "*")):  # x.json sorts before x.json.gz
        name = path.with_suffix("") if path.suffix in COMPRESSED[1:] else path
        if name.match(pattern) and path.is_file():
            plain.setdefault(name, path)
    return [plain[name] for name in sorted(plain)]


def stem(path: Path) -> str:
    """Return the file's name without compression suffix and without its own extension."""
    name = path.name
    for suffix in COMPRESSED[1:]:
        name = name.removesuffix(suffix)
    return name.rsplit(".", 1)[0]


def _open(path: Path) -> BinaryIO | gzip.GzipFile | bz2.BZ2File:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")
    return bz2.open(path, "rb") if path.suffix == ".bz2" else path.open("rb")


def read_bytes(path: Path) -> bytes:
    """Return the content of a plain, ``.gz`` or ``.bz2`` file.

    Raises:
        DataError: the file is missing, unreadable, damaged, cut off, empty, larger than
            `MAX_BYTES` when unpacked, unpacks to `MAX_RATIO` times its size, or is more than fits
            into memory.
    """
    try:
        content = _read_at_most(path, MAX_BYTES)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check --data or MIDWAY_DATA") from error
    except EOFError as error:
        raise DataError(f"{path}: the {path.suffix} file is cut off; fetch it again") from error
    except MemoryError as error:
        raise DataError(f"{path}: does not fit into memory; expected a benchmark file") from error
    except (OSError, zlib.error, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"{path}: more than {MAX_BYTES:,} bytes, expected a benchmark file")
    if not content:
        raise DataError(f"{path}: the file is empty; fetch it again")
    return content


def _read_at_most(path: Path, limit: int) -> bytes:
    """Return up to `limit` + 1 bytes of a file, unpacked a block at a time."""
    packed = path.stat().st_size
    if packed > limit:
        raise DataError(f"{path}: {packed:,} bytes, expected a benchmark file of at most {limit:,}")
    with _open(path) as stream:
        if path.suffix not in COMPRESSED[1:]:
            return stream.read(limit + 1)
        content = bytearray()
        while len(content) <= limit and (block := stream.read(BLOCK)):
            content += block
            if len(content) > max(MAX_RATIO * packed, LEAST_BOMB):
                raise DataError(
                    f"{path}: unpacks to more than {MAX_RATIO} times its size, expected a "
                    "benchmark file; fetch it again"
                )
    return bytes(content)


def read_text(path: Path, *, lossy: bool = False) -> str:
    """Return the text of a UTF-8 file, less a byte order mark at its start.

    Args:
        path: the file.
        lossy: put U+FFFD in the place of bytes that are not UTF-8, for files that are known to
            hold some.

    Raises:
        DataError: see `read_bytes`; or the bytes are not UTF-8 (names the line).
    """
    content = read_bytes(path)
    if lossy:
        return content.decode("utf-8-sig", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The offset is counted after a byte order mark, which holds no line end anyway.
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}:{line}: byte 0x{error.object[error.start]:02x} is not valid UTF-8; "
            "expected UTF-8 text, convert the file or fetch it again"
        ) from error


def read_lines(path: Path, *, lossy: bool = False) -> list[str]:
    r"""Return the lines of a text file, split on ``\n`` only, less one ``\r`` at their end.

    Raises:
        DataError: see `read_text`; or a line is longer than `MAX_LINE`.
    """
    lines = read_text(path, lossy=lossy).split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            raise DataError(
                f"{path}:{number}: a line of {len(line):,} characters, expected at most "
                f"{MAX_LINE:,}; fetch the file again"
            )
    return [line.removesuffix("\r") for line in lines]


def read_json(path: Path) -> Any:
    """Return the JSON document that a file is.

    Raises:
        DataError: see `read_text`; or the text is not JSON, is nested too deeply, or holds more
            than `MAX_VALUES` values.
    """
    text = read_text(path)
    values = sum(text.count(sign) for sign in ",:[{")  # at least as many as there are values
    if values > MAX_VALUES:
        raise DataError(
            f"{path}: up to {values:,} JSON values, expected a benchmark file of at most "
            f"{MAX_VALUES:,}"
        )
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not JSON ({error.msg}); fetch it again") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"{path}: not usable JSON ({error}); fetch it again") from error


def short_names(paths: Sequence[Path]) -> dict[str, Path]:
    """Name files by the fewest last parts of their paths that tell them apart.

    The names do not depend on where the data folder lies, as long as its layout is the same.
    """
    deepest = max((len(path.parts) for path in paths), default=0)
    for depth in range(1, deepest + 1):
        named = {"/".join(path.parts[-depth:]): path for path in paths}
        if len(named) == len(paths):
            return named
    return {str(path): path for path in paths}
