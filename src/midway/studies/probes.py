"""What `midway recommend` looks at besides scores: training data, as a study's encoder sees them.

The data of intermediates and targets are described by the pretrained encoder; those of targets also
by every intermediate that has been trained. Nothing is trained for it.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from midway.advice.pairs import Data, Probe
from midway.analysis.low_resource import facts
from midway.analysis.results import APART, BASELINE
from midway.graph.stage import Stage
from midway.stages import specs
from midway.studies.session import Session

ROWS = 256  # sequences of each training set


@dataclass
class Probes:
    """The stages that describe a study's training data.

    Attributes:
        intermediates: name → probe of each entry of its mixture.
        targets: name → probe of what it is trained on, with the pretrained encoder.
        models: (intermediate, target) → the same with a trained intermediate.
    """

    intermediates: dict[str, list[Stage]] = field(default_factory=dict)
    targets: dict[str, Stage] = field(default_factory=dict)
    models: dict[tuple[str, str], Stage] = field(default_factory=dict)

    @property
    def stages(self) -> list[Stage]:
        """All of them."""
        entries = [stage for parts in self.intermediates.values() for stage in parts]
        return [*entries, *self.targets.values(), *self.models.values()]


def probes(session: Session) -> Probes:
    """Plan what there is to describe: intermediates, targets, and targets by trained models."""
    found = Probes()
    for name, model in session.expansion.intermediates.items():
        found.intermediates[name] = [
            _probe(model, model.inputs[f"features{place}"], None, name)
            for place in range(len(model.spec.entries))
        ]
    first = session.study.seeds[0]
    for cell in session.expansion.cells:
        first_of_all = (cell.intermediate, cell.seed) == (BASELINE, first)
        if not cell.trained or not first_of_all or cell.target.endswith(APART):
            continue
        model = cell.score.inputs["predictions"].inputs["model"]
        features = model.inputs["features0"]
        found.targets[cell.target] = _probe(model, features, None, cell.target)
        for name, trained in session.expansion.intermediates.items():
            if session.store.has(trained):
                what = f"{cell.target} after {name}"
                found.models[name, cell.target] = _probe(model, features, trained, what)
    return found


def _probe(user: Stage, features: Stage, model: Stage | None, what: str) -> Stage:
    """The stage that describes `features` with the encoder that `user` is trained from."""
    inputs = {"encoder": user.inputs["encoder"], "features": features}
    if model is not None:
        inputs["model"] = model
    spec = specs.ProbeSpec(
        family=features.spec.family, rows=ROWS, precision=user.spec.recipe.precision
    )
    return Stage(specs.PROBE, spec, inputs, f"describe the data of {what}")


def intermediate_data(session: Session, found: Probes) -> dict[str, Data]:
    """What is known of each intermediate's training data; the probes must be in the store."""
    return {
        name: _mixed([_data(session, stage) for stage in parts])
        for name, parts in found.intermediates.items()
    }


def target_data(session: Session, found: Probes) -> dict[str, Data]:
    """What is known of each target's training data, with the languages it is evaluated in."""
    evaluated = {name: stage.spec.languages for name, stage in session.expansion.evaluation}
    return {
        name: replace(_data(session, stage), languages=_codes(evaluated[name]))
        for name, stage in found.targets.items()
    }


def told_apart(session: Session, found: Probes) -> dict[tuple[str, str], Probe]:
    """How well features tell labels apart: (intermediate or ``none``, target) → scores."""
    pairs = {(BASELINE, name): stage for name, stage in found.targets.items()} | found.models
    read = {pair: _read(session, stage) for pair, stage in pairs.items()}
    return {
        pair: Probe(facts["log_me"], facts["h_score"], facts["nearest"])
        for pair, facts in read.items()
        if "log_me" in facts
    }


def _read(session: Session, probe: Stage) -> dict[str, Any]:
    path = session.store.path(probe) / specs.PROBE_FILE
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _data(session: Session, probe: Stage) -> Data:
    features = probe.inputs["features"]
    spec, examples = features.spec, features.inputs["examples"]
    counted, tokenised = session.record(examples), session.record(features)
    assert counted is not None  # both were needed for the probe
    assert tokenised is not None
    tagged = spec.family == "tagging"
    names = (label.split("-", 1)[-1] if tagged else label for label in spec.labels)
    return Data(
        tasks=(spec.task,),
        families=(spec.family,),
        labels=frozenset(name.lower() for name in names),
        languages=_codes(examples.spec.languages),
        examples=sum(counted.facts["examples"].values()),
        length=tokenised.facts["tokens"] / max(tokenised.facts["rows"], 1),
        embedding=tuple(_read(session, probe)["embedding"]),
    )


def _codes(parts: tuple[specs.LanguageFiles, ...]) -> tuple[str, ...]:
    return tuple(facts(part.language).canonical for part in parts)


def _mixed(parts: list[Data]) -> Data:
    """A mixture as one: all of what occurs, means weighted by examples."""
    total = max(sum(data.examples for data in parts), 1)
    shares = [data.examples / total for data in parts]
    columns = zip(*(data.embedding for data in parts), strict=True)
    return Data(
        tasks=tuple(dict.fromkeys(task for data in parts for task in data.tasks)),
        families=tuple(dict.fromkeys(family for data in parts for family in data.families)),
        labels=frozenset().union(*(data.labels for data in parts)),
        languages=tuple(dict.fromkeys(code for data in parts for code in data.languages)),
        examples=total,
        length=sum(share * data.length for share, data in zip(shares, parts, strict=True)),
        embedding=tuple(
            sum(share * value for share, value in zip(shares, column, strict=True))
            for column in columns
        ),
    )
