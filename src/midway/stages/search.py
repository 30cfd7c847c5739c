"""Targets that are searched with the encoder as it is: sentence retrieval and bitext mining."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from midway.encoders.load import Encoder
from midway.families import mining, retrieval
from midway.families.features import Features
from midway.families.search import nearest
from midway.graph.stage import Context
from midway.metrics.mining import Scored
from midway.stages import prediction_files as files
from midway.stages.forward import layers_of, pooled
from midway.stages.specs import PredictSpec
from midway.tasks.examples import RankedText

POOLED_BYTES = 1 << 30

Places = list[tuple[str, list[int]]]


def retrieve(
    spec: PredictSpec,
    encoder: Encoder,
    features: Features,
    examples: Sequence[Any],
    context: Context,
) -> None:
    """Find each sentence's translation, in both directions and at all layers asked for."""
    hidden = encoder.model.config.hidden_size
    layers = layers_of(spec.layers, encoder)
    room = POOLED_BYTES // (len(layers) * hidden * 4)
    example, side = (features.table[name].to_numpy() for name in ("example", "side"))
    for group in _groups(by_language(examples), room // 2):
        rows = np.flatnonzero(np.isin(example, [i for _, places in group for i in places]))
        vectors = pooled(encoder, features, rows, layers, context, spec.precision)
        for language, places in group:
            mine = np.isin(example[rows], places)
            foreign = np.flatnonzero(mine & (side[rows] == retrieval.FOREIGN))
            english = np.flatnonzero(mine & (side[rows] == retrieval.ENGLISH))
            for k, layer in enumerate(layers):
                texts, queries = vectors[k, foreign], vectors[k, english]
                _, to_foreign = nearest(queries, texts)
                if layer == layers[-1]:
                    _, to_english = nearest(texts, queries)
                    reverse = context.out / files.REVERSE
                    files.write_indices(to_english[:, 0].tolist(), language, reverse)
                    folder = context.out / files.MAIN
                    files.write_indices(to_foreign[:, 0].tolist(), language, folder)
                if len(layers) > 1:
                    folder = context.out / f"layer-{layer}"
                    files.write_indices(to_foreign[:, 0].tolist(), language, folder)


def mine(
    spec: PredictSpec,
    encoder: Encoder,
    evaluation: tuple[Features, Sequence[RankedText]],
    development: tuple[Features, Sequence[RankedText]] | None,
    context: Context,
) -> None:
    """Mine each language pair; its threshold is tuned on the development set, if there is one."""
    tuned = {} if development is None else dict(by_language(development[1]))
    for language, places in by_language(evaluation[1]):
        examples = [evaluation[1][i] for i in places]
        candidates = _mined(spec, encoder, evaluation, places, context)
        tuning = None
        if development is not None and language in tuned:
            known = [development[1][i] for i in tuned[language]]
            scored = _mined(spec, encoder, development, tuned[language], context)
            tuning = (scored, mining.gold_pairs(known))
        taken = mining.choose(candidates, mining.gold_pairs(examples), tuning)
        files.write_mined(taken, candidates, language, context.out)


def _mined(
    spec: PredictSpec,
    encoder: Encoder,
    data: tuple[Features, Sequence[RankedText]],
    places: Sequence[int],
    context: Context,
) -> list[Scored]:
    """Candidate pairs of ids of one language pair, best first, without repeated sentences."""
    features, examples = data
    example, side = (features.table[name].to_numpy() for name in ("example", "side"))
    rows = np.flatnonzero(np.isin(example, places))
    layer = layers_of(spec.layers, encoder)[-1:]
    vectors = pooled(encoder, features, rows, layer, context, spec.precision)[0]
    foreign, english = (np.flatnonzero(side[rows] == number) for number in (0, 1))
    found = mining.candidate_pairs(vectors[foreign], vectors[english], way=spec.mining)
    sides = [[examples[example[rows[i]]] for i in part] for part in (foreign, english)]
    again = mining.repeated([examples[i] for i in places])
    triples = zip(found.scores.tolist(), found.left.tolist(), found.right.tolist(), strict=True)
    pairs = ((score, sides[0][left], sides[1][right]) for score, left, right in triples)
    return [
        (score, (x.id, y.id))
        for score, x, y in pairs
        if again.isdisjoint([(x.side, x.text), (y.side, y.text)])
    ]


def by_language(examples: Sequence[Any]) -> Places:
    """(language, places of its examples) for each run of examples of one language."""
    places = range(len(examples))
    return [
        (language, list(group))
        for language, group in groupby(places, key=lambda i: str(examples[i].language))
    ]


def _groups(languages: Places, room: int) -> Iterator[Places]:
    """Neighbouring languages whose vectors fit into memory together; at least one each."""
    group: Places = []
    used = 0
    for language, places in languages:
        if group and used + len(places) > room:
            yield group
            group, used = [], 0
        group.append((language, places))
        used += len(places)
    yield group
