"""What each stage is told: every field is part of its key."""

from dataclasses import dataclass, field

from midway.encoders.source import EncoderIdentity
from midway.graph.stage import Deferred, StageKind
from midway.train.recipe import Lora, Recipe, Selection
from midway.train.schedule import Sampling

RESTARTS = 2
PROBE_FILE = "probe.json"


@dataclass(frozen=True, kw_only=True)
class EncoderSpec:
    """Import an encoder.

    Attributes:
        name: as the study gives it, or ``folder`` for a folder, whose path is no identity.
        identity: what it resolves to.
    """

    name: str
    identity: EncoderIdentity


@dataclass(frozen=True, kw_only=True)
class LanguageFiles:
    """The files that hold one language: file name → sha256."""

    language: str
    files: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ExamplesSpec:
    """Read and choose examples.

    Attributes:
        task: the card's name.
        card_version: of the reader.
        split: train, validation or test.
        languages: in the order in which budgets are dealt.
        total: examples in all (training), or None for all there are.
        per_language: examples per language (evaluation), or None.
        fold: A, B or None.
        seed: of the choice; the same for every run of a study, so that runs are paired.
        alpha: languages share `total` by their size to this power.
        control: labels are shuffled (`midway.tasks.control`).
        skip: so many of the examples that `total` would give are left out, those that a budget
            of that size takes: what is held out of a training set.
        at_most: `total` may be more than there are; then all are taken.
    """

    task: str
    card_version: int
    split: str
    languages: tuple[LanguageFiles, ...]
    total: int | None = None
    per_language: int | None = None
    fold: str | None = None
    seed: int = 0
    alpha: float = field(default=0.0, metadata={"neutral": 0.0})
    control: bool = field(default=False, metadata={"neutral": False})
    skip: int = field(default=0, metadata={"neutral": 0})
    at_most: bool = field(default=False, metadata={"neutral": False})


@dataclass(frozen=True, kw_only=True)
class FeaturesSpec:
    """Tokenise examples.

    Attributes:
        task: the card's name.
        family: decides how.
        labels: the task's tags, in the order of their numbers.
        max_length: greatest number of tokens of a sequence.
        stride: tokens that neighbouring windows share (span QA).
        source: the examples' own family, where their text is all that is used (MLM).
    """

    task: str
    family: str
    labels: tuple[str, ...]
    max_length: int
    stride: int
    source: str = field(default="", metadata={"neutral": ""})


@dataclass(frozen=True, kw_only=True)
class EntrySpec:
    """One entry of a training mixture; its features are the input ``features<i>``.

    Attributes:
        task: the card's name.
        family: decides how.
        weight: its share where the rule is ``weights``.
        head: the head of the input ``parent`` that goes on being trained; empty: a new one.
        batch_size: items per step; 0: the recipe's.
        control: its labels mean nothing (`midway.tasks.control`), so chance is all it can reach.
        validation: task of the validation data, if it is another one of the same labels.
    """

    task: str
    family: str
    weight: float = 1.0
    head: str = field(default="", metadata={"neutral": ""})
    batch_size: int = field(default=0, metadata={"neutral": 0})
    control: bool = field(default=False, metadata={"neutral": False})
    validation: str = field(default="", metadata={"neutral": ""})


@dataclass(frozen=True, kw_only=True)
class TrainSpec:
    """Train the encoder (or the input ``parent``, already trained) on a mixture.

    Attributes:
        entries: of the mixture; the inputs ``features<i>`` and ``examples<i>`` are their data.
        recipe: hyper-parameters.
        sampling: how entries share the steps.
        seed: of the run.
        restarts: how often it begins again, with another seed, after a collapse.
        selection: which weights are kept; None: the last, and nothing is validated. The inputs
            ``validation_features<i>`` and ``validation_examples<i>`` are what is validated on.
        lora: train adapters only.
    """

    entries: tuple[EntrySpec, ...]
    recipe: Recipe
    sampling: Sampling = field(default_factory=Sampling)
    seed: int
    restarts: int = RESTARTS
    selection: Selection | None = field(default=None, metadata={"neutral": None})
    lora: Lora | None = field(default=None, metadata={"neutral": None})


