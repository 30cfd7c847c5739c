"""A whole small study: `midway run` against the same study written plainly with Trainer, in turn.

    python -m benchmarks.study [--examples 48] [--evaluate 10] [--seeds 2] [--rounds 3]

No intermediate, English SQuAD and XQuAD in five languages, each then fine-tuned on English TyDiQA
and evaluated in all of its languages, for each seed. Every run is a process of its own, from data
files to scores, in windows of at most 256 tokens, 16 a step, two epochs:

- ``midway``: `midway run --workers 2` with an empty store, report included;
- ``midway, 1 worker``: the same, one stage at a time;
- ``Trainer``: a loop over seeds and intermediates as a careful user writes it: tuned settings
  (bfloat16, length grouping, dynamic padding, fused AdamW; predictions with weights in bfloat16,
  sorted by length over all languages), everything tokenised once, an intermediate trained once a
  seed and handed on in memory; the import of the encoder is not part of its time, as it is of ours;
- ``Trainer, 2 processes``: the same, the seeds shared out to two processes of one thread each.

The two sides draw examples by seeds of their own, equally many of each language.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import theirs
from benchmarks.common import Record, against, finish, in_turn, parser, table, values
from benchmarks.ours import Set, write_model
from benchmarks.workloads import ENCODER, Workload, at_hand, read_workload, write_encoder
from midway.families import FAMILIES

LENGTH, FAMILY = 256, "span_qa"
MULTI = ("ar", "de", "hi", "tr", "zh")
INTERMEDIATES = {"squad": ("train", ("en",)), "xquad": ("test", MULTI)}
SAMPLER = {"squad": ("train", ("en",)), "xquad": ("train", MULTI)}
STUDY = """
name = "benchmark"
encoder = "{encoder}"
seeds = {seeds}

[train]
batch_size = 16
epochs = 2
max_length = 256

[[intermediate]]
name = "english"
[[intermediate.mix]]
task = "{english}"
split = "{english_split}"
languages = ["en"]
examples = {examples}

[[intermediate]]
name = "multilingual"
[[intermediate.mix]]
task = "{multi}"
split = "{multi_split}"
languages = {languages}
examples = {examples}

[[target]]
task = "{target}"
train = {{ languages = ["en"], split = "train", examples = {examples} }}
evaluate = {{ split = "validation", examples = {evaluate} }}
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run all ways in turn and print a table."""
    made = parser(__doc__ or "")
    made.add_argument("--examples", type=int, default=48)
    made.add_argument("--evaluate", type=int, default=10, help="examples of each language")
    made.add_argument("--seeds", type=int, default=2)
    made.add_argument("--encoder", default=ENCODER)
    made.add_argument("--plain", nargs=2, metavar=("FOLDER", "SEEDS"), help=argparse.SUPPRESS)
    options = made.parse_args(argv)
    if options.small:
        options.examples, options.evaluate, options.seeds = 10, 2, 1
    if options.plain:
        seeds = [int(seed) for seed in options.plain[1].split(",")]
        print(json.dumps(plain(Path(options.plain[0]), seeds, options)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_encoder(options.encoder, folder / "encoder")
        work = _target(folder, "probe", options, evaluated=False)
        write_model(folder / "encoder", work, folder / "delta")
        theirs.export(folder / "encoder", folder / "delta", FAMILY, folder / "model")
        write_study(folder / "study.toml", options)
        ways = {
            "midway": partial(_midway, folder, 2),
            "midway, 1 worker": partial(_midway, folder, 1),
            "Trainer": partial(_trainer, folder, options, 1),
            "Trainer, 2 processes": partial(_trainer, folder, options, 2),
        }
        if options.seeds < 2:
            del ways["Trainer, 2 processes"]
        found = in_turn(ways, options.rounds)
    rows = [
        [
            way, values(records, "seconds").text(",.1f"),
            against(found, "midway", way, "per_second").text(".2f"),
            values(records, "f1").text(".1f"),
        ]
        for way, records in found.items()
    ]  # fmt: skip
    sample = f"{options.examples} examples a training, {options.evaluate} of each language"
    sample += f" evaluated, {options.seeds} seeds"
    text = f"{sample}\n{table(['', 'seconds', 'midway is x times as fast', 'mean F1'], rows)}"
    finish("A whole study", text, {"sample": sample, "runs": found}, options.json)


def write_study(path: Path, options: argparse.Namespace) -> None:
    """Write the study file of our side."""
    intermediates = _intermediates()
    names = {task: at_hand(task, split)[0].name for task, (split, _) in intermediates.items()}
    encoder = options.encoder
    text = STUDY.format(
        encoder=encoder if encoder.startswith("offline:") else Path(encoder).resolve(),
        seeds=list(range(1, options.seeds + 1)),
        english=names["squad"], english_split=intermediates["squad"][0],
        multi=names["xquad"], multi_split=intermediates["xquad"][0],
        languages=json.dumps(list(MULTI)), target=at_hand("tydiqa", "train")[0].name,
        examples=options.examples, evaluate=options.evaluate,
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")


def _intermediates() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Splits and languages; the sampler's where there are no data."""
    return INTERMEDIATES if at_hand("xquad", "test")[0].name == "xquad" else SAMPLER


