"""Keys that must never change: whoever changes one throws away every store in the world."""

import hashlib
from dataclasses import dataclass, field
from enum import Enum

import pytest

from midway.canonical import digest
from midway.graph.stage import Stage, StageKind


class Precision(Enum):
    BF16 = "bf16"


@dataclass(frozen=True)
class Inner:
    rule: str = "proportional"
    cap: int | None = None


@dataclass(frozen=True)
class Spec:
    seed: int
    rate: float = 5e-5
    languages: tuple[str, ...] = ("en",)
    precision: Precision = Precision.BF16
    files: dict[str, str] = field(default_factory=dict)
    sampling: Inner = Inner()
    added_later: float = field(default=0.0, metadata={"neutral": 0.0})


TRAIN = StageKind("train", 1, lambda *_: {})
TRAIN_2 = StageKind("train", 2, lambda *_: {})
READ = StageKind("examples", 1, lambda *_: {})
BASE = Stage(READ, Spec(1))
OTHER = Stage(READ, Spec(2))

STAGES = {
    "base": BASE,
    "seed": OTHER,
    "kind": Stage(TRAIN, Spec(1)),
    "version": Stage(TRAIN_2, Spec(1)),
    "small rate": Stage(READ, Spec(1, rate=1e-7)),
    "integer rate": Stage(READ, Spec(1, rate=1)),
    "float rate": Stage(READ, Spec(1, rate=1.0)),
    "languages": Stage(READ, Spec(1, languages=("ar", "de", "हिन्दी"))),
    "language order": Stage(READ, Spec(1, languages=("de", "ar", "हिन्दी"))),
    "no languages": Stage(READ, Spec(1, languages=())),
    "files": Stage(READ, Spec(1, files={"b.txt": "0", "a.txt": "1"})),
    "inner": Stage(READ, Spec(1, sampling=Inner(cap=131072))),
    "added later": Stage(READ, Spec(1, added_later=0.5)),
    "one input": Stage(TRAIN, Spec(1), {"data": BASE}),
    "other input": Stage(TRAIN, Spec(1), {"data": OTHER}),
    "other role": Stage(TRAIN, Spec(1), {"more": BASE}),
    "two inputs": Stage(TRAIN, Spec(1), {"data": BASE, "more": OTHER}),
    "chain": Stage(TRAIN, Spec(1), {"model": Stage(TRAIN, Spec(1), {"data": BASE})}),
    "dict spec": Stage(READ, {"text": 'quote " and \\ and \n', "none": None, "yes": True}),
    "empty spec": Stage(READ, {}),
}

GOLDEN = {
    "base": "abdd085cab27c93f9d4a1dda202b84be3cd1db55600d7f3164fa67734dc16cc6",
    "seed": "00ebbbfd1c1f093f0b816da3654a720db352431ba5c9196ae76bfb8bb175eaa4",
    "kind": "877ec1d41254d8caee0c76fa7de4fe19e11444262870a597d51a711bd7e46d61",
    "version": "7997c362b3c922449306603099ba7f26c9f893229817abe618083fa63c89b62b",
    "small rate": "291a4928757cf0f0608e61c58bb915137fe4c875123890a361859daa60b8f2a9",
    "integer rate": "9896800233140728f264e4ddeca1f29a8d9568c7aff153562fd04e51a8de823e",
    "float rate": "a6229abc89a4adf105cf5f7571a0c4f449a14a108e8ece262db004f1a3177f9c",
    "languages": "dfb879f5e7e5efd6b1afd587f8d78cbbf7cff315b946054686eb5a71afdf2e52",
    "language order": "cee84be4d26e12d0dc7c2d1dd1f23ed51965cc65a4e922b70d71e0a71ea2ffcd",
    "no languages": "7f6d45fe594c5da2538922bdb40a41517c25c67d460ed86310c98862cfe135fc",
    "files": "28a39179f37358d2f3681c4edad247ef4aaadc7d4aef859084cbf366741b5bca",
    "inner": "93737c93dc8f3377390523393449a40ede802fc38ccd17d3b4406714241f4e5c",
    "added later": "f25fdacecc516a281ba03b23a77894cdc3f09caab9986e0959f200cd140ce9b2",
    "one input": "14bc3ea3c991bd50ce5322434b8051bc0e81db0152cf885ed38f7c9b6255e460",
    "other input": "f669c3a4c036a172c020a4e02d72e667d3c9d2a1ef2c95b73ba26306212fd5c3",
    "other role": "175612d9d2b1a139bba88f755e4c89accd6547d2defb9dc1e615a2155a7bb1f2",
    "two inputs": "193d021f511d143b3378e2c4bb5450c4668bfd97329cff56c124c4157d9f9cf9",
    "chain": "2f22e393bcd28807d3d5a87c991361b2a3314a1e04d87756ecec143f62efacdb",
    "dict spec": "b0f72121436104f5a71474fc239ac7903addad924333fd49da255a8b6e912fb9",
    "empty spec": "ee2099a4afa6d7e1a6508c0b71964bb02b2aba66bc4a401125e613435f605821",
}


def test_every_stage_is_pinned():
    assert GOLDEN.keys() == STAGES.keys()
    assert len(set(GOLDEN.values())) == len(GOLDEN)


@pytest.mark.parametrize("name", STAGES)
def test_key(name):
    assert STAGES[name].key == GOLDEN[name]


def test_key_is_the_sha256_of_a_text_anyone_can_write():
    text = (
        '{"inputs":{},"spec":{"files":{},"languages":["en"],"precision":"bf16","rate":5e-05,'
        '"sampling":{"cap":null,"rule":"proportional"},"seed":1},"stage":"examples","v":1,'
        '"version":1}'
    )
    assert BASE.text == text
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == BASE.key


def test_label_and_estimate_are_not_in_the_key():
    assert Stage(READ, Spec(1), label="x", estimate={"tokens": 1.0}).key == BASE.key


def test_neutral_value_keeps_the_old_key():
    @dataclass(frozen=True)
    class Old:
        seed: int = 1

    @dataclass(frozen=True)
    class New:
        seed: int = 1
        warmup: float = field(default=0.0, metadata={"neutral": 0.0})

    assert digest(Old()) == digest(New())
    assert digest(Old()) != digest(New(warmup=0.1))