@dataclass(frozen=True, kw_only=True)
class PredictSpec:
    """Predict a target in all its languages.

    Attributes:
        task: the target.
        family: decides how.
        head: name of the trained head, empty where nothing is trained.
        unanswerable: whether the empty answer may win (SQuAD v2).
        layers: for retrieval: ``last``, ``all``, or numbers of hidden states (0 = embeddings);
            the last one named is the one that counts.
        precision: ``bf16`` or ``float32``.
        mining: how pairs are retrieved in bitext mining; the development set, if there is one
            that is not evaluated itself, is the input ``tuning``.
    """

    task: str
    family: str
    head: str = ""
    unanswerable: bool = False
    layers: str | tuple[int, ...] = "last"
    precision: str = "bf16"
    mining: str = field(default="max", metadata={"neutral": "max"})


@dataclass(frozen=True, kw_only=True)
class ScoreSpec:
    """Score predictions against the gold, both profiles.

    Attributes:
        task: the target.
        family: decides how.
        without: name of the target whose leaking examples (input ``leaks``) are left out.
    """

    task: str
    family: str
    without: str = field(default="", metadata={"neutral": ""})


@dataclass(frozen=True, kw_only=True)
class LeaksSpec:
    """Look for training data in evaluation data.

    Attributes:
        training: (who trains on it, task, split) for the inputs ``train<i>``.
        evaluation: (target, task, split) for the inputs ``evaluation<i>``.
        policy: ``warn`` records what is shared, ``error`` refuses it, ``drop`` refuses only if it
            leaves nothing of a target. The input ``neighbours``, if there is one, is what the
            encoder's space says.
    """

    training: tuple[tuple[str, str, str], ...]
    evaluation: tuple[tuple[str, str, str], ...]
    policy: str


@dataclass(frozen=True, kw_only=True)
class VectorsSpec:
    """Embed the texts of examples with the encoder as it is.

    Attributes:
        task: the card's name.
        split: train, validation or test.
        max_length: tokens of a text that are read.
    """

    task: str
    split: str
    max_length: int


@dataclass(frozen=True, kw_only=True)
class NeighboursSpec:
    """Search training texts for translations of evaluation texts.

    Attributes:
        training: (task, split) for the inputs ``train<i>`` and ``train_vectors<i>``.
        evaluation: (task, split) for the inputs ``evaluation<i>`` and ``evaluation_vectors<i>``.
        margin: ratio margin from which a pair counts.
    """

    training: tuple[tuple[str, str], ...]
    evaluation: tuple[tuple[str, str], ...]
    margin: float


@dataclass(frozen=True, kw_only=True)
class ProbeSpec:
    """Describe training data by an encoder's states, as they are.

    Attributes:
        family: which states are looked at.
        rows: sequences that are read, evenly spaced.
        precision: ``bf16`` or ``float32``.
    """

    family: str
    rows: int
    precision: str = "bf16"


@dataclass(frozen=True, kw_only=True)
class PlannedTraining:
    """An intermediate as it will be trained.

    Attributes:
        name: of the intermediate.
        after: the one that it goes on from; empty: none.
        train: its training stage, with any seed.
        features: for each entry, the number of the input ``features<i>``.
    """

    name: str
    after: str
    train: TrainSpec
    features: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class BudgetsSpec:
    """Count what the intermediates will see, and compare.

    Attributes:
        intermediates: each after the one that it goes on from.
        seeds: of the study; budgets are means over them.
        pairs: which are compared.
        match: ``examples``, ``tokens`` or ``updates`` must be equal; empty: only counted.
    """

    intermediates: tuple[PlannedTraining, ...]
    seeds: tuple[int, ...]
    pairs: tuple[tuple[str, str], ...]
    match: str


def _kind(name: str, version: int) -> StageKind:
    return StageKind(name, version, Deferred(f"midway.stages.{name}", "run"))


ENCODER = _kind("encoder", 1)
EXAMPLES = _kind("examples", 3)
FEATURES = _kind("features", 3)
TRAIN = _kind("train", 4)
PREDICT = _kind("predict", 2)
SCORE = _kind("score", 2)
LEAKS = _kind("leaks", 3)
VECTORS = _kind("vectors", 1)
NEIGHBOURS = _kind("neighbours", 1)
PROBE = _kind("probe", 1)
BUDGETS = _kind("budgets", 1)
