"""``midway encoders``: what can be named as an encoder here and now."""

import json
from typing import Any

import typer

from midway.cli.options import JsonOption, StoreOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("encoders")(encoders)


def encoders(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the encoders that are installed or were imported before."""
    from midway.cli.store_cmds import open_store

    found = _installed()
    for manifest in open_store(store).records("encoder"):
        facts = dict(manifest.facts)
        known = next((item for item in found if item["name"] == facts["name"]), None)
        if known is None:
            found.append({**facts, "state": "imported"})
        else:
            known.update(facts, state="imported")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for item in found:
        size = f", {item['parameters'] / 1e6:,.0f} M parameters" if "parameters" in item else ""
        typer.echo(f"{item['name']}  {item['state']}{size}")
    typer.echo("\nA study may also name a hub id, id@revision, or a folder in Hugging Face layout.")


def _installed() -> list[dict[str, Any]]:
    from midway.encoders import offline
    from midway.errors import EncoderError

    try:
        offline.wheel_files()
        state = "installed"
    except EncoderError as error:
        state = f"not installed ({error})"
    return [{"name": offline.NAME, "state": state}]
