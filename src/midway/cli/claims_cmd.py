"""``midway claims``: which published claims hold, by published scores and by a study's results."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, data_folders, rounded

if TYPE_CHECKING:
    from midway.claims import Judged


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("claims")(claims)


def claims(
    study: Annotated[
        Path | None, typer.Argument(help="A study file: its results are evidence too.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Claims of your own (TOML).", show_default=False)
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="Published scores of your own (CSV).", show_default=False)
    ] = None,
    store: StoreOption = None,
    data: DataOption = "",
    as_json: JsonOption = False,
) -> None:
    """Judge claims about intermediate training, ten of a founding text unless you give others."""
    from midway.claims import audit, judge, load_claims, load_published

    tables = load_published(published)
    report = None
    if study is not None:
        from midway.cli.store_cmds import open_store
        from midway.studies.provenance import analysed
        from midway.studies.session import open_session

        report = analysed(open_session(study, open_store(store), data_folders(data)))
    judged = judge(load_claims(file), tables, report)
    findings = audit(tables)
    if as_json:
        document = {
            "claims": [_plain(item) for item in judged],
            "audit": [rounded(asdict(finding)) for finding in findings],
        }
        typer.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    for item in judged:
        typer.echo(_text(item))
    typer.echo("Audit of the published tables:")
    wrong = [f for f in findings if not f.consistent]
    for f in wrong:
        typer.echo(
            f"  {f.source}, table {f.table}: {f.system} prints an average of {f.printed:.1f}, its "
            f"row gives {f.computed:.1f}"
        )
    typer.echo(f"  {len(findings) - len(wrong)} of {len(findings)} averages follow from their rows")
    for f in findings:
        if f.retrieval_share is not None and f.trained_mean is not None:
            typer.echo(
                f"  {f.system}: {f.printed:+.1f} on average, {f.retrieval_share:.0%} of it from "
                f"untrained retrieval; {f.trained_mean:+.2f} over the trained tasks"
            )


def _plain(item: "Judged") -> dict[str, Any]:
    best = item.decisive
    return {
        "id": item.claim.id,
        "statement": item.claim.statement,
        "version": item.claim.version,
        "verdict": best.verdict,
        "confidence": best.confidence,
        "published": rounded(asdict(item.published)),
        "study": None if item.study is None else rounded(asdict(item.study)),
    }


def _text(item: "Judged") -> str:
    lines = [f"{item.claim.id}: {item.claim.statement}"]
    for name, judgement in (("published", item.published), ("this study", item.study)):
        if judgement is not None:
            weight = f", confidence {judgement.confidence:.2f}" if judgement.confidence else ""
            lines.append(f"  {name}: {judgement.verdict}{weight}: {judgement.reason}")
    return "\n".join([*lines, ""])
