"""The usual way to train: dense AdamW on whole, padded models of transformers, and their loss."""

import numpy as np
import torch
from tiny import padded
from tiny_training import RECIPE
from transformers import get_linear_schedule_with_warmup

from midway.families import mlm


def dense(*cases, steps=None):
    """Train whole models, which may share an encoder; returns the losses."""
    steps = cases[0].steps if steps is None else steps
    for case in cases:
        case.model.train()
        copy_head(case)
    parameters = list(dict.fromkeys(p for case in cases for p in case.model.parameters()))
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=RECIPE.learning_rate, eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimiser, -(-len(steps) // 10), len(steps))
    losses = []
    for number, step in enumerate(steps):
        loss = dense_loss(cases[step.entry], step.items, number)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, RECIPE.clip)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return losses


def copy_head(case):
    """Begin with the weights of our new head."""
    state = case.new_head().module
    for name, layer in case.parts().items():
        layer.load_state_dict(getattr(state, name).state_dict())
    if case.family == "mlm":
        torch.nn.init.zeros_(case.model.cls.predictions.bias)
    if case.family == "ranking":
        torch.nn.init.constant_(case.model.scale, 100.0)


def dense_loss(case, items, number=0):
    """Loss of a step as one padded batch, item after item; nothing of ours but the masking."""
    if case.family == "ranking":
        return ranking_loss(case, items)
    if case.family == "mlm":
        return mlm_loss(case, items, number)
    table = case.features.table.take(case.items.of(items)).to_pylist()
    inputs = inputs_of(case.model.config, table)
    if case.family == "choice":
        return choice_loss(case, items, inputs, table)
    if case.family == "classification":
        return case.model(**inputs, labels=torch.tensor([row["label"] for row in table])).loss
    if case.family == "span_qa":
        return span_loss(case, inputs, table)
    labels = torch.full(inputs["input_ids"].shape, -100)
    for i, row in enumerate(table):
        labels[i, row["heads"]] = torch.tensor(row["tags"])
    return case.model(**inputs, labels=labels).loss


def inputs_of(shape, table):
    ids, mask = padded([row["ids"] for row in table], shape.pad_token_id)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if shape.type_vocab_size > 1:
        kinds = [np.arange(len(row["ids"])) >= row["boundary"] for row in table]
        inputs["token_type_ids"] = padded(kinds)[0]
    return inputs


def span_loss(case, inputs, table):
    out = case.model(**inputs)
    sides = ((out.start_logits, "start"), (out.end_logits, "end"))
    return (
        sum(
            torch.nn.functional.cross_entropy(
                logits.masked_fill(inputs["attention_mask"] == 0, float("-inf")),
                torch.tensor([row[name] for row in table]),
            )
            for logits, name in sides
        )
        / 2
    )


def choice_loss(case, items, inputs, table):
    """Mean over examples of the loss that transformers has for one."""
    losses, begin = [], 0
    for size in np.diff(case.items.offsets)[items].tolist():
        one = {name: values[begin : begin + size][None] for name, values in inputs.items()}
        right = [row["right"] for row in table[begin : begin + size]]
        losses.append(case.model(**one, labels=torch.tensor([right.index(1)])).loss)
        begin += size
    return sum(losses) / len(losses)


def mlm_loss(case, rows, number):
    """Of the whole vocabulary only the pieces that occur in the run are left."""
    pieces, drawn = mlm.draw(case.features, rows, [1, number])
    table = case.features.table.take(rows).to_pylist()
    lengths = [len(row["ids"]) for row in table]
    parts = np.split(pieces, np.cumsum(lengths)[:-1])
    changed = [row | {"ids": ids} for row, ids in zip(table, parts, strict=True)]
    inputs = inputs_of(case.model.config, changed)
    logits = case.model(**inputs).logits[inputs["attention_mask"].bool()][drawn["places"]]
    gold = torch.from_numpy(np.searchsorted(case.active, drawn["gold"]))
    return torch.nn.functional.cross_entropy(logits[:, case.active], gold)


def ranking_loss(case, items):
    """Every distinct query of the step against every distinct candidate of it, one by one."""
    rows = case.features.table.to_pylist()
    pairs = case.items.rows.reshape(-1, 2)[np.unique(items)].tolist()
    others = sorted({candidate for _, candidate in pairs})
    queries, candidates = (
        case.model(**inputs_of(case.model.config, [rows[i] for i in part]))
        for part in ([query for query, _ in pairs], others)
    )
    losses = []
    for (query, right), vector in zip(pairs, queries, strict=True):
        scores = {
            other: case.model.scale[0] * (vector * candidates[place]).sum()
            for place, other in enumerate(others)
            if other == right or not set(rows[query]["keys"]) & set(rows[other]["keys"])
        }
        losses.append(torch.logsumexp(torch.stack([*scores.values()]), 0) - scores[right])
    return sum(losses) / len(losses)
