"""``midway bench``: how fast this machine trains and predicts."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midway.cli.options import JsonOption, StoreOption, listed

if TYPE_CHECKING:
    from midway.graph.stage import Runtime

LENGTHS = "32,128,384"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench)


def bench(
    encoder: Annotated[
        str, typer.Option(help="As a study names it.")
    ] = "offline:multilingual-e5-small",
    lengths: Annotated[str, typer.Option(help="Tokens of a sequence, several.")] = LENGTHS,
    batch: Annotated[int, typer.Option(min=1, help="Sequences a step.")] = 16,
    steps: Annotated[int, typer.Option(min=1, help="Timed steps.")] = 4,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how fast this machine trains and predicts with an encoder; made-up sequences.

    The last column is useful work over the best matrix product measured in the same run.
    """
    from midway.cli.progress import progress_observer
    from midway.cli.store_cmds import open_store
    from midway.graph.execute import conditions

    wanted = _lengths(lengths)
    opened = open_store(store)
    with progress_observer() as observer:
        folder, runtime = _imported(encoder, opened, device, observer)
    from midway.stages.speed import limit, speeds

    shape, best = limit(folder, device)
    document: dict[str, Any] = {
        "encoder": encoder,
        "environment": conditions(runtime),
        "limit": {"product": shape, "flops_per_second": best},
        "speed": [],
    }
    if not as_json:
        typer.echo(f"best bfloat16 matrix product: {best / 1e9:,.0f} GFLOP/s ({shape})")
        typer.echo(f"{'length':>6}  {'':8}{'tokens/s':>10}  {'of the limit':>12}")
    for found in speeds(folder, runtime, lengths=wanted, batch=batch, steps=steps):
        document["speed"].append(found)
        for what in ("train", "predict"):
            found[what]["share"] = found[what]["flops_per_second"] / best
            if not as_json:
                line = f"{found[what]['tokens_per_second']:>10,.0f}  {found[what]['share']:>12.1%}"
                typer.echo(f"{found['length']:>6}  {what:8}{line}")
    if as_json:
        typer.echo(json.dumps(document, indent=1))


def _lengths(text: str) -> list[int]:
    from midway.errors import UsageError

    parts = listed(text)
    if not parts or not all(part.isdecimal() and int(part) >= 4 for part in parts):
        raise UsageError(
            f"--lengths: found {text!r}, expected numbers of tokens from 4 on, e.g. {LENGTHS}"
        )
    return [int(part) for part in parts]


def _imported(encoder: str, store: Any, device: str, observer: Any) -> "tuple[Path, Runtime]":
    """The encoder's folder in the store, imported if it is not there yet."""
    from midway.canonical import DigestCache
    from midway.errors import EncoderError
    from midway.graph.plan import build
    from midway.graph.runner import run_plan
    from midway.graph.stage import Runtime
    from midway.studies.session import encoder_stage

    stage, folder = encoder_stage(encoder, Path(), DigestCache(store.cache).digest)
    runtime = Runtime(cache=store.cache, encoder_folder=folder or Path(), device=device)
    outcome = run_plan(build([stage]), store, runtime, observer=observer)
    if outcome.exit_code:
        raise EncoderError(f"{encoder} could not be imported; see above")
    return store.path(stage), runtime
