"""Zero-shot evaluation over all languages at hand: midway against `Trainer.predict`, in turn.

    python -m benchmarks.evaluation [--task tydiqa udpos xnli xquad] [--examples 20] [--rounds 3]

One model (multilingual-e5-small with a new head), the same sequences, from features to predictions:

- ``midway``: one pass over all languages, packed, bfloat16, active vocabulary;
- ``sorted``: Trainer.predict with its weights in bfloat16, dynamic padding, rows sorted by length
  over all languages, 64 at a time: more care than the example scripts take;
- ``tuned``: the same in the order of the data;
- ``scripts``: Trainer.predict as in the example scripts: float32, padded to 128 tokens or 384
  (question answering), 8 at a time, which is its default.

Each language has up to ``--examples`` examples, drawn at random from its evaluation split under
MIDWAY_DATA. Reading and tokenising are not timed, decoding is: what the logits become is computed
by the same functions for all. The first round, in which kernels are made, does not count. The last
line is the share of predictions in float32 that are the same in midway and in Trainer; in bfloat16
an untrained head decides too narrowly to compare.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import Record, against, finish, in_turn, parser, table, values
from benchmarks.ours import new_model, predict_ours, write_model
from benchmarks.theirs import export, load, predict_theirs
from benchmarks.workloads import ENCODER, Workload, at_hand, each_task, read_workload

SPLITS = {"tydiqa": "validation", "udpos": "test", "xnli": "test", "xquad": "test"}
TASKS = ["tydiqa", "udpos", "xnli"]
EXAMPLES = 20


def main(argv: Sequence[str] | None = None) -> None:
    """Measure each task and print a table of it."""
    made = parser(__doc__ or "")
    made.add_argument("--task", nargs="+", choices=list(SPLITS), default=TASKS)
    made.add_argument("--examples", type=int, default=EXAMPLES)
    made.add_argument("--languages", nargs="+", default=[])
    made.add_argument("--encoder", default=ENCODER)
    options = made.parse_args(argv)

    def read(task: str, encoder: Path, folder: Path) -> Workload | None:
        languages = options.languages
        if options.small and not languages:
            languages = at_hand(task, SPLITS[task])[1][:3]
        examples = min(4, options.examples) if options.small else options.examples
        return read_workload(
            task, SPLITS[task], encoder, folder, examples=examples, languages=languages
        )

    each_task(options, read, measure)


def measure(folder: Path, encoder: Path, work: Workload, options: argparse.Namespace) -> Record:
    """All ways in turn."""
    languages = list(dict.fromkeys(str(example.language) for example in work.examples))
    print(f"\n{work.text}; {len(languages)} languages", flush=True)
    family = work.card.family
    write_model(encoder, work, folder / "delta")
    exported = export(encoder, folder / "delta", family, folder / f"{work.task}-model")
    out = folder / "trainer"

    def ours(precision: str = "bf16") -> tuple[list[Any], Record]:
        made, head = new_model(encoder, work)
        return predict_ours(made, head, work, precision=precision)

    def theirs(width: int | None, **settings: Any) -> tuple[list[Any], Record]:
        return predict_theirs(load(exported, family), work, out, width=width, **settings)

    quick = {"bf16_full_eval": True, "batch": 64}
    ways = {
        "midway": ours,
        "sorted": partial(theirs, None, by_length=True, **quick),
        "tuned": partial(theirs, None, **quick),
        "scripts": partial(theirs, work.padded, batch=8),
    }
    timed = {name: partial(_timed, way) for name, way in ways.items()}
    found = {name: records[1:] for name, records in in_turn(timed, options.rounds + 1).items()}
    equal = _equal(ours("float32")[0], theirs(None)[0], family)
    rows = [
        [
            name, values(records, "tokens_per_second").text(),
            against(found, "midway", name, "tokens_per_second").text(".2f"),
            values(records, "seconds").text(",.2f"),
        ]
        for name, records in found.items()
    ]  # fmt: skip
    text = table(["", "useful tokens/s", "midway is x times as fast", "seconds"], rows)
    text += f"\nequal predictions in float32, midway and Trainer: {equal:.2%}"
    title = f"Evaluation of {len(languages)} languages, {work.text}"
    finish(title, text, {}, None)
    return {"task": work.text, "languages": languages, "equal": equal, "runs": found}


def _timed(way: Any) -> Record:
    record: Record = way()[1]
    return record


def _equal(ours: Sequence[Any], theirs: Sequence[Any], family: str) -> float:
    """Share of examples (words in tagging) with the same prediction."""
    if family == "span_qa":  # the answer, without its n-best list
        ours, theirs = ([answer for answer, _ in part] for part in (ours, theirs))
    if family == "tagging":
        ours, theirs = ([tag for tags in part for tag in tags] for part in (ours, theirs))
    return sum(a == b for a, b in zip(ours, theirs, strict=True)) / max(1, len(ours))


if __name__ == "__main__":
    main()
