"""The other side: `transformers.Trainer` on transformers' own models, from the same weights."""

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.utils import logging

from benchmarks import ours
from benchmarks.ours import HEAD, Set
from benchmarks.workloads import Workload
from midway.encoders.export import Form, write_model
from midway.encoders.limits import synchronise
from midway.families import FAMILIES
from midway.families.features import Features
from midway.stages.forward import in_order, rows_read

AUTO = {
    "span_qa": "AutoModelForQuestionAnswering",
    "tagging": "AutoModelForTokenClassification",
    "classification": "AutoModelForSequenceClassification",
}
NO_LOSS = -100
TUNED = {"bf16": True, "train_sampling_strategy": "group_by_length", "optim": "adamw_torch_fused"}
Rows = list[dict[str, Any]]


def export(encoder: Path, delta: Path, family: str, out: Path) -> Path:
    """Write encoder and head as transformers' model of the family; random poolers aside."""
    write_model(encoder, delta, Form(auto=AUTO[family], head=HEAD), out)
    return out


def load(folder: Path, family: str, *, dropout: bool = True) -> Any:
    """Read it back; without dropout anywhere if asked."""
    logging.disable_progress_bar()
    rates = {} if dropout else {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return getattr(transformers, AUTO[family]).from_pretrained(
        folder, local_files_only=True, dtype=torch.float32, **rates
    )


def rows_of(features: Features, family: str, *, types: bool) -> Rows:
    """The data set: a dictionary per sequence, ready as lists (tokenised before training)."""
    table = features.table
    names = {
        "span_qa": {"start_positions": "start", "end_positions": "end"},
        "classification": {"labels": "label"},
        "tagging": {"heads": "heads", "tags": "tags"},
    }[family]
    columns = {new: table[old].to_pylist() for new, old in names.items()}
    columns["input_ids"] = table["ids"].to_pylist()
    if types:
        columns["boundary"] = table["boundary"].to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


class Collate:
    """Pad to the longest of the batch, or to a fixed length."""

    def __init__(self, pad: int, width: int | None = None) -> None:
        self.pad, self.width = pad, width

    def __call__(self, rows: Rows) -> dict[str, torch.Tensor]:
        """Padded tensors as the model wants them."""
        sizes = np.array([len(row["input_ids"]) for row in rows])
        width = self.width or int(sizes.max())
        real = np.arange(width) < sizes[:, None]
        ids = np.full(real.shape, self.pad, dtype=np.int64)
        ids[real] = np.concatenate([row["input_ids"] for row in rows])
        arrays = {"input_ids": ids, "attention_mask": real.astype(np.int64)}
        if "boundary" in rows[0]:
            second = np.arange(width) >= np.array([row["boundary"] for row in rows])[:, None]
            arrays["token_type_ids"] = (second & real).astype(np.int64)
        if "tags" in rows[0]:
            labels = np.full(real.shape, NO_LOSS)
            for line, row in zip(labels, rows, strict=True):
                line[row["heads"]] = row["tags"]
            arrays["labels"] = labels
        for name in ("labels", "start_positions", "end_positions"):
            if name in rows[0]:
                arrays[name] = np.array([row[name] for row in rows])
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


class Timed(Trainer):
    """Trainer that notes when each step begins and what it computes, in a given order or its own.

    Attributes:
        order: rows of all steps; None for Trainer's own order.
        warm: steps before those that are timed.
        mask_padding: whether span QA's softmax leaves padding out, which transformers' does not.
        begins: time at which each step had its batch.
        lengths: useful tokens of each sequence, a list per step.
        losses: of each step, on the device.
    """

    def __init__(
        self, *args: Any, order: Sequence[int] | None = None, mask_padding: bool = False,
        warm: int = 0, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.order, self.mask_padding, self.warm = order, mask_padding, warm
        self.begins: list[float] = []
        self.lengths: list[torch.Tensor] = []
        self.losses: list[torch.Tensor] = []

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return self.order if self.order is not None else super()._get_train_sampler(train_dataset)

    def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Take a step and note it."""
        if len(self.begins) == self.warm:
            synchronise(str(self.args.device))
        self.begins.append(time.perf_counter())
        self.lengths.append(inputs["attention_mask"].sum(1))
        loss: torch.Tensor = super().training_step(model, inputs, *args, **kwargs)
        self.losses.append(loss)
        return loss

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Transformers' own, or that of span QA over the window alone."""
        if not (self.mask_padding and "start_positions" in inputs):
            return super().compute_loss(model, inputs, *args, **kwargs)
        gold = [inputs.pop(name) for name in ("start_positions", "end_positions")]
        out = model(**inputs)
        padding = inputs["attention_mask"] == 0
        sides = zip((out.start_logits, out.end_logits), gold, strict=True)
        losses = [
            torch.nn.functional.cross_entropy(
                logits.float().masked_fill(padding, float("-inf")), where
            )
            for logits, where in sides
        ]
        return (losses[0] + losses[1]) / 2


def arguments(folder: Path, how: Set, **settings: Any) -> TrainingArguments:
    """Trainer's settings; all that is not named is as it comes."""
    cpu = torch.device(how.device).type == "cpu"
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=how.batch,
        num_train_epochs=how.epochs,
        learning_rate=5e-5,
        warmup_steps=0.1,
        weight_decay=0.01,
        seed=how.seed,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        use_cpu=cpu,
        dataloader_pin_memory=not cpu,
        remove_unused_columns=False,
        disable_tqdm=True,
        **settings,
    )


def train_theirs(
    exported: Path,
    work: Workload,
    how: Set,
    *,
    width: int | None,
    settings: Mapping[str, Any],
    same_order: bool = False,
) -> dict[str, Any]:
    """Train and time all steps but the first ones; see `benchmarks.ours.train_ours`."""
    family = work.card.family
    model = load(exported, family, dropout=how.dropout)
    data = rows_of(work.features, family, types=model.config.type_vocab_size > 1)
    order = None
    if same_order:
        order = [int(row) for step in ours.steps_of(work, how) for row in step.items]
        how = Set(**{**vars(how), "epochs": 1.0})  # the order holds all of them
    trainer = Timed(
        model,
        arguments(exported / "trainer", how, **settings),
        train_dataset=data,
        data_collator=Collate(model.config.pad_token_id or 0, width),
        order=order,
        mask_padding=same_order,
        warm=how.warm,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    synchronise(how.device)
    seconds = time.perf_counter() - trainer.begins[how.warm]
    lengths = torch.cat(trainer.lengths[how.warm :]).cpu().numpy()
    losses = [float(loss) for loss in trainer.losses]
    return ours.rates(model.base_model, lengths, seconds, training=True) | {"losses": losses}


def predict_theirs(
    model: Any,
    work: Workload,
    folder: Path,
    *,
    width: int | None = None,
    by_length: bool = False,
    batch: int = 64,
    **settings: Any,
) -> tuple[list[Any], dict[str, Any]]:
    """From features to a prediction an example, by `Trainer.predict`.

    The logits become predictions by the functions that ours become them by, so that what is
    compared is getting the logits. With `by_length` the rows are sorted first, as a careful user
    may do; Trainer itself takes them in their order.
    """
    family, features = work.card.family, work.features
    data = rows_of(features, family, types=model.config.type_vocab_size > 1)
    for row in data:  # no loss: only inputs
        for name in ("labels", "start_positions", "end_positions", "heads", "tags"):
            row.pop(name, None)
    rows = np.argsort(-features.lengths, kind="stable") if by_length else np.arange(len(data))
    trainer = Trainer(
        model,
        arguments(folder, Set(), per_device_eval_batch_size=batch, **settings),
        data_collator=Collate(model.config.pad_token_id or 0, width),
    )
    trainer.remove_callback(PrinterCallback)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logits = trainer.predict([data[row] for row in rows]).predictions
    predictions = ours.decode(_said(logits, work, rows), work)
    seconds = time.perf_counter() - began
    return predictions, ours.rates(model.base_model, features.lengths, seconds, training=False)


def _said(logits: Any, work: Workload, rows: np.ndarray) -> tuple[torch.Tensor, ...]:
    """What the head says of each row, by the family's own function, in the order of the table."""
    family, features = FAMILIES[work.card.family], work.features
    if work.card.family == "span_qa":
        logits = np.stack([np.asarray(part, dtype=np.float32) for part in logits[:2]], -1)
    found, read = [], []
    for begin in range(0, len(rows), 256):
        part = rows[begin : begin + 256]
        block = torch.from_numpy(np.asarray(logits[begin : begin + 256], dtype=np.float32))
        lengths = features.lengths[part].tolist()
        fields = {name: features.column(name, part) for name in family.asks}
        places = family.places(fields, lengths)
        if work.card.family != "classification":  # padded to packed
            block = torch.cat([line[:n] for line, n in zip(block, lengths, strict=True)])
            block = block if places is None else block[torch.from_numpy(places)]
        found.append(family.candidates(block, fields, lengths))
        read.append(rows_read(part, lengths, places))
    return in_order(found, read)
