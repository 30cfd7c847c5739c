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


def _key(default: Any, description: str, **limits: Any) -> Any:
    """A key of the study file; `docs/study-file.md` is made from these."""
    return Field(default, description=description, **limits)


class Hyper(_Strict):
    """Hyper-parameters; what is not given is taken from `[train]`, and there from the default."""

    learning_rate: float | None = _key(None, "peak rate of AdamW", gt=0, le=1)
    batch_size: int | None = _key(
        None, "examples (windows of long texts) per optimiser step", ge=1, le=65536
    )
    epochs: float | None = _key(None, "passes over the data", gt=0, le=1000)
    max_length: int | None = _key(
        None, "tokens of a sequence; longer texts become windows or are cut", ge=16, le=8192
    )
    stride: int | None = _key(None, "tokens that neighbouring windows share", ge=0)
    warmup: float | None = _key(None, "share of the steps in which the rate rises", ge=0, lt=1)
    weight_decay: float | None = _key(None, "AdamW's decay, on matrices only", ge=0, lt=1)
    clip: float | None = _key(None, "greatest norm of the gradient", gt=0)
    dropout: float | None = _key(None, "in hidden layers; else the encoder's own", ge=0, lt=1)
    attention_dropout: float | None = _key(None, "on attention weights", ge=0, lt=1)
    precision: Literal["bf16", "float32"] | None = _key(
        None, "`bf16` computes in bfloat16 with float32 master weights"
    )


class Part(_Strict):
    """Which examples of a task to train on."""

    task: str = _key("", "a task's name; a target's own, or its training tasks, if left out")
    text: str = _key("", 'with `task = "mlm"`: the task whose texts are used, without labels')
    languages: Languages = _key(
        "all", 'codes; `"all"` there are; `"targets"` that some target is evaluated in'
    )
    split: str | None = _key(None, "`train` where the task has it, else its first split")
    examples: int | None = _key(
        None,
        "in all, dealt to the languages in turn, nested; of several training tasks the first's",
        ge=1,
    )
    fold: Literal["A", "B"] | None = _key(None, "half of the documents, the same in all languages")
    weight: float = _key(1.0, 'share of the steps where `rule = "weights"`', gt=0)
    batch_size: int | None = _key(
        None, "in a mix: examples per step of this entry, if not the intermediate's", ge=1
    )
    alpha: float = _key(
        0.0,
        "languages share `examples` by their size to this power: 0 evenly, 1 in proportion",
        ge=0,
        le=1,
    )
    control: bool = _key(
        False, "in a mix: labels are shuffled within a language, answers are random spans"
    )


class Evaluate(_Strict):
    """What a target is evaluated on."""

    languages: Languages = _key("all", 'codes, or `"all"` with files at hand')
    split: str | None = _key(
        None, "the task's evaluation split, or `validation` where that is not at hand"
    )
    examples: int | None = _key(None, "per language, the same in parallel data", ge=1)
    fold: Literal["A", "B"] | None = _key(None, "half of the documents, the same in all languages")


class SamplingTable(_Strict):
    """How a mixture's steps are shared out among its entries."""

    rule: Literal["proportional", "uniform", "temperature", "weights"] = _key(
        "proportional",
        "by number of examples, evenly, by examples to the power 1 / `temperature`, or by `weight`",
    )
    cap: int = _key(
        131072, "examples of an entry that count for `proportional`, `temperature`", ge=1
    )
    temperature: float = _key(1.0, "1 is `proportional`, more is nearer to `uniform`", ge=1, le=1e6)


class Intermediate(Hyper):
    """One way to train the encoder before the target task; takes the keys of `[train]` too."""

    name: str = Field(description='how results call it; not `"none"`')
    mix: list[Part] = Field(min_length=1, description="what it is trained on, an entry per task")
    sampling: SamplingTable = _key(SamplingTable(), "how the entries of a mix share the steps")
    after: str = _key("", "name of an earlier intermediate, which this one goes on from")


class Target(Hyper):
    """A task to train on and to evaluate in every language; takes the keys of `[train]` too."""

    task: str = Field(description="a task's name")
    name: str = _key("", "how results call it; the task's name if left out")
    train: Part | None = _key(
        None, "training data; English if left out; none for retrieval, mining"
    )
    keep_head: bool = _key(
        False, "go on with the intermediate's head of the same family and labels"
    )
    evaluate: Evaluate = _key(Evaluate(), "evaluation data; all languages if left out")
    mining: Literal["max", "forward", "backward", "intersection"] = _key(
        "max", "bitext mining: which neighbours become candidate pairs"
    )
    layers: Literal["last", "all"] | list[int] = _key(
        "last",
        "retrieval, mining: hidden states to embed with, 0 = embeddings; the last one counts",
    )


class Compare(_Strict):
    """Which comparisons the study is about."""

    baseline: Literal["none"] = _key("none", "the encoder without intermediate training")
    contrasts: list[list[str]] = _key(
        [], "pairs of intermediates: the first's gain less the second's"
    )
    match: Literal["examples", "tokens", "updates"] | None = _key(
        None, "what compared intermediates must have equal, to 1 % (`tokens`: not yet)"
    )
    leaks: Literal["error", "drop", "warn"] = _key(
        "warn",
        "training text in evaluation data ends the run, or is reported (`drop`: not yet)",
    )


class Study(_Strict):
    """A whole study file."""

    name: str = Field(description="how results and the output folder are called")
    encoder: str = Field(
        description="`offline:multilingual-e5-small`, a folder, or a hub id with `@revision`"
    )
    seeds: list[int] = Field(min_length=1, description="one run each; order, dropout, new heads")
    train: Hyper = _key(Hyper(), "defaults of all training")
    intermediate: list[Intermediate] = _key([], "ways to train the encoder first")
    target: list[Target] = Field(min_length=1, description="tasks to transfer to")
    compare: Compare = _key(Compare(), "what the report compares")


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
    for place, intermediate in enumerate(study.intermediate):
        if intermediate.after and intermediate.after not in names[:place]:
            raise StudyError(
                f"{path}: {intermediate.name} comes after {intermediate.after!r}, which is no "
                f"earlier intermediate.{suggest(intermediate.after, names[:place])} "
                f"Earlier: {', '.join(names[:place]) or 'none'}"
            )
    for part in (part for intermediate in study.intermediate for part in intermediate.mix):
        if not part.task:
            raise StudyError(f"{path}: an entry of a mix has no 'task'")
    if not study.name.strip() or any(sign in study.name for sign in "/\\\0"):
        raise StudyError(f"{path}: name {study.name!r} must not be empty nor hold '/' or '\\'")
