"""What stages will cost in units that no machine changes: tokens, steps, examples, FLOPs, bytes.

1. Exact where the features are in the store already: their rows and tokens are known.
2. Else from the committed statistics of the task (`midway.tasks.statistics`): lengths are taken to
   be lognormal with the recorded mean, median and 95th percentile, and are cut or windowed as
   tokenising will do. A task without statistics is a guess from the greatest length.
3. FLOPs are 6 x parameters x tokens for training and 2 x for prediction (Kaplan et al. 2020,
   arXiv 2001.08361), without the embedding table.
4. Training again after a collapse, and ending early, are not foreseen.

`midway.studies.costs` turns these units into seconds.
"""

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

from midway.graph.stage import Stage
from midway.stages.specs import TrainSpec
from midway.stages.steps import SAMPLE_EXAMPLES, SAMPLE_TOKENS
from midway.tasks import load_card
from midway.tasks.kinds import KINDS
from midway.tasks.statistics import load_statistics
from midway.train.schedule import entry_probabilities

Units = dict[str, float]
Inputs = Mapping[str, Stage]

EXAMPLES = 1000  # per language, where a study asks for all there are and nobody has counted
QUESTION = 20  # tokens of a question, which each of its windows repeats
_QUANTILES = [NormalDist().inv_cdf((i + 0.5) / 20) for i in range(20)]


@dataclass(frozen=True)
class Size:
    """Examples, and what becomes of them: rows, tokens, distinct pieces."""

    examples: float
    rows: float
    tokens: float
    pieces: float

    @property
    def units(self) -> Units:
        """``attention`` is tokens times their mean length: its cost, up to a factor."""
        attention = self.tokens**2 / max(self.rows, 1.0)
        return {"tokens": self.tokens, "attention": attention, "examples": self.examples}


@dataclass(frozen=True)
class Shape:
    """Parameters of an encoder without its embedding table, rows of that, and their width."""

    parameters: float
    rows: float
    width: float


# Until the encoder is imported: multilingual-e5-small, or one of base size.
OFFLINE, BASE = Shape(21.5e6, 250_037, 384), Shape(86e6, 250_002, 768)


@dataclass(frozen=True)
class Estimator:
    """Costs of stages.

    Attributes:
        facts_of: facts of a stage's manifest, or None if it was never computed.
        encoder: the encoder's stage.
        folder: where it lies, if it is a folder.
        sizes: of features by key, filled by itself.
    """

    facts_of: Callable[[Stage], Mapping[str, Any] | None]
    encoder: Stage
    folder: Path | None = None
    sizes: dict[str, Size] = field(default_factory=dict)

    def units(self, kind: str, spec: Any, inputs: Inputs) -> Units:
        """Units of a stage: ``tokens``, ``flops``, ``bytes`` and what else its time depends on."""
        match kind:
            case "encoder":
                return {"bytes": 4 * (self.shape.parameters + self.shape.rows * self.shape.width)}
            case "examples":
                size = _chosen(spec, load_card(spec.task).family)
                return {"examples": _there(spec), "bytes": 200 * size.examples + 4 * size.tokens}
            case "features":
                size = _chosen(inputs["examples"].spec, spec.family, spec.max_length, spec.stride)
                return size.units | {"bytes": KINDS[spec.family].feature_bytes * size.tokens}
            case "train":
                return self._training(spec, inputs)
            case "predict":
                size = self.size(inputs["features"])
                written = KINDS[spec.family].answer_bytes * size.examples
                flops = 2 * self.shape.parameters * size.tokens
                return size.units | {"flops": flops, "bytes": written}
            case "score":
                size = _chosen(inputs["examples"].spec, spec.family)
                return {"examples": size.examples, "bytes": 2000 + 20 * size.examples}
        return {}

    @property
    def shape(self) -> Shape:
        """Of the encoder."""
        facts = self.facts_of(self.encoder)
        if facts is None:
            offline = self.encoder.spec.name.startswith("offline:")
            return OFFLINE if offline else _of_folder(self.folder) if self.folder else BASE
        rows, width = float(facts["vocabulary"]), float(facts["hidden"])
        return Shape(facts["parameters"] - rows * width, rows, width)

    def size(self, features: Stage) -> Size:
        """Size of features, counted if they are in the store."""
        if features.key not in self.sizes:
            facts, spec = self.facts_of(features), features.spec
            found = _chosen(
                features.inputs["examples"].spec, spec.family, spec.max_length, spec.stride
            )
            if facts is not None:
                found = Size(found.examples, facts["rows"], facts["tokens"], facts["pieces"])
            self.sizes[features.key] = found
        return self.sizes[features.key]

    def _training(self, spec: TrainSpec, inputs: Inputs) -> Units:
        entries = spec.entries
        sizes = [self.size(inputs[f"features{i}"]) for i in range(len(entries))]
        items = [
            max(1.0, size.examples if KINDS[entry.family].by_example else size.rows)
            for entry, size in zip(entries, sizes, strict=True)
        ]
        batches = [entry.batch_size or spec.recipe.batch_size for entry in entries]
        drawn = [math.ceil(n * spec.recipe.epochs / b) for n, b in zip(items, batches, strict=True)]
        steps = float(sum(drawn))
        passes = [spec.recipe.epochs]
        if len(entries) > 1:
            weights = [entry.weight for entry in entries]
            share = entry_probabilities([int(n) for n in items], weights, spec.sampling)
            passes = [steps * p * b / n for p, b, n in zip(share, batches, items, strict=True)]
        found = [(p, size.units) for p, size in zip(passes, sizes, strict=True)]
        tokens = sum(p * units["tokens"] for p, units in found)
        shape = self.shape
        rows = min(sum(size.pieces for size in sizes), shape.rows)
        before = inputs["parent"].estimate["bytes"] if "parent" in inputs else 0.0
        return {
            "tokens": tokens,
            "attention": sum(p * units["attention"] for p, units in found),
            "steps": steps,
            "probed": self._probed(spec, inputs, sizes, steps),
            "flops": 6 * shape.parameters * tokens,
            "bytes": max(4 * (shape.parameters + shape.width * rows), before),
        }

    def _probed(self, spec: TrainSpec, inputs: Inputs, sizes: list[Size], steps: float) -> float:
        """Tokens of all validations and checks for collapse."""
        tokens, times, chosen = 0.0, 1.0, spec.selection
        if chosen is not None and (chosen.every or chosen.rule != "last"):
            times += steps // (chosen.every or max(1.0, steps // 10))
        for i, (entry, size) in enumerate(zip(spec.entries, sizes, strict=True)):
            if f"validation_features{i}" in inputs:
                tokens += times * self.size(inputs[f"validation_features{i}"]).tokens
            elif KINDS[entry.family].measured and not entry.control:
                share = min(1.0, SAMPLE_EXAMPLES / max(size.examples, 1.0))
                tokens += times * min(share * size.tokens, SAMPLE_TOKENS)
        return tokens


