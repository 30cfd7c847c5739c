"""Run a small real study while everything goes wrong, and say what came of it.

    python -m reliability [--short] [--part kills writes bits full crowd odd] [--json FILE]

- ``kills``: SIGKILL to all processes of a run at random instants, until it ends;
- ``writes``: every change of the file system fails once (`reliability.writes`);
- ``bits``: a random bit of a random artefact is flipped;
- ``full``: a file system that is full after a random number of kilobytes (needs root, or is left
  out);
- ``crowd``: eight runs of the study on one store at once, in every second round three are killed;
- ``odd``: SIGTERM, a killed worker, clocks a month off, a read-only store, a store of another
  user, strange names, leftovers of other programs.

After every fault the same command is run again. It must end with the bytes of an undisturbed run,
and nothing must be cleaned up by hand. Exit code 1 if there was a failure. Everything is drawn from
``--seed``; instants depend on the machine's speed all the same.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from reliability import faults, study
from reliability.faults import Tally
from reliability.writes import writes

Part = Callable[[study.Place, study.Truth, random.Random, int], Tally]
PARTS: dict[str, Part] = {
    "kills": faults.kills,
    "writes": writes,
    "bits": faults.bits,
    "full": faults.full,
    "crowd": faults.crowd,
    "odd": faults.odd,
}
LONG = {"kills": 300, "writes": 10**6, "bits": 60, "full": 25, "crowd": 6, "odd": 1}
SHORT = {"kills": 3, "writes": 6, "bits": 1, "full": 1, "crowd": 1, "odd": 0}


def main() -> int:
    """Inject faults and print a table."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--part", nargs="+", choices=list(PARTS), default=list(PARTS))
    made.add_argument("--short", action="store_true", help="a few faults of each kind")
    made.add_argument("--number", type=int, help="faults of each part")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--json", type=Path, help="write everything here")
    options = made.parse_args()
    counts = SHORT if options.short else LONG
    document: dict[str, object] = {"seed": options.seed}
    failed = False
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        place = study.make(Path(name) / "study")
        expected = study.truth(place)
        print(f"an undisturbed run: {expected.seconds:.1f} s, {len(expected.outputs)} artefacts")
        print(f"{'part':8}{'runs':>8}{'faults':>8}{'recoveries':>12}{'failures':>10}{'minutes':>9}")
        for part in options.part:
            number = options.number if options.number is not None else counts[part]
            if not number:
                continue
            began = time.monotonic()
            tally = PARTS[part](place, expected, random.Random(options.seed), number)
            minutes = (time.monotonic() - began) / 60
            document[part] = {**asdict(tally), "minutes": minutes}
            print(
                f"{part:8}{tally.runs:>8}{tally.faults:>8}{tally.recoveries:>12}"
                f"{len(tally.failures):>10}{minutes:>9.1f}",
                flush=True,
            )
            for text in tally.failures:
                print(f"  {text}", flush=True)
            failed = failed or bool(tally.failures)
    if options.json is not None:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
