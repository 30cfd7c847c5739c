"""How midway scales: speed by length and batch, and the targets for everything around training.

    python -m benchmarks.scaling [--part speed planning cached report start] [--rounds 3]

- ``speed``: useful tokens a second in training and prediction by length and batch, random weights
  in multilingual-e5-small's shape, random ids, all sequences of equal length; beside it the share
  of the best matrix product of the same run (`midway.encoders.limits`);
- ``planning``: `midway plan` on a study of 10,000 stages: under 2 s;
- ``cached``: `midway run` on a finished study of 300 stages, report included: under 5 s;
- ``report``: results, summary and report from scores that make 1,000,000 result rows: under 20 s;
- ``start``: `midway --help` under 0.3 s, `import midway` under 0.1 s.

All but the first are processes of their own. Planning is also timed without starting Python and
importing what a plan needs: the target is about planning.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks import studies
from benchmarks.common import Record, finish, in_turn, parser, spread, table, values
from benchmarks.ours import Set, new_model, predict_ours, train_ours
from benchmarks.workloads import SMALL, random_workload, write_random_encoder
from midway.encoders.limits import SQUARES, best_product

PARTS = ("speed", "planning", "cached", "report", "start")
LENGTHS, BATCHES = (16, 32, 64, 128, 256, 512), (8, 32)
STEPS = 6


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the parts and print a table of each."""
    made = parser(__doc__ or "")
    made.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    made.add_argument("--lengths", nargs="+", type=int, default=list(LENGTHS))
    made.add_argument("--batches", nargs="+", type=int, default=list(BATCHES))
    options = made.parse_args(argv)
    document: Record = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "speed" in options.part:
            document["speed"] = speed(folder, options)
        chosen = [part for part in PARTS[1:] if part in options.part]
        targets = [line for part in chosen for line in TARGETS[part](folder / part, options)]
    if targets:
        document["targets"] = targets
        rows = [
            [line["name"], line["spread"], f"{line['target']} s", line["verdict"]]
            for line in targets
        ]
        text = table(["", "seconds, median (range)", "target", "verdict"], rows)
        finish("Around training", text, {}, None)
    if options.json is not None:
        finish("All parts", "", document, options.json)


def speed(folder: Path, options: argparse.Namespace) -> Record:
    """Training and prediction by length and batch."""
    encoder = write_random_encoder(SMALL, folder / "encoder")
    lengths = options.lengths[:2] if options.small else options.lengths
    squares = SQUARES[:2] if options.small else SQUARES
    systems: dict[str, Callable[[], Record]] = {
        "matrix product": lambda: {
            "products": best_product(SMALL.hidden_size, SMALL.intermediate_size, squares=squares)
        }
    }
    for length in lengths:
        for batch in options.batches:
            work = random_workload(
                [length] * batch * STEPS, SMALL.vocab_size, folder / f"{length}-{batch}"
            )
            systems[f"train {length} x {batch}"] = partial(
                train_ours, encoder, work, Set(batch=batch)
            )
        systems[f"predict {length}"] = partial(_predict, encoder, work)
    found = in_turn(systems, options.rounds)
    products = [rate for record in found["matrix product"] for rate in record["products"].values()]
    limit = max(products)
    rows = []
    for name, records in found.items():
        if name != "matrix product":
            flops = values(records, "flops_per_second").median
            rate = values(records, "tokens_per_second").text()
            rows.append([name, rate, f"{flops / 1e9:,.0f}", f"{flops / limit:.1%}"])
    text = table(["length x batch", "useful tokens/s", "GFLOP/s", "of the limit"], rows)
    text += f"\nlimit, the best bfloat16 matrix product: {limit / 1e9:,.0f} GFLOP/s"
    finish(f"Speed by length and batch, {STEPS} steps, two not timed", text, {}, None)
    return found


def _predict(encoder: Path, work: object) -> Record:
    made, head = new_model(encoder, work)
    predict_ours(made, head, work)  # makes the kernels
    return predict_ours(made, head, work)[1]


