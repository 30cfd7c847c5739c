"""A trained encoder and one of its heads as a folder that transformers and others load.

1. The encoder is made whole again: all rows of the embedding, as dense training would have left
   them, and whatever pooler the class has.
2. The head goes where the class keeps it: BERT's pooler and classifier, XLM-R's classification
   head, the output layer of taggers and of span QA, the decoder of masked language modelling.
3. A folder for retrieval gets the files of sentence-transformers besides.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, PreTrainedTokenizerFast
from transformers.utils import logging

from midway.encoders.convert import CONFIG, TOKENIZER
from midway.encoders.heads import NORM_EPS, read_head
from midway.encoders.load import DELTA, ROW_IDS, load_encoder
from midway.errors import EncoderError

ARCHITECTURES = ("bert", "xlm-roberta")
SPECIALS = {
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "pad_token": ("[PAD]", "<pad>"),
    "unk_token": ("[UNK]", "<unk>"),
    "mask_token": ("[MASK]", "<mask>"),
    "bos_token": ("<s>",),
    "eos_token": ("</s>",),
}
NEW_POOLER = (
    "`pooler_output` is new and untrained: midway trains heads of its own; use `last_hidden_state`."
)
SCALE = "In training, cosines were multiplied by a learnt scale, in the end {scale:.4g}."
_MODULES = "sentence_transformers.models"


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the folder is to be.

    Attributes:
        auto: the class that loads it, e.g. ``AutoModelForTokenClassification``.
        head: name of the trained head; empty for the bare encoder.
        layer: the hidden state that counts, if it is not the last one; later layers are left out.
        max_length: tokens of a sentence; makes it a folder of sentence-transformers too.
    """

    auto: str = "AutoModel"
    head: str = ""
    layer: int | None = None
    max_length: int | None = None


def write_model(encoder: Path, delta: Path | None, form: Form, out: Path) -> tuple[str, ...]:
    """Write configuration, weights and tokenizer.

    Args:
        encoder: an artefact of the import stage.
        delta: an artefact of a training stage on that encoder; None for the encoder as it came.
        form: what to write.
        out: an empty folder.

    Returns:
        Sentences for the model card on what is not as a reader may expect.

    Raises:
        EncoderError: transformers' class cannot compute what the model computes.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(
        encoder / CONFIG, local_files_only=True, trust_remote_code=False
    )
    if config.model_type not in ARCHITECTURES:
        raise EncoderError(
            f"an encoder of the type {config.model_type} cannot be exported; midway writes "
            f"{', '.join(ARCHITECTURES)}"
        )
    facts, head = read_head(delta, form.head) if delta and form.head else ({}, {})
    _configure(config, form, facts)
    with torch.random.fork_rng():
        torch.manual_seed(0)  # a pooler that nothing has trained is the same in every export
        model = getattr(transformers, form.auto).from_config(config, dtype=torch.float32).eval()
    _fill_encoder(model, encoder, delta, form.layer)
    parts = _parts(model, form.auto, facts.get("kind", ""))
    for name, part in parts.items():
        part.load_state_dict(
            {k.removeprefix(f"{name}."): v for k, v in head.items() if k.startswith(f"{name}.")}
        )
    remarks = []
    if "decoder.bias" in head and delta is not None:
        remarks.append(_fill_decoder(model, delta, head["decoder.bias"]))
    pooler = getattr(model.base_model, "pooler", None)
    if pooler is not None and parts.get("dense") is not pooler.dense:
        remarks.append(NEW_POOLER)
    if "unit.scale" in head:
        remarks.append(SCALE.format(scale=float(head["unit.scale"])))
    model.save_pretrained(out)
    _write_tokenizer(Tokenizer.from_file(str(encoder / TOKENIZER)), config, out)
    if form.max_length is not None:
        _write_sentence_files(config.hidden_size, form.max_length, head, out)
    return tuple(remarks)


def _configure(config: Any, form: Form, facts: dict[str, Any]) -> None:
    """Set what the class and its head need, and nothing of what the encoder once was."""
    labels: Sequence[str] = facts.get("labels", ())
    names = list(labels) or ["LABEL_0", "LABEL_1"]  # transformers' own; two outputs in span QA
    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    config.problem_type = None
    if form.auto == "AutoModelForSequenceClassification":
        config.problem_type = "single_label_classification"
    if form.layer is not None:
        config.num_hidden_layers = form.layer
    if form.auto != "AutoModelForMaskedLM":
        return
    config.tie_word_embeddings = True
    eps = facts.get("eps", NORM_EPS)
    if config.layer_norm_eps != eps:
        raise EncoderError(
            f"the head was trained with a layer norm of epsilon {eps}, transformers computes it "
            f"with the encoder's {config.layer_norm_eps}; train it again with this version"
        )
    if config.model_type == "bert" and config.hidden_act != "gelu":
        raise EncoderError(
            f"the head was trained with GELU, transformers computes it with {config.hidden_act}; "
            "export the encoder without its head"
        )


def _fill_encoder(model: Any, encoder: Path, delta: Path | None, layer: int | None) -> None:
    """Copy the encoder's weights, all rows of the embedding among them."""
    rows = AutoConfig.from_pretrained(
        encoder / CONFIG, local_files_only=True, trust_remote_code=False
    ).vocab_size
    whole = load_encoder(encoder, delta, np.arange(rows)).model.state_dict()
    if layer is not None:
        wanted = model.base_model.state_dict().keys()
        whole = {
            name: tensor
            for name, tensor in whole.items()
            if name in wanted or not name.startswith("encoder.layer.")
        }
    report = model.base_model.load_state_dict(whole, strict=False)
    missing = [name for name in report.missing_keys if not name.startswith("pooler.")]
    if missing or report.unexpected_keys:
        names = ", ".join([*missing, *report.unexpected_keys][:3])
        raise EncoderError(
            f"{type(model).__name__} has other weights than the encoder: {names}…; export the "
            "encoder without its head"
        )


