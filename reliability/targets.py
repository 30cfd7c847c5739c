"""What is fuzzed: for each target a function that makes a case from a generator and tries it.

Where more than the absence of a crash can be asked, it is: a manifest that differs by a bit must be
refused, a remembered digest must be the right one, a text must read back as the value it is of.
"""

import json
import math
import os
import random
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from midway import languages
from midway.errors import DataError
from midway.metrics.benchmark import BENCHMARKS
from midway.metrics.file_scores import Context
from midway.store.local import Store
from midway.studies.advising import measured_in
from midway.studies.session import plan_study
from midway.studies.study_file import load_study
from midway.tasks import load_card
from midway.tasks.card import HubSource
from midway.tasks.examples import LabelledText
from midway.tasks.files import read_files
from midway.tasks.hub.lock import Pinned, lock_text, read_lock
from midway.tasks.readers.parquet import read_parquet
from midway.tasks.related import related
from midway.tasks.select import resolve_languages
from reliability.cut import CARDS, base, written
from reliability.mutate import NUMBERS, WORDS, damaged, rearranged, toml
from reliability.seeds import HERMETIC, SCORED
from reliability.store_targets import Action, canonical, digests, lease, manifest, results

STUDIES = Path(__file__).parents[1] / "studies"


@dataclass(frozen=True)
class Target:
    """Something to fuzz.

    Attributes:
        make: given an empty folder, returns the action that does one case.
        weight: its share of all cases.
        warm: whether a case is done before memory is limited, since it loads libraries.
    """

    make: Callable[[Path], Action]
    weight: int
    warm: bool = False


def _study_cases(folder: Path) -> Callable[[random.Random], Path]:
    texts = [path.read_bytes() for path in sorted(STUDIES.rglob("*.toml"))]
    trees = [tomllib.loads(text.decode()) for text in texts]
    path = folder / "study.toml"

    def make(rng: random.Random) -> Path:
        if rng.random() < 0.5:
            path.write_bytes(damaged(rng.choice(texts), rng))
        else:
            path.write_text(toml(rearranged(rng.choice(trees), rng)), "utf-8", "replace")
        return path

    return make


def study(folder: Path) -> Action:
    """Study files: read and checked."""
    make = _study_cases(folder)

    def action(rng: random.Random) -> None:
        read, text = load_study(make(rng))
        for name in (read.name, *(each.name for each in read.intermediate)):
            assert name and "/" not in name and "\0" not in name and name.strip(".")
        assert text

    return action


def plan(folder: Path) -> Action:
    """Study files: planned, with whatever data are at hand."""
    make, store = _study_cases(folder), Store(folder / "store")
    data = tuple(map(Path, filter(None, os.environ.get("MIDWAY_DATA", "").split(":"))))
    encoder = folder / "encoder"
    encoder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (encoder / name).write_text("{}", encoding="utf-8")

    def action(rng: random.Random) -> None:
        path = make(rng)
        text = path.read_text("utf-8", errors="surrogateescape")
        text = text.replace("offline:multilingual-e5-small", "encoder")  # quick to identify
        path.write_text(text, "utf-8", "surrogateescape")
        planned = plan_study(path, store, data)
        assert len(planned.by_key) == len(planned.stages)

    return action


def readers(folder: Path) -> Action:
    """Every reader, on damaged copies of real files and of some written here."""
    bases = [(load_card(name), *found) for name in CARDS if (found := base(name)) is not None] + [
        (load_card(name), "train", "en", contents) for name, contents in HERMETIC
    ]

    trees = {}
    for card, _, _, contents in bases:
        for name, content in contents.items():
            with suppress(ValueError):
                trees[card.name, name] = json.loads(content)

    def action(rng: random.Random) -> None:
        card, split, language, contents = rng.choice(bases)
        name = rng.choice(sorted(contents))
        content = contents[name]
        tree = trees.get((card.name, name))
        if tree is not None and rng.random() < 0.5:
            changed = json.dumps(rearranged(tree, rng)).encode()
        else:
            changed = damaged(content, rng)
        paths = written(folder, {**contents, name: changed})
        try:
            reading = read_files(card, tuple(paths), split, language)
        except DataError as error:
            assert any(path.name in str(error) for path in paths), f"names no file: {error}"
            raise
        for example in reading.examples:
            assert example.language == language
            json.dumps(example.id).encode("utf-8")

    return action


