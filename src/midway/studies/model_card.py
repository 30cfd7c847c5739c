"""The card of an exported model: what it is, what it was trained on, how it scored, in Markdown.

Everything comes from the study, the stages' records and the tasks' cards; what was not measured is
left out. Text that somebody else wrote (names, licences, citations, labels) is escaped.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from midway.encoders import offline
from midway.graph.stage import Stage
from midway.languages import lookup
from midway.studies.markdown import Lines, code, escape, fenced, table
from midway.studies.model_export import Model
from midway.studies.model_scores import leaks_found, scores
from midway.studies.session import Session
from midway.tasks import load_card
from midway.tasks.card import TaskCard

OURS = "<!-- written by midway export -->"
OFFLINE_BASE = "intfloat/multilingual-e5-small"
PIPELINES = {
    "classification": "text-classification",
    "tagging": "token-classification",
    "span_qa": "question-answering",
    "choice": "multiple-choice",
    "mlm": "fill-mask",
}
VALIDATED = "validation_examples"  # role of a training stage's inputs
# Licences that are compatible with each other, each stricter than those before it.
PERMISSIVE = {
    "MIT": "mit",
    "BSD 3-Clause": "bsd-3-clause",
    "Apache-2.0 (part of midway)": "apache-2.0",
    "CC BY 4.0": "cc-by-4.0",
}
# They hold for the whole, and are not compatible with each other.
STRICT = {
    "CC BY-SA 3.0": "cc-by-sa-3.0",
    "CC BY-SA 4.0": "cc-by-sa-4.0",
    "CC BY-NC 4.0": "cc-by-nc-4.0",
}


def model_card(session: Session, model: Model, remarks: Sequence[str] = ()) -> str:
    """Write the card.

    Args:
        session: the study.
        model: what is exported.
        remarks: sentences on what was written.
    """
    what = f"{model.target} after {model.intermediate}" if model.target else model.intermediate
    parts = [
        _header(session, model),
        [OURS, f"# {escape(session.study.name)}: {escape(what)}, seed {model.seed}", ""],
        _about(session, model, remarks),
        _training(session, model),
        _data(model),
        scores(session, model),
        leaks_found(session, model),
        _reproduce(session, model),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def licence_of(licences: Iterable[str]) -> str:
    """Identifier for the whole: of the strictest licence if all are known and compatible."""
    names = set(licences)
    strict = sorted(names & STRICT.keys())
    if not names or not names <= PERMISSIVE.keys() | STRICT.keys() or len(strict) > 1:
        return "other"
    return STRICT[strict[0]] if strict else [v for k, v in PERMISSIVE.items() if k in names][-1]


def _header(session: Session, model: Model) -> Lines:
    """YAML; its strings are written as JSON's, which YAML reads alike."""
    cards = _cards(model)
    facts = _facts(session, model.encoder)
    data = _examples(model) + [cell.score.inputs["examples"] for cell in model.cells]
    known = {short for stage in data for each in _codes(stage) if (short := _iso(each))}
    pipeline = PIPELINES.get(model.family, "feature-extraction")
    fields: dict[str, Any] = {
        "language": sorted(known),
        "license": licence_of([facts.get("licence", ""), *(card.licence for card in cards)]),
        "library_name": "sentence-transformers" if model.max_length else "transformers",
        "pipeline_tag": "sentence-similarity" if model.max_length else pipeline,
        "datasets": [card.hub.repo if card.hub else card.name for card in cards],
        "tags": ["midway", "cross-lingual-transfer"],
        "base_model": _base(model),
    }
    yield "---"
    for name, value in fields.items():
        if value:
            yield f"{name}: {json.dumps(value, ensure_ascii=False)}"
    yield "---"


def _base(model: Model) -> str:
    source = model.encoder.spec.identity.source
    kind, _, name = source.partition(":")
    return OFFLINE_BASE if source == offline.NAME else name if kind == "hub" else ""


def _iso(benchmark_code: str) -> str:
    """ISO 639: two letters where the benchmark has two, else ISO 639-3; empty if unknown."""
    short, language = re.split("[-_]", benchmark_code)[0].lower(), lookup(benchmark_code)
    if language is None:
        return ""
    return short if len(short) == 2 else language.iso639_3


def _about(session: Session, model: Model, remarks: Sequence[str]) -> Lines:
    identity, facts = model.encoder.spec.identity, _facts(session, model.encoder)
    trained = (
        "as it came, without any training here" if model.trained is None else "trained as below"
    )
    yield f"The encoder of the study *{escape(session.study.name)}*, {trained}."
    sizes = [
        f"{facts[name]:,} {name}" for name in ("layers", "hidden", "parameters") if name in facts
    ]
    yield ""
    yield f"- Encoder: {_encoder_name(model)}" + (f" ({', '.join(sizes)})" if sizes else "")
    if identity.revision:
        yield f"- Revision: {code(identity.revision)}"
    yield from (f"- File {escape(k)}: sha256 `{v}`" for k, v in sorted(identity.files.items()))
    if facts.get("note"):
        yield f"- {escape(facts['note'])}"
    yield f"- Loaded by: `{model.auto}`" + (
        " and `SentenceTransformer`" if model.max_length else ""
    )
    if model.head:
        yield f"- Head: {escape(model.head.partition('.')[2])} ({escape(model.family)})"
    if model.layer is not None:
        yield f"- Layers after number {model.layer}, which the study searches with, are left out"
    if any(cell.score.inputs["predictions"].spec.precision == "bf16" for cell in model.cells):
        yield "- The scores below were computed in bfloat16; the weights here are float32"
    yield from (f"- {remark}" for remark in remarks)
    yield ""


