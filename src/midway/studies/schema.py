"""The study file: what may stand in it. `midway.studies.study_file` reads it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from midway.analysis.results import ORACLE

Languages = list[str] | str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _key(default: Any, description: str, **limits: Any) -> Any:
    """A key of the study file; `docs/study-file.md` is made from these."""
    return Field(default, description=description, **limits)


class SelectTable(_Strict):
    """Which weights of a training stage are kept; what they are chosen by is never evaluated."""

    rule: Literal["last", "best", "average"] = _key(
        "best", "`last` only measures; `average` is the mean of the weights at the last `keep`"
    )
    every: int = _key(
        0, "steps between validations; 0 is a tenth of the stage, for `last` its end", ge=0
    )
    patience: int = _key(
        0, "`best`: validations without a gain after which training ends; 0 is never", ge=0
    )
    keep: int = _key(3, "`average`: how many of the last validations", ge=1)
    examples: int = _key(500, "validated on, of each entry", ge=1)
    split: str = _key(
        "validation", "of the task trained on; `train` holds out more of the training data"
    )
    oracle: bool = _key(
        False, "a target: validate in the languages it is evaluated in; results say `(oracle)`"
    )


class LoraTable(_Strict):
    """Low-rank adapters beside all linear layers, in place of full training (needs `peft`)."""

    rank: int = _key(8, "of the adapters' matrices", ge=1, le=4096)
    alpha: float = _key(16.0, "their product is multiplied by `alpha` / `rank`", gt=0)


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
    restarts: int | None = _key(
        None, "how often a collapsed run is repeated with another seed", ge=0, le=10
    )
    select: SelectTable | None = _key(None, "which weights are kept; the last if left out")
    lora: LoraTable | None = _key(None, "train adapters only")


class Part(_Strict):
    """Which examples of a task to train on."""

    task: str = _key("", "a task's name; a target's own, or its training tasks, if left out")
    text: str = _key("", 'with `task = "mlm"`: the task whose texts are used, without labels')
    languages: Languages = _key(
        "all",
        'codes and sets such as `"family:sw"`; `"all"` there are; `"targets"` that some target is '
        "evaluated in",
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

    languages: Languages = _key("all", 'codes and sets; or `"all"` with files at hand')
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

    @property
    def label(self) -> str:
        """How results call it; one that is selected by an oracle says so."""
        by_oracle = self.select is not None and self.select.oracle
        return (self.name or self.task) + (ORACLE if by_oracle else "")


class Compare(_Strict):
    """Which comparisons the study is about."""

    baseline: Literal["none"] = _key("none", "the encoder without intermediate training")
    contrasts: list[list[str]] = _key(
        [], "pairs of intermediates: the first's gain less the second's"
    )
    best: bool = _key(
        False, "name each target's best intermediate by its validation score (needs `select`)"
    )
    match: Literal["examples", "tokens", "updates"] | None = _key(
        None,
        "what compared intermediates must have equal, to 1 %, mean over seeds: examples seen "
        "(twice counts twice; the windows of a text are one), tokens computed, optimiser steps",
    )
    leaks: Literal["error", "drop", "warn"] = _key(
        "warn",
        "evaluation examples that training holds: end the run before anything is trained; are left "
        "out of the scores, which are shown with them too; or are reported",
    )


class HalvingTable(_Strict):
    """Successive halving: what validates worse gets no further seeds; the baseline gets all."""

    keep: float = _key(0.5, "share of the intermediates that goes on, rounded up", gt=0, lt=1)
    rungs: list[int] = _key(
        [1], "after how many seeds, ascending; by mean validation score over targets and seeds"
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
    halving: HalvingTable | None = _key(
        None, "give further seeds only to the better intermediates (needs `select`)"
    )