def parquet(folder: Path) -> Action:
    """A file of the hub."""
    names = ("entailment", "neutral", "contradiction")
    feature = {"names": list(names), "_type": "ClassLabel"}
    metadata = {"huggingface": json.dumps({"info": {"features": {"label": feature}}})}
    table = pa.table({"premise": [f"text {i}" for i in range(40)], "label": [0, 1, 2, -1] * 10})
    path = folder / "deu" / "test" / "0000.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=16)
    whole = path.read_bytes()

    def example(row: object) -> LabelledText | str:
        label = row.label("label", names)  # type: ignore[attr-defined]
        text = row.text("premise")  # type: ignore[attr-defined]
        number = str(row.number)  # type: ignore[attr-defined]
        return LabelledText(number, "de", number, text, "", label) if label else "no label"

    source = HubSource("test/nli", "{code}", {"test": "test"}, {"de": "deu"}, example)

    def action(rng: random.Random) -> None:
        path.write_bytes(damaged(whole, rng))
        read_parquet(source, (path,), "test", "de")

    return action


def lock(folder: Path) -> Action:
    """The lock file of what was fetched."""
    path = folder / "hub" / "lock.json"
    path.parent.mkdir()
    pinned = Pinned("main", "c" * 40, {"deu/test/0000.parquet": ("0" * 64, 7)}, ("fra/test",))
    whole = lock_text({"test/nli": pinned}).encode()

    def action(rng: random.Random) -> None:
        tree = rng.random() < 0.5
        changed = json.dumps(rearranged(json.loads(whole), rng)).encode() if tree else whole
        path.unlink(missing_ok=True)  # another inode: the reader remembers files
        path.write_bytes(changed if tree else damaged(changed, rng))
        for each in read_lock(folder).values():
            assert all(".." not in name for name in each.part("deu/test"))

    return action


def score(folder: Path) -> Action:
    """The inputs of `midway score`: predictions and labels of every task."""
    tasks = [
        (name, task) for each in BENCHMARKS.values() for name, task in sorted(each.tasks.items())
    ]

    def action(rng: random.Random) -> None:
        name, task = rng.choice(tasks)
        sides = list(SCORED[name])
        side = rng.randrange(2)
        if task.suffix == "json" and rng.random() < 0.5:
            sides[side] = json.dumps(rearranged(json.loads(sides[side]), rng)).encode()
        else:
            sides[side] = damaged(sides[side], rng)
        guess, truth = folder / f"guess.{task.suffix}", folder / f"truth.{task.suffix}"
        guess.write_bytes(sides[0])
        truth.write_bytes(sides[1])
        profile = rng.choice(("official", "clean"))
        context = Context(rng.choice(task.languages), profile, lambda _: None)
        for value in task.score(guess, truth, context).values():
            assert math.isfinite(value) and -1e-9 <= value <= 100 + 1e-9, value

    return action


def codes(_: Path) -> Action:
    """Codes of languages, and sets of related ones."""
    known = [alias for each in languages.languages() for alias in each.aliases]
    here = ["sw", "de", "en", "zh", "quy", "tr", "xh"]
    card = load_card("sampler-qa")

    def action(rng: random.Random) -> None:
        code = rng.choice((*WORDS, *rng.sample(known, 3)))
        code = (
            damaged(code.encode(), rng).decode("utf-8", "replace") if rng.random() < 0.7 else code
        )
        found = languages.lookup(code)
        assert languages.resolve(code, known) is not None or found is None
        languages.is_low_resource(code)
        assert languages.distance(code, rng.choice(known)) != -1
        kind, number = rng.choice(("family", "genus", "script", "near")), rng.choice(NUMBERS)
        selector = rng.choice((code, f"{kind}:{code}", f"near:{code}:{number!r:.5000}"))
        if rng.random() < 0.5:
            assert set(related(selector, here, "a task")) <= set(here)
        else:
            asked = rng.choice((selector, [selector], [code, "en"]))
            assert set(resolve_languages(card, asked, (), "train")) <= set(card.languages)

    return action


def summary(folder: Path) -> Action:
    """Another study's summary, whose gains are evidence."""
    path = folder / "summary.json"
    mean = {"estimate": 1.5, "low": 0.5, "high": 2.5}
    row = {"intermediate": "a", "target": "t", "trained": True, "mean": mean, "transfer": None}
    whole = json.dumps({"version": 1, "gains": [row, row | {"transfer": mean}]}).encode()

    def action(rng: random.Random) -> None:
        tree = rng.random() < 0.6
        changed = json.dumps(rearranged(json.loads(whole), rng)).encode() if tree else whole
        path.write_bytes(changed if tree else damaged(changed, rng))
        for gain, error in measured_in(path).values():
            assert -100 <= gain <= 100 and 0 <= error < 10_000

    return action


TARGETS = {
    "study": Target(study, 20),
    "plan": Target(plan, 3, warm=True),
    "readers": Target(readers, 26),
    "score": Target(score, 18),
    "parquet": Target(parquet, 5, warm=True),
    "manifest": Target(manifest, 8),
    "lock": Target(lock, 4),
    "lease": Target(lease, 3),
    "digests": Target(digests, 2),
    "codes": Target(codes, 6),
    "canonical": Target(canonical, 4),
    "results": Target(results, 3),
    "summary": Target(summary, 3),
}
