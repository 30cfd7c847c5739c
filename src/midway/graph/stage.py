"""A stage is a pure function of its Spec and of its inputs' artefacts.

1. A `StageKind` is the function and its integer version; the version is raised when its meaning
   changes.
2. A `Stage` is one application: a Spec (every field is in the key) and the stages it reads.
3. Its `key` is known before anything runs, because inputs enter by key.
4. `Runtime` holds what must not change a result (device, paths, sizes); it is never in a key.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from midway.canonical import canonical_json, digest


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Where and how a stage runs. Nothing here may change a result.

    Attributes:
        data: folders of benchmark files.
        cache: folder for accelerators that can be lost at any time.
        encoder_folder: where the encoder lies if the study names a folder.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        processes: that share a training stage; on CUDA each has a GPU of its own.
        threads: CPU threads; 0 leaves the library's default.
        micro_batch_tokens: tokens computed at once; a step is cut into pieces of at most this.
            0: what suits the device (`midway.train.memory`).
        gradient_checkpointing: keep no activations inside an encoder's layers in training, compute
            them a second time instead: less memory, about a third more work.
        checkpoint_seconds: seconds of training between checkpoints; None: five, but more where
            saving would take more than a twentieth of the time.
    """

    data: tuple[Path, ...] = ()
    cache: Path = Path()
    encoder_folder: Path = Path()
    device: str = "cpu"
    processes: int = 1
    threads: int = 0
    micro_batch_tokens: int = 0
    gradient_checkpointing: bool = False
    checkpoint_seconds: float | None = None


@dataclass(frozen=True)
class Progress:
    """How far a running stage is; `facts` are shown as they are, e.g. ``{"loss": "1.234"}``."""

    done: int
    total: int
    unit: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a stage function is given besides its Spec and inputs.

    Attributes:
        out: an empty folder; every file left in it becomes an output.
        work: a folder that survives a crash and is never read as a result.
        runtime: device, paths and sizes.
        report: call it with a `Progress` now and then.
        check: call it often; it raises when the run was interrupted or the lease was lost.
    """

    out: Path
    work: Path
    runtime: Runtime
    report: Callable[[Progress], None]
    check: Callable[[], None]


@dataclass(frozen=True)
class Deferred:
    """A stage function by name, imported when it is called: planning stays light.

    Attributes:
        module: e.g. ``midway.stages.train``.
        name: of the function in it.
    """

    module: str
    name: str

    def __call__(self, *arguments: Any) -> Mapping[str, Any]:
        """Import the function and call it."""
        facts: Mapping[str, Any] = getattr(importlib.import_module(self.module), self.name)(
            *arguments
        )
        return facts


StageFunction = Callable[[Any, Mapping[str, Path], Context], Mapping[str, Any]]


@dataclass(frozen=True)
class StageKind:
    """A named, versioned stage function.

    Attributes:
        name: e.g. ``train``.
        version: raised when the same Spec would mean something else.
        run: (spec, folders of the inputs by role, context) → facts recorded in the manifest.
    """

    name: str
    version: int
    run: StageFunction


@dataclass(frozen=True, eq=False)
class Stage:
    """One application of a kind.

    Attributes:
        kind: the function.
        spec: a frozen dataclass; all of it is in the key.
        inputs: the stages it reads, by role.
        label: what people call it, e.g. ``train squad-en · seed 1``; not in the key.
        estimate: rough cost: ``tokens``, ``flops`` and ``bytes``.
    """

    kind: StageKind
    spec: Any
    inputs: Mapping[str, "Stage"] = field(default_factory=dict)
    label: str = ""
    estimate: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the key is made of."""
        return {
            "v": 1,
            "stage": self.kind.name,
            "version": self.kind.version,
            "spec": self.spec,
            "inputs": {role: stage.key for role, stage in self.inputs.items()},
        }

    @cached_property
    def text(self) -> str:
        """Canonical text of the identity."""
        return canonical_json(self.identity)

    @cached_property
    def key(self) -> str:
        """64 hex digits; equal keys are one stage."""
        return digest(self.identity)
