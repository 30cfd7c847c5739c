"""Train with little address space, then with plenty at the size that was found; print both."""

import dataclasses
import json
import resource
import sys
from pathlib import Path

import numpy as np
from tiny_training import RECIPE, Case

from midway.graph.stage import Runtime
from midway.train.schedule import Step

ROWS, ROOM = 2500, 150 * 2**20


def main(folder):
    case = Case(folder, rows={"count": ROWS, "lengths": (20, 30)})
    first = train(case, folder / "warm", [np.arange(8)], 0)  # by now all libraries are loaded
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit_space(pages * resource.getpagesize() + ROOM)
    everything = [np.arange(ROWS)] * 3
    little = train(case, folder / "little", everything, 100_000)
    limit_space(resource.RLIM_INFINITY)
    plenty = train(case, folder / "plenty", everything, little["limit"])
    print(json.dumps({"first": first, "little": little, "plenty": plenty}))


def limit_space(size):
    resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


def train(case, work, steps, tokens):
    _, _, trained = case.run(
        work,
        recipe=dataclasses.replace(RECIPE, dropout=0.1),
        runtime=Runtime(micro_batch_tokens=tokens),
        steps=[Step(0, items) for items in steps],
    )
    return {"limit": trained.micro_batch_tokens, "losses": trained.losses}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
