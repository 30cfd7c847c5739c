"""What all benchmarks share: options, rounds in turn, medians with their spread, tables, JSON."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

Record = dict[str, Any]


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of some measurements."""

    median: float
    low: float
    high: float
    count: int

    def text(self, form: str = ",.0f") -> str:
        """In words, e.g. ``2,311 (2,208 to 2,413)``."""
        return f"{self.median:{form}} ({self.low:{form}} to {self.high:{form}})"


def spread(values: Sequence[float]) -> Spread:
    """Describe some measurements."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def parser(module_text: str) -> argparse.ArgumentParser:
    """Options that every benchmark has."""
    made = argparse.ArgumentParser(
        description=module_text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--small", action="store_true", help="seconds instead of minutes")
    made.add_argument("--json", type=Path, help="write everything that was measured here")
    return made


def in_turn(systems: Mapping[str, Callable[[], Record]], rounds: int) -> dict[str, list[Record]]:
    """Run all systems once a round; every round begins with the next one.

    Returns:
        The records of each system, with ``load``, the machine's load average after it.
    """
    found: dict[str, list[Record]] = {name: [] for name in systems}
    names = list(systems)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            began = time.perf_counter()
            record = systems[name]()
            found[name].append({**record, "load": round(os.getloadavg()[0], 2)})
            print(
                f"  round {number + 1}  {name:24} {time.perf_counter() - began:7.1f} s", flush=True
            )
    return found


def values(records: Sequence[Record], name: str) -> Spread:
    """One measurement of a system in all rounds."""
    return spread([record[name] for record in records])


def against(runs: Mapping[str, Sequence[Record]], ours: str, other: str, name: str) -> Spread:
    """How many times as fast `ours` is, round by round; `name` is a rate."""
    pairs = zip(runs[ours], runs[other], strict=True)
    return spread([mine[name] / theirs[name] for mine, theirs in pairs])


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        )
        for line in lines
    )


def machine(device: str = "cpu") -> Record:
    """Where this is measured."""
    names = [
        line.partition(":")[2].strip()
        for line in _lines(Path("/proc/cpuinfo"))
        if line.startswith("model name")
    ]
    found = {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "load": round(os.getloadavg()[0], 2),
    }
    if torch.device(device).type == "cuda":
        found["device"] = torch.cuda.get_device_name(device)
    return found


def finish(title: str, text: str, document: Record, out: Path | None, device: str = "cpu") -> None:
    """Print the result and write everything that was measured."""
    here = machine(device)
    where = ", ".join(f"{name} {value}" for name, value in here.items())
    print(f"\n{title}\n{where}\n{text}", flush=True)
    if out is not None:
        whole = {"title": title, "machine": here, **document}
        out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def data_folders() -> tuple[Path, ...]:
    """Folders of benchmark files, from MIDWAY_DATA."""
    return tuple(Path(part) for part in os.environ.get("MIDWAY_DATA", "").split(":") if part)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