def _of_folder(folder: Path) -> Shape:
    """What its configuration says, if it is like most: four square matrices and two wide ones."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        width, inner = config["hidden_size"], config["intermediate_size"]
        weights = config["num_hidden_layers"] * (4 * width**2 + 2 * width * inner)
        return Shape(float(weights), float(config["vocab_size"]), float(width))
    return BASE


def _there(spec: Any) -> float:
    """Examples that are read, of which some are chosen."""
    known = load_statistics(spec.task).get(spec.split, {})
    read = [known.get(part.language, {}).get("examples", EXAMPLES) for part in spec.languages]
    return float(sum(read))


def _chosen(spec: Any, family: str, max_length: int = 512, stride: int = 0) -> Size:
    """Size of the examples that a stage chooses, from the statistics."""
    kind, known = KINDS[family], load_statistics(spec.task).get(spec.split, {})
    there = rows = tokens = 0.0
    for part in spec.languages:
        record = known.get(part.language, {})
        whole = record.get("examples", EXAMPLES) / (2 if spec.fold else 1)
        number = min(whole, spec.per_language or whole)
        there += number
        if not record:
            rows += number * kind.sequences
            tokens += number * kind.sequences * kind.share * max_length
            continue
        lengths, found = record["tokens"], record.get("candidates", 0)
        # A budget takes the candidates that are right for it, an evaluation takes all.
        more = (number if found else 0.0) if spec.total else found / (2 if spec.fold else 1)
        each = len(record["labels"]) if family == "choice" else kind.sequences if not found else 1
        row, token = _cut(lengths, max_length, stride)
        if found:  # searches are as long as the middle of all, candidates as what is left
            token = min(lengths["median"], max_length)
            longer = lengths["mean"] + (lengths["mean"] - token) * record["examples"] / found
            tokens += more * min(longer, max_length)
        rows += number * each * row + more
        tokens += number * each * token
    total = spec.total or there
    scale = (min(total, there) if spec.at_most else total) / max(there, 1.0)
    # Distinct pieces grow with the root of the tokens (Heaps' law, roughly).
    return Size(there * scale, rows * scale, tokens * scale, 20 * math.sqrt(tokens * scale))


def _cut(tokens: Mapping[str, float], max_length: int, stride: int) -> tuple[float, float]:
    """Mean rows and tokens that become of a sequence: windows, or (`stride` 0) it is cut."""
    middle = max(tokens["median"], 1)
    spread = math.log(max(tokens["p95"], middle) / middle) / NormalDist().inv_cdf(0.95)
    drawn = [math.exp(spread * z) for z in _QUANTILES]
    lengths = [tokens["mean"] * length * len(drawn) / sum(drawn) for length in drawn]
    if not stride:
        return 1.0, sum(min(length, max_length) for length in lengths) / len(lengths)
    step = max(max_length - QUESTION - stride, 1)
    more = sum(math.ceil(max(0.0, n - max_length) / step) for n in lengths) / len(lengths)
    return 1.0 + more, sum(lengths) / len(lengths) + more * (QUESTION + stride)