def _encoder_name(model: Model) -> str:
    source = model.encoder.spec.identity.source
    return "a local folder" if source == "folder" else code(source.removeprefix("hub:"))


def _training(session: Session, model: Model) -> Lines:
    for number, stage in enumerate(model.training, start=1):
        spec, facts = stage.spec, _facts(session, stage)
        yield from (f"## Training, step {number}: {escape(stage.label)}", "")
        yield from _mixture(session, stage, facts.get("mixture", ()))
        recipe = {k: v for k, v in asdict(spec.recipe).items() if v is not None} | {
            "seed": spec.seed,
            "sampling": spec.sampling.rule if len(spec.entries) > 1 else None,
        }
        lengths = {s.spec.max_length for r, s in stage.inputs.items() if r.startswith("features")}
        recipe["max_length"] = ", ".join(map(str, sorted(lengths)))
        for name in ("selection", "lora"):
            if (chosen := getattr(spec, name, None)) is not None:
                recipe |= {f"{name} {k}": v for k, v in asdict(chosen).items()}
        given = [f"{name} {value}" for name, value in recipe.items() if value is not None]
        held = [each for role, each in stage.inputs.items() if role.startswith(VALIDATED)]
        if held:
            named = (f"{e.spec.task} {e.spec.split} ({' '.join(_codes(e))})" for e in held)
            yield f"Validated on: {escape('; '.join(named))}."
        yield f"Hyper-parameters: {code(', '.join(given))}."
        if facts:
            loss = "not finite" if facts["final_loss"] is None else facts["final_loss"]
            yield (
                f"{facts['steps']:,} steps, {facts['tokens']:,} tokens, "
                f"{facts['training_seconds']:,} s; mean loss of the last ten steps: {loss}."
            )
        yield ""
        yield from _collapses(facts.get("attempts", ()))


def _mixture(session: Session, stage: Stage, shares: Sequence[Mapping[str, Any]]) -> Lines:
    rows = []
    for i, entry in enumerate(stage.spec.entries):
        chosen = stage.inputs[f"features{i}"].inputs["examples"]
        counts = _facts(session, chosen).get("examples", {})
        spec = chosen.spec
        task = entry.task if spec.task == entry.task else f"{entry.task} on {spec.task}"
        notes = [f"fold {spec.fold}"] if spec.fold else []
        notes += ["labels shuffled"] if spec.control else []
        languages = (
            f"{code} {counts[code]:,}" if code in counts else code for code in _codes(chosen)
        )
        seen = f"{shares[i]['examples']:,}" if i < len(shares) else ""
        split = ", ".join([spec.split, *notes])
        rows.append([escape(task), escape(split), escape(" · ".join(languages)), seen])
    yield from table(["task", "split", "languages and examples", "seen, with repeats"], rows)


def _collapses(attempts: Sequence[Mapping[str, Any]]) -> Lines:
    """Attempts that collapsed, and which one this is; nothing if all went well."""
    collapsed = [attempt for attempt in attempts if attempt["collapse"]]
    for attempt in collapsed:
        yield f"- Collapsed with seed {attempt['seed']}: {escape(attempt['collapse'])}."
    if collapsed:
        last = attempts[-1]
        kept = ", collapsed" if last["collapse"] else ""
        yield from (f"- This is the attempt with seed {last['seed']}{kept}.", "")


def _data(model: Model) -> Lines:
    cards = _cards(model)
    if not cards:
        return
    yield from ("## Data it was trained on", "")
    rows = [
        [escape(text) for text in (card.name, card.licence, card.citation)]
        + [f"<{card.homepage}>" if card.homepage else ""]
        for card in cards
    ]
    yield from table(["task", "licence", "citation", "source"], rows)


def _reproduce(session: Session, model: Model) -> Lines:
    name = session.path.name
    chosen = ["--intermediate", model.intermediate, "--seed", str(model.seed)]
    if model.target:
        chosen += ["--target", model.target]
    elif model.head:
        chosen += ["--task", model.head.partition(".")[2]]
    folder = ["--data", "FOLDER"] if any(card.homepage for card in _cards(model)) else []
    commands = [["run", name, *folder], ["export", name, "--what", "model", *chosen, *folder]]
    record = session.record(model.trained or model.encoder)
    yield from ("## How to make it again", "")
    yield from fenced("sh", "\n".join(f"midway {shlex.join(c)}" for c in commands))
    yield from (f"with this study file, {code(name)}:", "")
    yield from fenced("toml", session.text.rstrip("\n"))
    if record is not None:
        versions = {"midway": record.midway, "Python": record.environment["python"]}
        versions |= record.environment["packages"]
        used = ", ".join(f"{package} {version}" for package, version in versions.items())
        yield f"Computed with {escape(used)} on {escape(record.environment['platform'])}."


def _examples(model: Model) -> list[Stage]:
    """Examples that were trained on."""
    return [
        stage.inputs[f"features{i}"].inputs["examples"]
        for stage in model.training
        for i in range(len(stage.spec.entries))
    ]


def _cards(model: Model) -> list[TaskCard]:
    """Cards of the tasks whose data were trained on, each once."""
    return [load_card(name) for name in sorted({stage.spec.task for stage in _examples(model)})]


def _codes(examples: Stage) -> list[str]:
    return [part.language for part in examples.spec.languages]


def _facts(session: Session, stage: Stage) -> Mapping[str, Any]:
    record = session.record(stage)
    return {} if record is None else record.facts