def _fill_decoder(model: Any, delta: Path, bias: torch.Tensor) -> str:
    """Copy the decoder's bias; its weights are the embedding's."""
    with safe_open(delta / DELTA, "pt") as weights:
        active = weights.get_tensor(ROW_IDS)[: len(bias)]  # the stage's own come first
    decoder = model.get_output_embeddings()
    with torch.no_grad():
        decoder.bias.zero_()
        decoder.bias[active] = bias
    return (
        f"The masked-language head was trained over the {len(bias):,} pieces that occur in its "
        f"data. The decoder covers all {decoder.out_features:,}; the bias of the others is 0, so "
        "their logits were never trained."
    )


def _parts(model: Any, auto: str, kind: str) -> dict[str, nn.Module]:
    """Where the class keeps the layers of the head, by our names."""
    if auto == "AutoModelForMaskedLM":
        if hasattr(model, "lm_head"):
            return {"dense": model.lm_head.dense, "norm": model.lm_head.layer_norm}
        transform = model.cls.predictions.transform
        return {"dense": transform.dense, "norm": transform.LayerNorm}
    if auto == "AutoModelForQuestionAnswering":
        return {"out": model.qa_outputs}  # start, end
    if kind == "token":
        return {"out": model.classifier}
    if kind == "pooler":
        return {"dense": model.pooler.dense}
    if kind != "sequence":
        return {}
    if hasattr(model.classifier, "out_proj"):
        return {"dense": model.classifier.dense, "out": model.classifier.out_proj}
    return {"dense": model.base_model.pooler.dense, "out": model.classifier}


def _write_tokenizer(tokenizer: Tokenizer, config: Any, out: Path) -> None:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    known = tokenizer.get_vocab()
    specials = {
        role: next(name for name in names if name in known)
        for role, names in SPECIALS.items()
        if any(name in known for name in names)
    }
    names = ["input_ids", "token_type_ids", "attention_mask"]
    if config.type_vocab_size < 2:
        names.remove("token_type_ids")
    first = 0 if config.model_type == "bert" else config.pad_token_id + 1
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=config.max_position_embeddings - first,
        model_input_names=names,
        **specials,
    )
    wrapped.save_pretrained(out)
    file = out / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"  # its name in every version
    _write_json(file, settings)


def _write_sentence_files(
    hidden: int, max_length: int, head: dict[str, torch.Tensor], out: Path
) -> None:
    """Mean of the last layer, or a trained head's dense and tanh on the first token; length 1."""
    first = bool(head)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    pooling = {
        "word_embedding_dimension": hidden,
        "pooling_mode_cls_token": first,
        "pooling_mode_mean_tokens": not first,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    }
    _write_json(out / "1_Pooling" / "config.json", pooling)
    if first:
        modules.append(("2_Dense", "Dense"))
        dense = {
            "in_features": hidden,
            "out_features": hidden,
            "bias": True,
            "activation_function": "torch.nn.modules.activation.Tanh",
        }
        _write_json(out / "2_Dense" / "config.json", dense)
        weights = {f"linear.{name}": head[f"dense.{name}"] for name in ("weight", "bias")}
        save_file(weights, out / "2_Dense" / "model.safetensors")
    modules.append((f"{len(modules)}_Normalize", "Normalize"))
    _write_json(out / modules[-1][0] / "config.json", {})
    entries = [
        {"idx": i, "name": str(i), "path": path, "type": f"{_MODULES}.{kind}"}
        for i, (path, kind) in enumerate(modules)
    ]
    _write_json(out / "modules.json", entries)
    limits = {"max_seq_length": max_length, "do_lower_case": False}
    _write_json(out / "sentence_bert_config.json", limits)
    _write_json(out / "config_sentence_transformers.json", {"similarity_fn_name": "cosine"})


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
