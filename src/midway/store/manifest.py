"""A manifest says what an artefact is, what it was made from, and the digest of every file.

It is one JSON file with a seal, the SHA-256 of the rest, and it is believed only if writing it
again gives the same bytes: any flipped bit shows.
"""

import json
import os
import platform
import posixpath
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from midway import __version__
from midway.canonical import canonical_json, digest
from midway.errors import StoreError

NAME = "manifest.json"
_RECORDED_PACKAGES = ("numpy", "pyarrow", "safetensors", "tokenizers", "torch", "transformers")


class DamagedError(StoreError):
    """An artefact or its manifest is not what was written."""


@cache
def current_environment() -> dict[str, Any]:
    """Return what the machine and its libraries are; no host name, no user, no paths."""
    packages = {}
    for name in _RECORDED_PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "cpus": os.cpu_count() or 0,
        "packages": packages,
    }


class Named(Protocol):
    """Has a name."""

    @property
    def name(self) -> str:
        """The name."""


class Identified(Protocol):
    """What the store must know of a stage."""

    @property
    def kind(self) -> Named:
        """Its kind; the name is that of the folder."""

    @property
    def key(self) -> str:
        """64 hexadecimal digits."""

    @property
    def text(self) -> str:
        """Canonical text whose SHA-256 is the key."""

    @property
    def label(self) -> str:
        """What people call it."""


@dataclass(frozen=True)
class Output:
    """Digest and bytes of one file."""

    sha256: str
    size: int


@dataclass(frozen=True)
class InputRead:
    """An input as it was when it was read: `digest` is `outputs_digest` of its files."""

    stage: str
    key: str
    digest: str


@dataclass(frozen=True)
class Code:
    """The source that made an artefact: a digest over it, and the SHA-256 of each file."""

    digest: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The record of one artefact.

    Attributes:
        key: key of the stage.
        stage: name of its kind.
        label: what people called it.
        text: canonical text of its identity; the key is its SHA-256.
        inputs: what it read, by role.
        outputs: its files by path relative to the artefact, with ``/``.
        code: first-party source in use.
        midway: version of this package.
        environment: Python, platform, CPU count and versions of the main libraries.
        started: ISO 8601 time, UTC.
        seconds: wall time of the stage function.
        facts: what the stage function returned.
    """

    key: str
    stage: str
    label: str
    text: str
    inputs: Mapping[str, InputRead]
    outputs: Mapping[str, Output]
    code: Code
    started: str
    seconds: float
    facts: Mapping[str, Any]
    midway: str = __version__
    environment: Mapping[str, Any] = field(default_factory=current_environment)

    @property
    def bytes(self) -> int:
        """Bytes of all outputs."""
        return sum(output.size for output in self.outputs.values())


def outputs_digest(outputs: Mapping[str, Output]) -> str:
    """Return one digest for the content of all files of an artefact."""
    return digest({name: [output.sha256, output.size] for name, output in outputs.items()})


def render(manifest: Manifest) -> str:
    """Return the text of a manifest file.

    Raises:
        TypeError, ValueError: the facts are not plain values (see `midway.canonical`).
    """
    plain = json.loads(canonical_json(asdict(manifest)))
    return _text({"format": 1, **plain, "seal": digest(plain)})


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1) + "\n"


def read_manifest(path: Path) -> Manifest | None:
    """Read and check the manifest file at `path`; None if there is none.

    Raises:
        DamagedError: it is not what was written.
        OSError: it cannot be read.
    """
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        document = json.loads(raw.decode("utf-8"))
        seal = document.pop("seal")
        document.pop("format")
        whole = digest(document) == seal
        manifest = _parse(document)
        whole = whole and render(manifest).encode("utf-8") == raw
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged: it is not a manifest") from error
    if not whole:
        raise DamagedError(f"{path} is damaged: its seal does not fit its content")
    return manifest


def _parse(document: dict[str, Any]) -> Manifest:
    inputs = {role: InputRead(**item) for role, item in document.pop("inputs").items()}
    outputs = {name: Output(**item) for name, item in document.pop("outputs").items()}
    for name in outputs:
        if name != posixpath.normpath(name) or name.startswith(("/", "..")):
            raise ValueError(f"{name!r} is not inside the artefact")
    code = Code(**document.pop("code"))
    return Manifest(inputs=inputs, outputs=outputs, code=code, **document)
