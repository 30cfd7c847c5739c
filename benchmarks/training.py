"""Fine-tuning for question answering: midway against `transformers.Trainer`, in turn, in one run.

    python -m benchmarks.training [--questions 96] [--rounds 3] [--json FILE]

The same encoder (multilingual-e5-small), the same windows, 16 per optimiser step, AdamW, one epoch:

- ``midway``: packed sequences, bfloat16, active vocabulary;
- ``tuned``: Trainer with bfloat16, length grouping, dynamic padding, fused AdamW;
- ``default``: Trainer as in the example scripts: float32, padded to the maximum length.

Attention dropout is off for midway, its default, and at the encoder's 0.1 for the Trainer, its
default. The measure is useful tokens (no padding) per second. Windows come from TyDiQA's English
training data under MIDWAY_DATA; without it from our sampler, whose sequences are far shorter.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering, BertConfig, Trainer, TrainingArguments

from midway.encoders.convert import import_encoder
from midway.encoders.heads import make_head
from midway.encoders.load import load_encoder
from midway.encoders.offline import NAME
from midway.encoders.source import EncoderIdentity
from midway.families import span_qa
from midway.families.features import Features, read_features, write_features
from midway.families.tokens import load_tokenizer
from midway.graph.stage import Runtime
from midway.tasks import load_card
from midway.train.loop import Hooks, train
from midway.train.recipe import Recipe
from midway.train.schedule import Sampling, plan_steps
from midway.train.step import Entry

LENGTH, BATCH = 256, 16


def main() -> None:
    """Run all rounds and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        import_encoder(NAME, EncoderIdentity(NAME, "", {}), folder)
        task, features = _features(folder, options.questions)
        tokens = len(features.tokens)
        runs = {"midway": _midway, "tuned": _tuned, "default": _default}
        speed: dict[str, list[float]] = {system: [] for system in runs}
        for _ in range(options.rounds):
            for system, run in runs.items():
                seconds = run(folder, features)
                speed[system].append(tokens / seconds)
                print(f"{system:8} {tokens / seconds:7,.0f} tokens/s", flush=True)
    _print(task, features, speed, options.json)


def _print(task: str, features: Features, speed: dict[str, list[float]], out: Path | None) -> None:
    median = {system: statistics.median(values) for system, values in speed.items()}
    rows, tokens = len(features.lengths), len(features.tokens)
    print(f"\n{task}: {rows} windows, {tokens:,} tokens, {torch.get_num_threads()} threads")
    for system, value in median.items():
        low, high = min(speed[system]), max(speed[system])
        ratio = median["midway"] / value
        print(
            f"{system:8} {value:7,.0f} tokens/s ({low:,.0f} to {high:,.0f})  midway x {ratio:.2f}"
        )
    if out is not None:
        document = {"task": task, "rows": rows, "tokens": tokens, "tokens_per_second": speed}
        out.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _features(folder: Path, questions: int) -> tuple[str, Features]:
    data = tuple(Path(part) for part in os.environ.get("MIDWAY_DATA", "").split(":") if part)
    name = "tydiqa" if data else "sampler-qa"
    card = load_card(name)
    examples: list[Any] = card.read(card.find(data, "train", "en"), "train", "en").examples
    table = span_qa.encode(
        examples[:questions], load_tokenizer(folder), card, max_length=LENGTH, stride=LENGTH // 3
    )
    write_features(table, folder)
    return name, read_features(folder)


def _midway(folder: Path, features: Features) -> float:
    recipe = Recipe(batch_size=BATCH, epochs=1.0)
    encoder = load_encoder(folder, None, features.active)
    head = make_head("token", encoder.model.config.hidden_size, 2, dropout=0.0, seed=1)
    entry = Entry(span_qa.FAMILY, features, head)
    size = len(features.lengths)
    steps = plan_steps([size], [1.0], Sampling(), batch_size=BATCH, epochs=1.0, seed=1)
    hooks = Hooks(lambda progress: None, lambda: None, folder / "work")
    began = time.perf_counter()
    train(encoder, [entry], steps, recipe, Runtime(checkpoint_seconds=1e9), seed=1, hooks=hooks)
    return time.perf_counter() - began


def _tuned(folder: Path, features: Features) -> float:
    return _trainer(
        folder,
        features,
        pad_to=None,
        bf16=True,
        train_sampling_strategy="group_by_length",
        optim="adamw_torch_fused",
    )


def _default(folder: Path, features: Features) -> float:
    return _trainer(folder, features, pad_to=LENGTH)


def _trainer(folder: Path, features: Features, *, pad_to: int | None, **settings: Any) -> float:
    config = BertConfig.from_json_file(str(folder / "config.json"))
    model = AutoModelForQuestionAnswering.from_config(config)
    state = load_encoder_state(folder)
    model.bert.load_state_dict(state, strict=True)
    starts, ends = features.table["start"].to_pylist(), features.table["end"].to_pylist()
    data = [
        {
            "input_ids": features.tokens[a:b].tolist(),
            "length": int(b - a),
            "start_positions": starts[i],
            "end_positions": ends[i],
        }
        for i, (a, b) in enumerate(zip(features.offsets, features.offsets[1:], strict=False))
    ]

    def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        width = pad_to or max(row["length"] for row in rows)
        ids = np.ones((len(rows), width), dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for i, row in enumerate(rows):
            ids[i, : row["length"]] = row["input_ids"]
            mask[i, : row["length"]] = 1
        batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        for name in ("start_positions", "end_positions"):
            batch[name] = torch.tensor([row[name] for row in rows])
        return batch

    arguments = TrainingArguments(
        output_dir=str(folder / "trainer"),
        per_device_train_batch_size=BATCH,
        num_train_epochs=1,
        learning_rate=5e-5,
        warmup_steps=0.1,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        use_cpu=True,
        remove_unused_columns=False,
        disable_tqdm=True,
        **settings,
    )
    trainer = Trainer(model, arguments, train_dataset=data, data_collator=collate)
    began = time.perf_counter()
    trainer.train()
    return time.perf_counter() - began


def load_encoder_state(folder: Path) -> dict[str, torch.Tensor]:
    """All weights of the imported encoder under BertModel's names."""
    from safetensors.torch import load_file

    return load_file(folder / "encoder.safetensors")


if __name__ == "__main__":
    main()
