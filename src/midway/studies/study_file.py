"""Read a study file: a `Study`, or one clear line about what is wrong with it.

Unknown keys are errors that suggest the nearest known one. Checks that need tasks, data or an
encoder are made when the study is expanded (`midway.studies.expand`).
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from midway.errors import StudyError, suggest
from midway.studies.schema import (
    Compare,
    Evaluate,
    HalvingTable,
    Hyper,
    Intermediate,
    LoraTable,
    Part,
    SamplingTable,
    SelectTable,
    Study,
    Target,
)
from midway.train.recipe import Recipe

MOST_BYTES = 1 << 20
LONGEST_NAME = 100  # bytes; two of them and more fit into the name of a file


def load_study(path: Path) -> tuple[Study, str]:
    """Read and check a study file; return it and its text.

    Raises:
        StudyError: one line that names the file, the place and the remedy.
    """
    text = _read(path)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path} is not valid TOML ({error}); correct that line") from None
    except (RecursionError, ValueError) as error:  # nested too deeply; a number of 5,000 digits
        raise StudyError(
            f"{path} is no study ({error}); expected tables and plain values"
        ) from None
    try:
        study = Study.model_validate(_floats(tree))
    except OverflowError as error:
        raise StudyError(
            f"{path}: a number is too large ({error}); expected one below 1e308"
        ) from None
    except ValidationError as error:
        raise StudyError(f"{path}: {_explain(error, tree)}") from None
    _check(study, path)
    return study, text


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode("utf-8")
    except FileNotFoundError:
        raise StudyError(f"study file {path} does not exist; check its path") from None
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no path at all
        raise StudyError(
            f"study file {path} cannot be read ({error}); expected a TOML file"
        ) from None
    if len(content) > MOST_BYTES:
        raise StudyError(f"study file {path} has more than {MOST_BYTES:,} bytes; expected a study")
    return text.replace("\r\n", "\n")


def _floats(value: Any, key: str = "") -> Any:
    """TOML's ``epochs = 2`` is an integer; the schema is strict, so make it a float here."""
    if isinstance(value, dict):
        return {name: _floats(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_floats(item, key) for item in value]
    numbers = set(Recipe.__annotations__) - {"batch_size", "precision"} | {
        *("weight", "alpha", "temperature")
    }
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and key in numbers else value


def _explain(error: ValidationError, tree: dict[str, Any]) -> str:
    """The first problem, in words."""
    problems = sorted(error.errors(), key=lambda p: p["type"] != "extra_forbidden")
    first = problems[0]
    place = [part for part in first["loc"] if not _is_union_branch(part, tree, first["loc"])]
    where, key = _where(place[:-1], tree), str(place[-1])
    if first["type"] == "extra_forbidden":
        known = _known(place[:-1])
        return (
            f"unknown key {key!r:.80}{where}.{suggest(key, known)} Known here: {', '.join(known)}"
        )
    if first["type"] == "missing":
        return f"{key!r} is missing{where}"
    return f"{key!r}{where} is {first['input']!r:.80}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _is_union_branch(part: Any, tree: dict[str, Any], loc: tuple[Any, ...]) -> bool:
    """Pydantic names the branch of a union in the location; it is no key of the file."""
    return isinstance(part, str) and ("[" in part or part in ("str", "int", "literal"))


def _where(place: list[Any], tree: dict[str, Any]) -> str:
    if not place:
        return ""
    node: Any = tree
    words = []
    for part in place:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(part, str):
            words.append(part)
        else:
            label = node.get("name") or node.get("task") if isinstance(node, dict) else None
            words[-1] += f" {label!r}" if label else f" number {part + 1}"
    return " in " + ", ".join(words)


def _known(place: list[Any]) -> list[str]:
    """Keys that the schema knows at a place of the file."""
    model: Any = Study
    models = {
        "train": Hyper, "intermediate": Intermediate, "target": Target, "compare": Compare,
        "mix": Part, "sampling": SamplingTable, "evaluate": Evaluate,
        "select": SelectTable, "lora": LoraTable, "halving": HalvingTable,
    }  # fmt: skip
    for depth, part in enumerate(place):
        if isinstance(part, str):
            model = Part if part == "train" and depth else models.get(part, model)
    return list(model.model_fields)


def _check(study: Study, path: Path) -> None:
    """What a schema cannot say."""
    names = [intermediate.name for intermediate in study.intermediate]
    for name in [study.name, *names, *(target.name or target.task for target in study.target)]:
        _check_name(name, path)
    for name in names:
        if not name or name == "none" or names.count(name) > 1:
            raise StudyError(
                f"{path}: intermediate name {name!r} is empty, reserved or used twice; choose "
                "another"
            )
    if len(set(study.seeds)) != len(study.seeds) or min(study.seeds) < 0:
        raise StudyError(f"{path}: seeds {study.seeds}, expected different numbers, 0 or greater")
    targets = [target.label for target in study.target]
    for name in targets:
        if targets.count(name) > 1:
            raise StudyError(f"{path}: two targets are called {name!r}; give each a 'name'")
    for contrast in study.compare.contrasts:
        if len(contrast) != 2:
            raise StudyError(
                f"{path}: contrast {contrast}, expected the names of two intermediates"
            )
        for name in contrast:
            if name not in [*names, "none"]:
                raise StudyError(
                    f"{path}: contrast names the unknown intermediate {name!r}."
                    f"{suggest(name, names)} Known: {', '.join([*names, 'none'])}"
                )
    for place, intermediate in enumerate(study.intermediate):
        if intermediate.after and intermediate.after not in names[:place]:
            raise StudyError(
                f"{path}: {intermediate.name} comes after {intermediate.after!r}, which is no "
                f"earlier intermediate.{suggest(intermediate.after, names[:place])} "
                f"Earlier: {', '.join(names[:place]) or 'none'}"
            )
    for part in (part for intermediate in study.intermediate for part in intermediate.mix):
        if not part.task:
            raise StudyError(f"{path}: an entry of a mix has no 'task'; `midway tasks` lists them")
    _check_halving(study, path)


def _check_name(name: str, path: Path) -> None:
    """Names become those of files and folders, which must stay where they belong."""
    if not name.strip() or len(name.encode()) > LONGEST_NAME or name.strip(".") == "":
        raise StudyError(
            f"{path}: name {name!r:.40} cannot name a file; expected 1 to {LONGEST_NAME} "
            "bytes, not only dots"
        )
    bad = next((sign for sign in name if sign in "/\\" or not sign.isprintable()), "")
    if bad:
        raise StudyError(
            f"{path}: name {name!r} holds {bad!r}, and files are named after it; expected "
            "printable characters without '/' and '\\'"
        )


def _check_halving(study: Study, path: Path) -> None:
    if study.halving is None:
        return
    rungs, seeds = study.halving.rungs, len(study.seeds)
    if not rungs or rungs != sorted(set(rungs)) or rungs[0] < 1 or rungs[-1] >= seeds:
        raise StudyError(
            f"{path}: halving: rungs is {rungs}; expected ascending numbers from 1 to {seeds - 1}, "
            f"since the study has {seeds} seeds and some must be left after the last rung"
        )
    if len(study.intermediate) < 2:
        raise StudyError(f"{path}: halving needs two intermediates or more; remove [halving]")
