"""Tokenise examples into a memory-mapped table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from midway.families import FAMILIES
from midway.families.features import read_features, write_features
from midway.families.tokens import load_tokenizer, with_languages
from midway.graph.stage import Context
from midway.stages.specs import FeaturesSpec
from midway.tasks import load_card
from midway.tasks.storage import read_examples


def run(spec: FeaturesSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``features.arrow``; see the families' ``encode`` for its columns."""
    examples = read_examples(inputs["examples"], spec.source or spec.family)
    table = FAMILIES[spec.family].encode(
        examples,
        load_tokenizer(inputs["encoder"]),
        load_card(spec.task),
        max_length=spec.max_length,
        stride=spec.stride,
    )
    write_features(with_languages(table, [e.language for e in examples]), context.out)
    features = read_features(context.out)
    return {
        "rows": len(features.lengths),
        "tokens": len(features.tokens),
        "longest": int(features.lengths.max(initial=0)),
        "pieces": len(features.active),
    }