def _midway(folder: Path, workers: int) -> Record:
    """Run our side with an empty store."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        command = [sys.executable, "-m", "midway", "run", str(folder / "study.toml")]
        command += ["--workers", str(workers), "--store", f"{name}/store", "--out", f"{name}/out"]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        seconds = time.perf_counter() - began
        scores = [
            record["official"]["f1"]
            for path in Path(name).glob("store/artefacts/score/*/scores.json")
            for record in json.loads(path.read_text())["languages"].values()
        ]
    return _record(seconds, scores)


def _trainer(folder: Path, options: argparse.Namespace, processes: int) -> Record:
    """Run the plain loop; several processes share out the seeds."""
    shares = np.array_split(np.arange(1, options.seeds + 1), processes)
    environment = {"OMP_NUM_THREADS": "1"} if processes > 1 else {}
    began = time.perf_counter()
    started = []
    for share in shares:
        command = [sys.executable, "-m", "benchmarks.study", "--examples", str(options.examples)]
        command += ["--evaluate", str(options.evaluate)]
        command += ["--plain", str(folder), ",".join(map(str, share.tolist()))]
        started.append(
            subprocess.Popen(
                command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
            )
        )
    said = [process.communicate()[0] for process in started]
    seconds = time.perf_counter() - began
    return _record(seconds, [f1 for text in said for f1 in json.loads(text.splitlines()[-1])])


def _record(seconds: float, scores: Sequence[float]) -> Record:
    return {
        "seconds": seconds,
        "per_second": 1 / seconds,
        "f1": sum(scores) / len(scores),
        "count": len(scores),
    }


def _read(folder: Path, name: str, task: str, split: str, **settings: Any) -> Workload:
    """Tokenise once; a task must be there."""
    work = read_workload(
        task, split, folder / "encoder", Path(tempfile.mkdtemp(dir=folder)) / name,
        padded=LENGTH, **settings,
    )  # fmt: skip
    if work is None:
        raise SystemExit(f"{task} {split}: no data under MIDWAY_DATA")
    return work


def _target(folder: Path, name: str, options: argparse.Namespace, *, evaluated: bool) -> Workload:
    if evaluated:
        return _read(folder, name, "tydiqa", "validation", examples=options.evaluate)
    return _read(folder, name, "tydiqa", "train", examples=options.examples, languages=["en"])


def plain(folder: Path, seeds: Sequence[int], options: argparse.Namespace) -> list[float]:
    """The study as a loop; returns F1 of every run and language."""
    trained_on = {
        task: _read(
            folder, task, task, split,
            examples=-(-options.examples // len(languages)), languages=languages,
        )
        for task, (split, languages) in _intermediates().items()
    }  # fmt: skip
    target = _target(folder, "train", options, evaluated=False)
    evaluated = _target(folder, "evaluate", options, evaluated=True)
    scores: list[float] = []
    for seed in seeds:
        for name in (None, *trained_on):
            torch.manual_seed(seed)
            model = theirs.load(folder / "model", FAMILY)
            if name is not None:
                _fit(model, trained_on[name], folder, seed)
                model.qa_outputs.reset_parameters()  # a new head for the target
            _fit(model, target, folder, seed)
            answers, _ = theirs.predict_theirs(
                model, evaluated, folder / "trainer", by_length=True, bf16_full_eval=True
            )
            scores += _f1(answers, evaluated)
    return scores


def _fit(model: Any, work: Workload, folder: Path, seed: int) -> None:
    """Fine-tune with tuned settings."""
    arguments = theirs.arguments(folder / "trainer", Set(epochs=2.0), **theirs.TUNED)
    arguments.seed = seed
    data = theirs.rows_of(work.features, FAMILY, types=model.config.type_vocab_size > 1)
    collate = theirs.Collate(model.config.pad_token_id or 0)
    trainer = theirs.Trainer(model, arguments, train_dataset=data, data_collator=collate)
    trainer.remove_callback(theirs.PrinterCallback)
    trainer.train()


def _f1(answers: Sequence[Any], work: Workload) -> list[float]:
    """F1 of each language."""
    by_language: dict[str, dict[str, Any]] = {}
    for example, (answer, _) in zip(work.examples, answers, strict=True):
        by_language.setdefault(example.language, {})[example.id] = (example, answer)
    return [
        FAMILIES[FAMILY].score(
            {key: answer for key, (_, answer) in rows.items()},
            [example for example, _ in rows.values()], work.card, code,
        ).official["f1"]
        for code, rows in by_language.items()
    ]  # fmt: skip


if __name__ == "__main__":
    main()
