"""The study file: what may stand in it, and one clear line for whatever else does.

Unknown keys are errors that suggest the nearest known one. Checks that need tasks, data or an
encoder are made when the study is expanded (`midway.studies.expand`).
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from midway.errors import StudyError, suggest
from midway.train.recipe import Recipe

Languages = list[str] | str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Hyper(_Strict):
    """Hyper-parameters; whatever is None is taken from the level above."""

    learning_rate: float | None = Field(None, gt=0, le=1)
    batch_size: int | None = Field(None, ge=1, le=65536)
    epochs: float | None = Field(None, gt=0, le=1000)
    max_length: int | None = Field(None, ge=16, le=8192)
    stride: int | None = Field(None, ge=0)
    warmup: float | None = Field(None, ge=0, lt=1)
    weight_decay: float | None = Field(None, ge=0, lt=1)
    clip: float | None = Field(None, gt=0)
    dropout: float | None = Field(None, ge=0, lt=1)
    attention_dropout: float | None = Field(None, ge=0, lt=1)
    precision: Literal["bf16", "float32"] | None = None


class Part(_Strict):
    """Which examples of a task: one entry of a mixture, or a target's training data."""

    task: str = ""
    languages: Languages = "all"
    split: str | None = None
    examples: int | None = Field(None, ge=1)
    fold: Literal["A", "B"] | None = None
    weight: float = Field(1.0, gt=0)


class Evaluate(_Strict):
    """What a target is evaluated on; `examples` are per language."""

    languages: Languages = "all"
    split: str | None = None
    examples: int | None = Field(None, ge=1)
    fold: Literal["A", "B"] | None = None


class SamplingTable(_Strict):
    """How a mixture's steps are shared out; see `midway.train.schedule`."""

    rule: Literal["proportional", "uniform", "weights"] = "proportional"
    cap: int = Field(131072, ge=1)


class Intermediate(Hyper):
    """One way to train the encoder before the target task."""

    name: str
    mix: list[Part] = Field(min_length=1)
    sampling: SamplingTable = SamplingTable()


class Target(Hyper):
    """A task to train on in English and to evaluate in every language."""

    task: str
    name: str = ""
    train: Part | None = None
    evaluate: Evaluate = Evaluate()
    layers: Literal["last", "all"] | list[int] = "last"


class Compare(_Strict):
    """Which comparisons the study is about."""

    baseline: Literal["none"] = "none"
    contrasts: list[list[str]] = []
    match: Literal["examples", "tokens", "updates"] | None = None
    leaks: Literal["error", "drop", "warn"] = "warn"


class Study(_Strict):
    """A whole study file."""

    name: str
    encoder: str
    seeds: list[int] = Field(min_length=1)
    train: Hyper = Hyper()
    intermediate: list[Intermediate] = []
    target: list[Target] = Field(min_length=1)
    compare: Compare = Compare()


def load_study(path: Path) -> tuple[Study, str]:
    """Read and check a study file; return it and its text.

    Raises:
        StudyError: one line that names the file, the place and the remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except FileNotFoundError:
        raise StudyError(f"study file {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"study file {path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path} is not valid TOML: {error}") from None
    try:
        study = Study.model_validate(_floats(tree))
    except ValidationError as error:
        raise StudyError(f"{path}: {_explain(error, tree)}") from None
    _check(study, path)
    return study, text


def _floats(value: Any, key: str = "") -> Any:
    """TOML's ``epochs = 2`` is an integer; the schema is strict, so make it a float here."""
    if isinstance(value, dict):
        return {name: _floats(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_floats(item, key) for item in value]
    numbers = set(Recipe.__annotations__) - {"batch_size", "precision"} | {"weight"}
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
        return f"unknown key {key!r}{where}.{suggest(key, known)} Known here: {', '.join(known)}"
    if first["type"] == "missing":
        return f"{key!r} is missing{where}"
    return f"{key!r}{where} is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


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
    }  # fmt: skip
    for depth, part in enumerate(place):
        if isinstance(part, str):
            model = Part if part == "train" and depth else models.get(part, model)
    return list(model.model_fields)


def _check(study: Study, path: Path) -> None:
    """What a schema cannot say."""
    names = [intermediate.name for intermediate in study.intermediate]
    for name in names:
        if not name or name == "none" or names.count(name) > 1:
            raise StudyError(f"{path}: intermediate name {name!r} is empty, reserved or used twice")
    if len(set(study.seeds)) != len(study.seeds) or min(study.seeds) < 0:
        raise StudyError(f"{path}: seeds {study.seeds} must be different numbers, 0 or greater")
    targets = [target.name or target.task for target in study.target]
    for name in targets:
        if targets.count(name) > 1:
            raise StudyError(f"{path}: two targets are called {name!r}; give each a 'name'")
    for contrast in study.compare.contrasts:
        if len(contrast) != 2:
            raise StudyError(f"{path}: contrast {contrast} must name two intermediates")
        for name in contrast:
            if name not in [*names, "none"]:
                raise StudyError(
                    f"{path}: contrast names the unknown intermediate {name!r}."
                    f"{suggest(name, names)} Known: {', '.join([*names, 'none'])}"
                )
    for part in (part for intermediate in study.intermediate for part in intermediate.mix):
        if not part.task:
            raise StudyError(f"{path}: an entry of a mix has no 'task'")
    if not study.name.strip() or any(sign in study.name for sign in "/\\\0"):
        raise StudyError(f"{path}: name {study.name!r} must not be empty nor hold '/' or '\\'")
