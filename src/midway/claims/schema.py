"""A file of claims: what is claimed, and by what it is tested.

Each ``[[claim]]`` has ``id``, ``statement``, ``version`` (of the paper that it comes from) and a
table ``test`` whose ``kind`` says what is looked at:

- ``gains``: mean gains of single intermediates, with the stated numbers;
- ``greatest``: training on several intermediates at once gains most;
- ``task_gains``: every intermediate raises some tasks, and more than others;
- ``uneven``: most intermediates raise one task, and few or none another;
- ``best_per_target``: the best intermediate of each target together gain so much;
- ``alternatives``: plain English intermediates gain more than mixing in language modelling;
- ``leads``: a system has the best score on many tasks, among those that were out at the time;
- ``scope``: a benchmark covers these tasks and so many languages;
- ``count``: so many intermediates were compared;
- ``kinds``: the intermediates are of these kinds.
"""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from midway.errors import StudyError, suggest


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Stated(_Strict):
    """A number that a claim states."""

    intermediate: str
    points: float


class Gains(_Strict):
    """Mean gains of single intermediates."""

    kind: Literal["gains"]
    stated: list[Stated] = Field(min_length=1)


class Greatest(_Strict):
    """Several intermediates at once gain most."""

    kind: Literal["greatest"]
    points: float | None = None


class TaskGains(_Strict):
    """Every intermediate raises these tasks."""

    kind: Literal["task_gains"]
    tasks: list[str] = Field(min_length=1)


class Uneven(_Strict):
    """One task is raised by most, another by few."""

    kind: Literal["uneven"]
    raised: str
    flat: str


class BestPerTarget(_Strict):
    """The best intermediate of each target."""

    kind: Literal["best_per_target"]
    points: float
    reference: str = "XLM-R Large, official"


class Alternatives(_Strict):
    """English intermediates against the same with language modelling mixed in."""

    kind: Literal["alternatives"]


class Leads(_Strict):
    """A system is best on many tasks, of all in its tables or of `among` if any are named."""

    kind: Literal["leads"]
    system: str
    among: list[str] = []
    share: float = Field(0.5, gt=0, le=1)


class Scope(_Strict):
    """What a benchmark covers."""

    kind: Literal["scope"]
    benchmark: Literal["xtreme", "xtreme-r"]
    tasks: list[str] = Field(min_length=1)
    languages: int = Field(ge=1)


class Count(_Strict):
    """How many intermediates were compared."""

    kind: Literal["count"]
    number: int = Field(ge=1)


class Kinds(_Strict):
    """Of which kinds the intermediates are, by their tasks."""

    kind: Literal["kinds"]
    kinds: dict[str, list[str]]


Test = Annotated[
    Gains
    | Greatest
    | TaskGains
    | Uneven
    | BestPerTarget
    | Alternatives
    | Leads
    | Scope
    | Count
    | Kinds,
    Field(discriminator="kind"),
]


class Claim(_Strict):
    """A claim and its test."""

    id: str = Field(min_length=1)
    statement: str = Field(min_length=1)
    version: str = ""
    test: Test


class _File(_Strict):
    claim: list[Claim] = Field(min_length=1)


def load_claims(path: Path | None = None) -> tuple[Claim, ...]:
    """Read a file of claims; the package's own, ten claims about Phang et al. (2020), if None.

    Raises:
        StudyError: it cannot be read, or is not of this form; names the place.
    """
    where = str(path) if path else "seed.toml"
    try:
        text = (path or files("midway.claims") / "seed.toml").read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(
            f"claims file {where} cannot be read ({error}); expected a TOML file in UTF-8, see "
            "docs/guides/claims.md"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError(
            f"{where} is not valid TOML ({error}); docs/guides/claims.md shows a claim"
        ) from None
    try:
        claims = tuple(_File.model_validate(tree).claim)
    except ValidationError as error:
        raise StudyError(f"{where}: {_explain(error)}") from None
    names = [claim.id for claim in claims]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(f"{where}: two claims have the id {twice[0]!r}; give each its own")
    return claims


def _explain(error: ValidationError) -> str:
    first: Any = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = sorted({name for model in _MODELS for name in model.model_fields})
        return f"unknown key {place!r}.{suggest(str(first['loc'][-1]), known)}"
    return f"{place}: {first['msg']}; see docs/guides/claims.md"


_MODELS: tuple[type[BaseModel], ...] = (
    *(Claim, Gains, Greatest, TaskGains, Uneven, BestPerTarget),
    *(Leads, Scope, Count, Kinds, Stated),
)
