"""Translations of training text in evaluation data, by the encoder's space.

1. For each pair of languages, one of a training set and another of an evaluation set, a text and
   its translation should be each other's nearest neighbours.
2. Pairs that are, by the ratio margin over 4 neighbours (Artetxe and Schwenk 2019,
   `midway.metrics.mining`), count from a margin on. Without it the nearest of two unrelated heaps
   would count too.
3. It is a guess, right as often as docs/results/leaks.md says for one encoder; so it is a hint.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midway.families.mining import candidate_pairs
from midway.graph.stage import Context, Progress
from midway.stages.leak_kinds import DataSet, read_data_set
from midway.stages.leaking import Neighbours, write_neighbours
from midway.stages.specs import NeighboursSpec
from midway.stages.vectors import read_vectors


def run(spec: NeighboursSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``neighbours.json``."""
    if context.runtime.threads:
        torch.set_num_threads(context.runtime.threads)
    found: Neighbours = {}
    count = 0
    done: dict[tuple[Path, int], dict[int, str]] = {}
    training: dict[Path, tuple[DataSet, np.ndarray]] = {}
    for i, (task, split) in enumerate(spec.evaluation):
        context.report(Progress(i, len(spec.evaluation), "targets"))
        second = read_data_set(inputs[f"evaluation{i}"], task, split)
        theirs = read_vectors(inputs[f"evaluation_vectors{i}"])
        for j, part in enumerate(spec.training):
            context.check()
            folder = inputs[f"train{j}"]
            if (folder, i) not in done:
                if folder not in training:
                    vectors = read_vectors(inputs[f"train_vectors{j}"])
                    training[folder] = read_data_set(folder, *part), vectors
                first, ours = training[folder]
                done[folder, i] = {
                    row: first.name(first.owners[left][0])
                    for left, right, _ in translations(first, ours, second, theirs, spec.margin)
                    for row in second.owners[right]
                }
                count += len(done[folder, i])
            if done[folder, i]:
                found.setdefault(i, {})[j] = done[folder, i]
    write_neighbours(found, context.out)
    return {"neighbours": count}


def translations(
    first: DataSet, ours: np.ndarray, second: DataSet, theirs: np.ndarray, margin: float
) -> Iterator[tuple[int, int, float]]:
    """Texts of two data sets in different languages that are each other's nearest.

    Args:
        first: the one data set.
        ours: its vectors, ``float[texts, hidden]``, unit length.
        second: the other.
        theirs: its vectors.
        margin: from which a pair counts.

    Yields:
        Number of the text in `first` and in `second`, ratio margin.
    """
    left, right = _by_language(first), _by_language(second)
    for mine, rows in left.items():
        for other, columns in right.items():
            if mine == other:
                continue
            pairs = candidate_pairs(
                torch.from_numpy(ours[rows].astype(np.float32)),
                torch.from_numpy(theirs[columns].astype(np.float32)),
                way="intersection",
            )
            for score, x, y in zip(
                pairs.scores.tolist(), pairs.left.tolist(), pairs.right.tolist(), strict=True
            ):
                one, two = int(rows[x]), int(columns[y])
                if score >= margin and first.normal[one] != second.normal[two]:
                    yield one, two, score


def _by_language(data: DataSet) -> dict[str, np.ndarray]:
    """Numbers of the texts in each language."""
    places: dict[str, list[int]] = {}
    for number, language in enumerate(data.spoken):
        places.setdefault(language, []).append(number)
    return {language: np.array(numbers) for language, numbers in places.items()}
