"""One training in several processes against one process with all threads, or one GPU, in turn.

    python -m benchmarks.processes [--processes 2] [--task tydiqa] [--device cpu] [--small]

All take the same steps of 16 sequences; tokens per second are those of the steps, without starting.
The greatest difference of the losses of a step is printed: dropout is off.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import Record, against, finish, in_turn, parser, table, values
from benchmarks.ours import Set, train_ours
from benchmarks.workloads import ENCODER, read_workload, write_encoder
from midway.graph.stage import Context, Runtime
from midway.train.processes import run_together


def main() -> None:
    """Run all rounds and print a table."""
    options = parser(__doc__)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--task", default="tydiqa")
    options.add_argument("--device", default="cpu")
    options.add_argument("--encoder", default=ENCODER)
    chosen = options.parse_args()
    count = 64 if chosen.small else 256
    with tempfile.TemporaryDirectory() as name:
        encoder = write_encoder(chosen.encoder, Path(name) / "encoder")
        spec = {"task": chosen.task, "count": count, "device": chosen.device}

        def run(processes: int) -> Record:
            threads = torch.get_num_threads()
            runtime = Runtime(device=chosen.device, processes=processes, threads=threads)
            place = Context(Path(name), Path(name), runtime, lambda _: None, lambda: None)
            return dict(run_together(measure, spec, {"encoder": encoder}, place))

        several = f"{chosen.processes} processes"
        systems = {"1 process": lambda: run(1), several: lambda: run(chosen.processes)}
        runs = in_turn(systems, chosen.rounds)
    ratio = against(runs, several, "1 process", "tokens_per_second")
    rows = [
        (system, values(records, "tokens_per_second").text()) for system, records in runs.items()
    ]
    pairs = zip(runs["1 process"][0]["losses"], runs[several][0]["losses"], strict=True)
    apart = max(abs(one - other) for one, other in pairs)
    text = f"{several} x {ratio.text('.2f')}; losses differ by at most {apart:.1e}"
    text = f"{table(('system', 'tokens/s'), rows)}\n{text}"
    finish(f"{chosen.task}, {count} sequences", text, {"runs": runs}, chosen.json, chosen.device)


def measure(spec: Mapping[str, Any], inputs: Mapping[str, Path], context: Context) -> Record:
    """Train in this process, which may be one of several."""
    torch.set_num_threads(context.runtime.threads)
    with tempfile.TemporaryDirectory() as name:
        work = read_workload(
            spec["task"], "train", inputs["encoder"], Path(name) / "features",
            examples=spec["count"], languages=["en"],
        )  # fmt: skip
        if work is None:
            raise SystemExit(f"no training data of {spec['task']}; set MIDWAY_DATA")
        how = Set(dropout=False, device=context.runtime.device)
        return train_ours(inputs["encoder"], work, how)


if __name__ == "__main__":
    main()
