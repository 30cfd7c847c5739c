"""Read a task's files and choose examples."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from midway.canonical import file_digest
from midway.errors import DataError
from midway.graph.stage import Context, Progress
from midway.stages.specs import ExamplesSpec, LanguageFiles
from midway.tasks import load_card
from midway.tasks.card import TaskCard
from midway.tasks.control import shuffled
from midway.tasks.examples import Example
from midway.tasks.files import find_files, read_files
from midway.tasks.select import is_candidate, select, without_answer
from midway.tasks.sources import short_names
from midway.tasks.storage import write_examples


def run(spec: ExamplesSpec, inputs: Mapping[str, Path], context: Context) -> Mapping[str, Any]:
    """Write ``examples.jsonl`` and ``reading.json`` (counts, and what was dropped and why).

    Raises:
        DataError: a file is missing, has changed since the plan was made, or is malformed.
    """
    del inputs
    card = load_card(spec.task)
    examples: list[Example] = []
    dropped: dict[str, dict[str, int]] = {}
    repaired: dict[str, dict[str, int]] = {}
    warnings: list[str] = []
    for done, part in enumerate(spec.languages):
        context.check()
        context.report(
            Progress(done, len(spec.languages), "languages", {"language": part.language})
        )
        reading = read_files(
            card, _files(card, spec.split, part, context), spec.split, part.language
        )
        examples += reading.examples
        warnings += reading.warnings
        for found, counts in ((dropped, reading.dropped), (repaired, reading.repaired)):
            if counts:
                found[part.language] = dict(counts)
    chosen = select(
        examples,
        total=spec.total,
        per_language=spec.per_language,
        fold=spec.fold,
        seed=spec.seed,
        alpha=spec.alpha,
        skip=spec.skip,
        at_most=spec.at_most,
    )
    if spec.control:
        chosen = shuffled(chosen, seed=spec.seed)
    lost, queries = without_answer(chosen)
    if lost:
        warnings.append(
            f"{card.name} {spec.split}: {lost:,} of {queries:,} queries have no right candidate in "
            "the languages that are read, and score 0; read more languages"
        )
    write_examples(chosen, context.out)
    facts = {
        "examples": dict(Counter(e.language for e in chosen if not is_candidate(e))),
        "read": dict(Counter(e.language for e in examples if not is_candidate(e))),
        "dropped": dropped,
        "repaired": repaired,
        "warnings": warnings,
    }
    (context.out / "reading.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return facts


def _files(card: TaskCard, split: str, part: LanguageFiles, context: Context) -> tuple[Path, ...]:
    paths = find_files(card, context.runtime.data, split, part.language)
    named = short_names(paths)
    if set(named) != set(part.files):
        raise DataError(
            f"{card.name} {split} {part.language}: expected the files {sorted(part.files)}, "
            f"found {sorted(named)}; set --data to the folder that the plan was made with"
        )
    for name, path in named.items():
        if file_digest(path) != part.files[name]:
            raise DataError(f"{path} changed while the study was running; run it again")
    return paths