def target(name: str, runs: Sequence[float], limit: float) -> Record:
    """A line of the table of targets."""
    found = spread(list(runs))
    verdict = "met" if found.median < limit else f"missed, {found.median / limit:.1f} times"
    return {
        "name": name, "seconds": list(runs), "spread": found.text(".3g"), "target": limit,
        "verdict": verdict,
    }  # fmt: skip


def planning(folder: Path, options: argparse.Namespace) -> list[Record]:
    """Plan a study of about 10,000 stages."""
    stages = 300 if options.small else 10_000
    study = studies.write_study(folder, stages, intermediates=20)
    code = (
        "import time; from pathlib import Path; from midway.studies.session import plan_study\n"
        "from midway.store.local import Store\n"
        f"store = Store(Path({str(folder / 'store')!r})); began = time.perf_counter()\n"
        f"plan = plan_study(Path({str(study)!r}), store, ())\n"
        "print(time.perf_counter() - began, len(plan.stages))"
    )
    said = [_child([sys.executable, "-c", code], folder).split() for _ in range(options.rounds)]
    count = int(said[0][1])
    command = [sys.executable, "-m", "midway", "plan", str(study), "--json"]
    command += ["--store", str(folder / "store")]
    whole = [_seconds(command, folder) for _ in range(options.rounds)]
    print(f"  planned {count:,} stages", flush=True)
    return [
        target(f"planning {count:,} stages", [float(line[0]) for line in said], 2.0),
        target(f"midway plan --json, {count:,} stages, whole process", whole, 2.0),
    ]


def cached(folder: Path, options: argparse.Namespace) -> list[Record]:
    """Run a finished study of about 300 stages again."""
    study = studies.write_study(folder, 40 if options.small else 300, intermediates=2)
    command = [sys.executable, "-m", "midway", "run", str(study)]
    command += ["--store", str(folder / "store"), "--out", str(folder / "out")]
    first = _seconds([*command, "--workers", "2"], folder)
    count = studies.count_stages(study, folder / "store")
    print(f"  {count} stages computed in {first:.0f} s, which nothing is compared with", flush=True)
    again = [_seconds(command, folder) for _ in range(options.rounds)]
    return [target(f"cached re-run of {count} stages, whole process", again, 5.0)]


def report(folder: Path, options: argparse.Namespace) -> list[Record]:
    """Write the report of very many scores."""
    rows = 10_000 if options.small else 1_000_000
    made = studies.write_scores(folder, rows)
    command = [sys.executable, "-m", "benchmarks.studies", str(folder)]
    runs = [float(_child(command, Path.cwd())) for _ in range(options.rounds)]
    return [target(f"report on {made:,} result rows", runs, 20.0)]


def start(folder: Path, options: argparse.Namespace) -> list[Record]:
    """Start-up."""
    folder.mkdir(parents=True)
    rounds = 3 * options.rounds
    code = "import time; t = time.perf_counter(); import midway; print(time.perf_counter() - t)"
    help_ = [_seconds([sys.executable, "-m", "midway", "--help"], folder) for _ in range(rounds)]
    import_ = [float(_child([sys.executable, "-c", code], folder)) for _ in range(rounds)]
    return [
        target("midway --help, whole process", help_, 0.3),
        target("import midway", import_, 0.1),
    ]


TARGETS: dict[str, Callable[[Path, argparse.Namespace], list[Record]]] = {
    "planning": planning, "cached": cached, "report": report, "start": start,
}  # fmt: skip


def _child(command: Sequence[str], folder: Path) -> str:
    clean = {key: value for key, value in os.environ.items() if key != "MIDWAY_DATA"}
    done = subprocess.run(
        command, cwd=folder, env=clean, check=True, capture_output=True, text=True
    )
    return done.stdout


def _seconds(command: Sequence[str], folder: Path) -> float:
    began = time.perf_counter()
    _child(command, folder)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
