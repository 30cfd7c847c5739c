"""A study's predictions as a folder that XTREME's script and `midway score` read.

1. One run, an intermediate with a seed, gives ``predictions/<task>/test-<language>.<suffix>`` and,
   from the gold that it was evaluated on, ``labels/`` in the same layout.
2. Labels are spelled as the benchmark spells them (PAWS-X: 0 and 1), candidates are named as it
   names them (Mewsli-X: the entity), Tatoeba's queries are in its order (English lines sorted).
3. A task without all languages of the benchmark is left out, unless asked for, because the
   script's mean needs them all. What is missing, and what was not evaluated in full, is listed.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

from midway.analysis.results import APART
from midway.errors import DataError, StudyError, suggest
from midway.metrics.benchmark import BENCHMARKS
from midway.stages.prediction_files import read_predictions
from midway.studies.expand import Cell
from midway.studies.session import Session
from midway.studies.submission_texts import TEXTS
from midway.tasks.storage import read_examples

# What XTREME's evaluation split is called by us, where it is not test.
OFFICIAL_SPLIT = {"tydiqa": "validation"}

SIDES = ("predictions", "labels")
MARK = "submission.json"


@dataclass
class Submission:
    """What was written.

    Attributes:
        folder: holds ``predictions`` and ``labels``.
        tasks: languages that were written, by task.
        missing: languages of the benchmark without predictions, by task.
        remarks: a sentence on whatever makes a score another one than the official.
    """

    folder: Path
    tasks: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def write_submission(
    session: Session,
    benchmark: str,
    intermediate: str,
    seed: int,
    folder: Path,
    *,
    partial: bool = False,
) -> Submission:
    """Write one run's predictions and labels.

    Args:
        session: the study.
        benchmark: ``xtreme`` or ``xtreme-r``.
        intermediate: name of the intermediate, or ``none``.
        seed: of the run.
        folder: made if need be; an earlier export in it is replaced.
        partial: also write tasks that lack languages.

    Raises:
        StudyError: there is no such intermediate or seed.
        DataError: nothing can be written (says what is missing), or the folder holds other files.
    """
    tasks = BENCHMARKS[benchmark].tasks
    cells = [
        cell
        for cell in cells_of(session, intermediate, seed)
        if not cell.target.endswith(APART)  # an oracle has seen what a submission must not see
    ]
    done = Submission(folder)
    _make_room(folder)
    for name, task in tasks.items():
        found = [cell for cell in cells if cell.card.name == name]
        if not found:
            done.missing[name] = list(task.languages)
            continue
        if len(found) > 1:
            names = ", ".join(cell.target for cell in found)
            done.remarks.append(f"{name}: of the targets {names} the first is taken")
        _write_task(session, found[0], task.languages, task.suffix, done, partial=partial)
    if not done.tasks:
        lacking = "; ".join(f"{name}: {' '.join(codes)}" for name, codes in done.missing.items())
        raise DataError(
            f"no task of {benchmark} has predictions in all of its languages (missing: {lacking}); "
            "run the study on them, or use --partial to write what there is"
        )
    record = asdict(done) | {"folder": ".", "intermediate": intermediate, "seed": seed}
    (folder / MARK).write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    return done


def _make_room(folder: Path) -> None:
    """Remove what an earlier export left; nothing else is ever removed."""
    ours = (folder / MARK).is_file()
    for side in SIDES:
        if ours:
            shutil.rmtree(folder / side, ignore_errors=True)
        elif (folder / side).exists():
            raise DataError(
                f"{folder} has a folder {side} that is not from an earlier export; "
                "choose another folder with --out"
            )


def cells_of(session: Session, intermediate: str, seed: int) -> list[Cell]:
    """Cells of one run.

    Raises:
        StudyError: there is no such intermediate or seed.
    """
    cells = session.expansion.cells
    names = list(dict.fromkeys(cell.intermediate for cell in cells))
    if intermediate not in names:
        raise StudyError(
            f"{session.path}: no intermediate {intermediate!r}.{suggest(intermediate, names)} "
            f"There are: {', '.join(names)}"
        )
    if seed not in session.study.seeds:
        seeds = ", ".join(map(str, session.study.seeds))
        raise StudyError(f"{session.path}: no seed {seed}; there are: {seeds}")
    found = [cell for cell in cells if (cell.intermediate, cell.seed) == (intermediate, seed)]
    if not found:
        raise StudyError(
            f"{session.path}: halving has given {intermediate} no run with seed {seed}; "
            "name another seed"
        )
    return found


def _write_task(
    session: Session,
    cell: Cell,
    languages: Sequence[str],
    suffix: str,
    done: Submission,
    *,
    partial: bool,
) -> None:
    name = cell.card.name
    predicted, gold = cell.score.inputs["predictions"], cell.score.inputs["examples"]
    if not session.store.has(cell.score) or not session.store.has(predicted):
        done.missing[name] = list(languages)
        done.remarks.append(f"{name}: not computed yet; run: midway run {session.path}")
        return
    here = [part.language for part in gold.spec.languages]
    missing = [language for language in languages if language not in here]
    if missing:
        done.missing[name] = missing
        if not partial:
            return
    examples = read_examples(session.store.path(gold), cell.card.family)
    folder = session.store.path(predicted)
    for language, group in groupby(examples, key=lambda example: str(example.language)):
        if language not in languages:
            continue
        mine = list(group)
        answers = read_predictions(folder, cell.card.family, language, mine)
        texts = TEXTS[cell.card.family](answers, mine, examples, name)
        for side, text in zip(SIDES, texts, strict=True):
            path = done.folder / side / name / f"test-{language}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        done.tasks.setdefault(name, []).append(language)
    done.remarks += _remarks(session, cell)


def _remarks(session: Session, cell: Cell) -> Iterator[str]:
    """Whatever makes the files other ones than the benchmark's own."""
    name, stage = cell.card.name, cell.score.inputs["examples"]
    official = OFFICIAL_SPLIT.get(name, "test")
    if cell.split != official:
        yield f"{name}: evaluated on {cell.split}; the benchmark scores {official}"
    if stage.spec.per_language is not None:
        yield f"{name}: {stage.spec.per_language} examples per language, not the whole split"
    if stage.spec.fold is not None:
        yield f"{name}: fold {stage.spec.fold}, half of the documents"
    record = session.record(stage)
    dropped = {} if record is None else record.facts["dropped"]
    for language, reasons in dropped.items():
        rows = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        yield f"{name} {language}: rows left out by the reader: {rows}"
    if name == "udpos":
        yield (
            "udpos: tokens are the treebanks' syntactic words; the benchmark's own files have "
            "fused surface tokens in some languages, so line numbers can differ"
        )
