"""What is trained and predicted: an encoder, and features of real tasks or of made-up ids.

An encoder is ``offline:multilingual-e5-small`` (extra 'offline') or a folder in Hugging Face
layout. Examples are drawn without replacement by a fixed seed from all that MIDWAY_DATA has of a
split and language, so their lengths are those of the task. Without MIDWAY_DATA the tasks of our
sampler stand in for UDPOS and question answering; their sequences are far shorter.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import AutoModel, BertConfig, PreTrainedConfig, XLMRobertaConfig

from benchmarks.common import Record, data_folders, finish
from midway.encoders.convert import CONFIG, TOKENIZER, WEIGHTS, import_encoder
from midway.encoders.source import EncoderIdentity
from midway.families import FAMILIES
from midway.families.features import Features, read_features, write_features
from midway.families.tokens import load_tokenizer
from midway.stages.speed import MOST_PIECES, made_up
from midway.tasks import load_card
from midway.tasks.card import TaskCard
from midway.tasks.files import find_files, read_files

ENCODER = "offline:multilingual-e5-small"
PADDED = {  # as XTREME's scripts pad
    "xnli": 128, "udpos": 128, "squad": 384, "tydiqa": 384, "xquad": 384,
}  # fmt: skip
STAND_IN = {"udpos": "sampler-ner"} | dict.fromkeys(("squad", "tydiqa", "xquad"), "sampler-qa")
SMALL = BertConfig(  # multilingual-e5-small
    vocab_size=250037, hidden_size=384, num_hidden_layers=12, num_attention_heads=12,
    intermediate_size=1536, max_position_embeddings=512, type_vocab_size=2, pad_token_id=1,
)  # fmt: skip
LARGE = XLMRobertaConfig(  # XLM-R Large
    vocab_size=250002, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16,
    intermediate_size=4096, max_position_embeddings=514, type_vocab_size=1,
    layer_norm_eps=1e-5, pad_token_id=1,
)  # fmt: skip
TINY = XLMRobertaConfig(
    vocab_size=2000, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=64, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1,
)  # fmt: skip
# Tokens of windows of at most 384 of TyDiQA's English training questions, 33 even quantiles.
TYDIQA_LENGTHS = (
    22, 50, 63, 71, 78, 86, 92, 98, 104, 109, 114, 120, 125, 131, 137, 142, 147, 153, 158, 163,
    169, 176, 184, 193, 201, 211, 221, 236, 254, 277, 317, 384, 384,
)  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """Features with where they come from.

    Attributes:
        task: as it was asked for.
        card: of the task that was read.
        features: all rows.
        examples: what they were made of.
        padded: tokens to which example scripts pad.
    """

    task: str
    card: TaskCard
    features: Features
    examples: list[Any]
    padded: int

    @property
    def text(self) -> str:
        """In words."""
        lengths, read = self.features.lengths, self.card.name
        known = not self.examples or self.task == read
        name = self.task if known else f"{read} in the place of {self.task}"
        return (
            f"{name}: {len(lengths):,} sequences, {lengths.sum():,} tokens, median length "
            f"{np.median(lengths):.0f}, longest {lengths.max()}; padded to {self.padded}"
        )


def write_encoder(name: str, folder: Path) -> Path:
    """Import an encoder into a new folder `folder`."""
    folder.mkdir(parents=True)
    source = name if name.startswith("offline:") else "folder"
    import_encoder(name, EncoderIdentity(source, "", {}), folder)
    return folder


def write_random_encoder(config: PreTrainedConfig, folder: Path) -> Path:
    """Write an encoder with random weights, and a tokenizer of no use, into a new folder."""
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    model = AutoModel.from_config(config, dtype=torch.float32)
    model.pooler = None
    save_file(model.state_dict(), folder / WEIGHTS)
    config.to_json_file(str(folder / CONFIG), use_diff=False)
    pieces = {piece: number for number, piece in enumerate(("<s>", "<pad>", "</s>", "<unk>"))}
    Tokenizer(WordLevel(pieces, unk_token="<unk>")).save(str(folder / TOKENIZER))
    return folder


def at_hand(task: str, split: str, languages: Sequence[str] = ()) -> tuple[TaskCard, list[str]]:
    """The card that is read for a task, and its languages that are there."""
    folders = data_folders()
    for name in (task, STAND_IN.get(task, task)):
        card = load_card(name)
        chosen = [code for code in card.languages if not languages or code in languages]
        found = [code for code in chosen if find_files(card, folders, split, code)]
        if found:
            return card, found
    return load_card(task), []


def read_workload(
    task: str,
    split: str,
    encoder: Path,
    folder: Path,
    *,
    examples: int,
    languages: Sequence[str] = (),
    padded: int = 0,
) -> Workload | None:
    """Encode some examples of each language; None if there are none of the task.

    Args:
        task: one of `PADDED`.
        split: of the task.
        encoder: an imported encoder.
        folder: a new folder for the features.
        examples: per language, as far as there are.
        languages: codes; all if empty.
        padded: greatest length; 0: that of XTREME's scripts.
    """
    card, found = at_hand(task, split, languages)
    if not found:
        return None
    chosen: list[Any] = []
    for code in found:
        read = read_files(card, find_files(card, data_folders(), split, code), split, code).examples
        places = np.random.default_rng(0).permutation(len(read))[:examples]
        chosen += [read[place] for place in sorted(places.tolist())]
    length = padded or PADDED[task]
    made = FAMILIES[card.family].encode(
        chosen, load_tokenizer(encoder), card, max_length=length, stride=length // 3
    )
    folder.mkdir(parents=True)
    write_features(made, folder)
    return Workload(task, card, read_features(folder), chosen, length)


def each_task(
    options: argparse.Namespace,
    read: Callable[[str, Path, Path], Workload | None],
    measure: Callable[[Path, Path, Workload, argparse.Namespace], Record],
) -> None:
    """Measure the tasks that were asked for, one after the other, with one encoder.

    Args:
        options: of the benchmark; ``task``, ``encoder`` and ``json`` are read here.
        read: a task, encoded by an encoder, into a new folder; None if there are no data.
        measure: a folder, the encoder, what was read and the options, to a document.
    """
    documents: list[Record] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoder = write_encoder(options.encoder, folder / "encoder")
        for task in options.task:
            work = read(task, encoder, folder / task)
            if work is None:
                print(f"{task}: no data under MIDWAY_DATA; left out")
                continue
            documents.append(measure(folder, encoder, work, options))
    if options.json is not None:
        finish("All tasks", "", {"tasks": documents}, options.json)


def random_workload(lengths: Sequence[int], vocabulary: int, folder: Path) -> Workload:
    """Windows of question answering with made-up ids and these lengths."""
    folder.mkdir(parents=True)
    made = made_up(lengths, min(vocabulary, MOST_PIECES), folder)
    return Workload("random ids", load_card("tydiqa"), made, [], max(lengths))


def tydiqa_lengths(count: int) -> list[int]:
    """Lengths with TyDiQA's distribution, drawn by a fixed seed."""
    rng = np.random.default_rng(0)
    places = rng.random(count) * (len(TYDIQA_LENGTHS) - 1)
    drawn = np.interp(places, np.arange(len(TYDIQA_LENGTHS)), TYDIQA_LENGTHS)
    return [int(length) for length in drawn]
