"""What stages cost on this machine: the stage functions themselves, run on a little embedded data.

1. A child process runs `measure`; as many run at once as the study will have workers, each with
   its share of the threads, in lockstep: what sharing the cores costs is measured, not assumed.
2. Runs differ from each other in steps, in tokens and in the length of texts, so that these costs
   can be told apart. They are fewer and smaller where the encoder is slow.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from midway.canonical import file_digest
from midway.graph.children import Pipe, end_with_parent
from midway.graph.stage import Context, Runtime, StageFunction
from midway.stages import examples, features, predict, score, specs, train
from midway.tasks import load_card
from midway.tasks.examples import QAExample
from midway.tasks.files import find_files
from midway.tasks.sources import short_names
from midway.tasks.storage import read_examples, write_examples
from midway.train.loop import TRIM_STEPS
from midway.train.recipe import Recipe

TASK, FAMILY, THERE = "sampler-qa", "span_qa", 4000  # examples of its English training data
STEP_SECONDS = 0.8  # of training a small encoder for one small step, with loading and saving
MOST, LEAST = 256, 16  # examples
STEPS = TRIM_STEPS + 1  # as many as it takes to pay once for memory that was given back
LONG = 4  # times its paragraph, in a long example

_RUNS: Mapping[str, StageFunction] = {
    "examples": examples.run,
    "features": features.run,
    "train": train.run,
    "predict": predict.run,
    "score": score.run,
}


@dataclass(frozen=True)
class Data:
    """Examples and features: the folders, and how many rows."""

    examples: Path
    features: Path
    rows: int


@dataclass(frozen=True)
class Bench:
    """Runs stage functions in a temporary folder.

    Attributes:
        folder: where.
        encoder: an artefact of the import stage.
        runtime: as a worker of the run has it.
        precision: of training and prediction.
        wait: called before each run, for lockstep.
        runs: kind, units and seconds of each run so far.
    """

    folder: Path
    encoder: Path
    runtime: Runtime
    precision: str
    wait: Callable[[], None]
    runs: list[tuple[str, dict[str, float], float]] = field(default_factory=list)

    def run(
        self, kind: str, spec: Any, inputs: Mapping[str, Path], units: dict[str, float]
    ) -> Path:
        """Run a stage function and note its units and its seconds; returns its artefact."""
        out = self.folder / f"out{len(list(self.folder.iterdir()))}"
        out.mkdir()
        context = Context(out, out.with_suffix(".work"), self.runtime, _ignore, lambda: None)
        self.wait()
        began = time.perf_counter()
        facts = _RUNS[kind](spec, {"encoder": self.encoder, **inputs}, context)
        seconds = time.perf_counter() - began
        if "tokens" in facts:
            rows = facts.get("rows", units.get("rows", 1.0))
            units |= {"tokens": facts["tokens"], "attention": facts["tokens"] ** 2 / rows}
        self.runs.append((kind, units, seconds))
        return out

    def data(self, chosen: Sequence[QAExample]) -> Data:
        """Tokenise examples."""
        folder = self.folder / f"examples{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        write_examples(chosen, folder)
        spec = specs.FeaturesSpec(task=TASK, family=FAMILY, labels=(), max_length=256, stride=85)
        made = self.run("features", spec, {"examples": folder}, {})
        return Data(folder, made, len(chosen))

    def train(self, data: Data, batch: int, steps: int) -> Path:
        """Train without checks for collapse, which cost what prediction does."""
        epochs = steps * batch / data.rows
        spec = specs.TrainSpec(
            entries=(specs.EntrySpec(task=TASK, family=FAMILY, control=True),),
            recipe=Recipe(batch_size=batch, epochs=epochs, precision=self.precision),
            seed=1,
        )
        inputs = {"features0": data.features, "examples0": data.examples}
        return self.run("train", spec, inputs, {"steps": float(steps)})

    def predict(self, data: Data, model: Path) -> Path:
        """Predict with a trained model."""
        spec = specs.PredictSpec(
            task=TASK, family=FAMILY, head=f"0.{TASK}", precision=self.precision
        )
        inputs = {"features": data.features, "examples": data.examples, "model": model}
        return self.run("predict", spec, inputs, {"rows": float(data.rows)})


def measure(
    pipe: "Pipe[Any, Any]", spawned: float, encoder: Path, runtime: Runtime, precision: str
) -> None:
    """Answer with the seconds it took to start and the runs; before each, None is sent and awaited.

    Args:
        pipe: to the parent.
        spawned: when this process was started, in seconds of `time.time`.
        encoder: an artefact of the import stage.
        runtime: of a worker.
        precision: of training and prediction.
    """
    started = time.time() - spawned
    end_with_parent()

    def wait() -> None:
        pipe.send(None)
        pipe.recv()

    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder), encoder, runtime, precision, wait)
        pipe.send((started + _run_all(bench), bench.runs))


def _run_all(bench: Bench) -> float:
    """Do all runs; returns the seconds by which the first of each kind was slower than the next."""
    card = load_card(TASK)
    files = short_names(find_files(card, (), "train", "en"))
    named = {name: file_digest(path) for name, path in files.items()}
    spec = specs.ExamplesSpec(
        task=TASK,
        card_version=card.version,
        split="train",
        languages=(specs.LanguageFiles(language="en", files=named),),
        total=MOST,
    )

    def begin() -> tuple[list[QAExample], Path]:
        whole = read_examples(bench.run("examples", spec, {}, {"examples": THERE}), FAMILY)
        few = bench.data(whole[:LEAST])
        model = bench.train(few, 4, 1)
        bench.predict(few, model)
        return whole, model

    begin()
    first = sum(seconds for _, _, seconds in bench.runs)
    bench.runs.clear()
    whole, model = begin()
    slower = first - sum(seconds for _, _, seconds in bench.runs)
    pace = max(1.0, next(s for kind, _, s in bench.runs if kind == "train") / STEP_SECONDS)
    number, steps = max(LEAST, int(MOST / pace)), max(2, int(STEPS / pace))
    some = bench.data(whole[:number])
    longer = [replace(e, context=" ".join([e.context] * LONG)) for e in whole]
    wide = bench.data(longer[: max(LEAST, number // LONG)])
    bench.train(some, 4, steps)
    bench.train(some, 16, steps)
    bench.train(wide, 8, max(1, steps // 2))
    bench.predict(some, model)
    said = {"predictions": bench.predict(wide, model), "examples": wide.examples}
    bench.run("score", specs.ScoreSpec(task=TASK, family=FAMILY), said, {"examples": wide.rows})
    return max(0.0, slower)


def _ignore(*progress: Any) -> None:
    del progress
