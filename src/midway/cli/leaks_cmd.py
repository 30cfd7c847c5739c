"""``midway leaks``: does training data return in the evaluation data?"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from midway.cli.options import DataOption, JsonOption, StoreOption, StudyArgument, data_folders

TranslatedOption = Annotated[
    bool,
    typer.Option(
        "--translated",
        help="Search for translations in the encoder's space too; every text is embedded once.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("leaks")(leaks)


def leaks(
    study: StudyArgument,
    translated: TranslatedOption = False,
    store: StoreOption = None,
    data: DataOption = "",
    as_json: JsonOption = False,
) -> None:
    """Compare a study's training with its evaluation data; nothing is trained.

    Ends with exit code 2 if anything leaks, unless the study says leaks = "warn" or "drop".
    """
    from midway.cli.store_cmds import open_store
    from midway.errors import DataError
    from midway.stages.leaks import refusal
    from midway.studies.session import open_session

    session = open_session(study, open_store(store), data_folders(data))
    facts = _found(session, translated=translated)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        for line in lines(facts):
            typer.echo(line)
    compare = session.study.compare
    accepted = compare.leaks != "error" and "leaks" in compare.model_fields_set
    if facts["leaks"] and not accepted:
        tasks = {name: stage.spec.task for name, stage in session.expansion.evaluation}
        raise DataError(refusal(facts["leaks"], tasks))


def _found(session: Any, *, translated: bool) -> dict[str, Any]:
    """Compare, whatever the study's policy, and return what was found."""
    from midway.cli.progress import progress_observer
    from midway.errors import StoreError
    from midway.graph.plan import build
    from midway.graph.runner import run_plan
    from midway.studies.costs import encoder_of
    from midway.studies.leaks import recorded, searching

    if session.expansion.leaks is None:
        return {"leaks": [], "hints": [], "training": [], "repeats": [], "searched": False}
    stage = recorded(session.expansion.leaks)
    if translated:
        stage = searching(stage, encoder_of(session))
    with progress_observer() as observer:
        outcome = run_plan(build([stage]), session.store, session.runtime, observer=observer)
    record = session.record(stage)
    if record is None:
        raise StoreError("; ".join(outcome.failed.values()) or "the comparison was not finished")
    return dict(record.facts)


def lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """What was found, in words."""
    from midway.analysis.wording import leak_in_words

    for leak in facts["leaks"]:
        yield f"leak: {leak_in_words(leak)}"
        yield from _by_kind(leak)
    for hint in facts["hints"]:
        yield f"no leak, but {hint['target']} shares something with {hint['training']}:"
        yield from _by_kind(hint)
    for pair in facts["training"]:
        yield (
            f"in two training sets: {pair['shared']:,} of {pair['of']:,} examples of "
            f"{pair['second']} are in {pair['first']}"
        )
        yield from _by_kind(pair)
    for row in facts["repeats"]:
        yield (
            f"counts twice: {row['shared']:,} of {row['of']:,} evaluation examples of "
            f"{row['target']} ({', '.join(row['languages'])}) repeat another one of their "
            f"language, e.g. {row['examples'][0]} = {row['with'][0]}"
        )
    if not facts["leaks"]:
        yield "no evaluation example is in the training data: not by id, text or near duplicate"


def _by_kind(row: Mapping[str, Any]) -> Iterator[str]:
    from midway.analysis.wording import LEAK_KINDS

    for kind in row["kinds"]:
        yield (
            f"  {kind['shared']:>7,}  {LEAK_KINDS[kind['kind']]} ({', '.join(kind['languages'])}), "
            f"e.g. {kind['examples'][0]} = {kind['with'][0]}"
        )
