"""``midway score``: score a folder of predictions as XTREME's own script does."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from midway.metrics.benchmark import benchmark_scores


class BenchmarkName(StrEnum):
    """Benchmarks whose prediction folders can be scored."""

    XTREME = "xtreme"
    XTREME_R = "xtreme-r"


class ProfileName(StrEnum):
    """Ways to score."""

    OFFICIAL = "official"
    CLEAN = "clean"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("score")(score)


def score(
    predictions: Annotated[
        Path, typer.Argument(help="Folder with <task>/test-<language>.<suffix>.")
    ],
    labels: Annotated[Path, typer.Argument(help="The same layout, with gold labels.")],
    *,
    benchmark: Annotated[BenchmarkName, typer.Option(help="Whose tasks, languages and averages.")],
    profile: Annotated[
        ProfileName,
        typer.Option(help="official: the script's numbers; clean: language-aware metrics."),
    ] = ProfileName.OFFICIAL,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Score predictions in XTREME's layout against labels."""
    scores = benchmark_scores(
        predictions,
        labels,
        benchmark=benchmark.value,
        profile=profile.value,
        warn=lambda text: typer.echo(f"warning: {text}", err=True),
    )
    typer.echo(json.dumps(scores, indent=1, sort_keys=True) if as_json else as_text(scores))


def as_text(scores: dict[str, Any]) -> str:
    """Return the scores as plain tables: the averages, then every language of every task."""
    lines = [f"{name:24}{value:7.2f}" for name, value in scores["overall"].items()]
    if lines:
        lines.append("")
    for task, values in scores["tasks"].items():
        metrics = [name for name, value in values.items() if isinstance(value, dict)]
        lines.append(f"{task}  {values['avg_metric']:.2f}")
        lines.append("  " + " " * 10 + "".join(f"{name:>13}" for name in metrics))
        lines.append("  " + _line("mean", [values[f"avg_{name}"] for name in metrics]))
        for language in values[metrics[0]]:
            lines.append("  " + _line(language, [values[name][language] for name in metrics]))
        lines.append("")
    return "\n".join(lines).rstrip()


def _line(label: str, values: list[float]) -> str:
    return f"{label:10}" + "".join(f"{value:13.2f}" for value in values)
