"""Units of stages before they run: against what real runs counted."""

import pytest

from midway.graph.stage import Stage
from midway.stages import specs
from midway.studies.estimate import OFFLINE, Estimator
from midway.train.recipe import Recipe
from midway.train.schedule import Sampling

ENCODER = Stage(specs.ENCODER, specs.EncoderSpec(name="offline:x", identity=None), {}, "")


def examples(task, split, languages, **chosen):
    parts = tuple(specs.LanguageFiles(language=code, files={}) for code in languages)
    spec = specs.ExamplesSpec(task=task, card_version=1, split=split, languages=parts, **chosen)
    return Stage(specs.EXAMPLES, spec)


def features(family, chosen, max_length, stride=0):
    spec = specs.FeaturesSpec(
        task=chosen.spec.task, family=family, labels=(), max_length=max_length, stride=stride
    )
    return Stage(specs.FEATURES, spec, {"encoder": ENCODER, "examples": chosen})


def estimator(facts=None):
    known = facts or {}
    return Estimator(lambda stage: known.get(stage.key), ENCODER)


MULTI = ("ar", "de", "el", "es", "hi", "ro", "tr", "zh")


# Rows and tokens as `midway run` counted them on the whole files that the statistics describe.
@pytest.mark.parametrize(
    ("stage", "rows", "tokens"),
    [
        (features("span_qa", examples("squad", "train", ["en"], total=1000), 256, 85),
         1217, 212187),
        (features("span_qa", examples("xquad", "test", MULTI, total=1000), 256, 85),
         1390, 276202),
        (features("tagging", examples("sampler-ner", "train", ["en"], total=640), 128),
         640, 10821),
        (features("choice", examples("copa", "train", ["en"]), 128), 800, 20378),
        (features("ranking", examples("lareqa", "test", ["en", "de", "ar"], per_language=300), 128),
         4578, 485280),
        (features("ranking", examples("lareqa", "train", ["en"], total=1000), 128), 1941, 132894),
        (features("mining", examples("bucc2018", "validation", ["zh"]), 64), 22190, 586318),
    ],
    ids=lambda value: value.spec.task if isinstance(value, Stage) else "",
)  # fmt: skip
def test_rows_and_tokens_are_near_what_tokenising_gives(stage, rows, tokens):
    size = estimator().size(stage)
    assert size.rows == pytest.approx(rows, rel=0.12)
    assert size.tokens == pytest.approx(tokens, rel=0.12)


def test_a_task_without_statistics_is_a_guess_from_the_greatest_length():
    stage = features("classification", examples("nobody-knows", "train", ["en"], total=40), 100)
    size = estimator().size(stage)
    assert (size.examples, size.rows, size.tokens) == (40, 40, 40 * 15)


def test_features_in_the_store_are_counted():
    stage = features("tagging", examples("udpos", "train", ["en"], total=100), 128)
    facts = {stage.key: {"rows": 7, "tokens": 70, "pieces": 5}}
    assert estimator(facts).size(stage).tokens == 70


def test_a_fold_halves_and_a_budget_at_most_takes_what_is_there():
    whole = estimator().size(features("choice", examples("copa", "train", ["en"]), 128))
    half = estimator().size(features("choice", examples("copa", "train", ["en"], fold="A"), 128))
    assert half.tokens == pytest.approx(whole.tokens / 2)
    chosen = examples("copa", "train", ["en"], total=10**6, at_most=True)
    assert estimator().size(features("choice", chosen, 128)).tokens == whole.tokens


def train(entries, data, **spec):
    spec = specs.TrainSpec(
        entries=tuple(specs.EntrySpec(task=task, family=family) for task, family in entries),
        recipe=spec.pop("recipe", Recipe(batch_size=16, epochs=2.0)),
        seed=1,
        **spec,
    )
    inputs = {f"features{i}": stage for i, stage in enumerate(data)}
    return estimator({s.key: f for s, f in data.items()}).units("train", spec, inputs)


QA = features("span_qa", examples("squad", "train", ["en"], total=1000), 256, 85)
TAGS = features("tagging", examples("udpos", "train", ["en"], total=100), 128)


def test_training_takes_epochs_times_its_rows():
    facts = {"rows": 1217, "tokens": 212187, "pieces": 7000}
    units = train([("squad", "span_qa")], {QA: facts})
    assert units["tokens"] == 2 * 212187
    assert units["steps"] == -(-2 * 1217 // 16)
    assert units["flops"] == 6 * OFFLINE.parameters * 2 * 212187
    assert units["bytes"] == 4 * (OFFLINE.parameters + 384 * 7000)
    assert units["probed"] == 12_000  # a fifth of the examples would be more


def test_steps_of_a_mixture_are_shared_by_its_rule():
    data = {
        QA: {"rows": 800, "tokens": 80_000, "pieces": 1},
        TAGS: {"rows": 160, "tokens": 1_600, "pieces": 1},
    }
    entries = [("squad", "span_qa"), ("udpos", "tagging")]
    even = train(entries, data, sampling=Sampling("uniform"))
    assert even["steps"] == 120
    assert even["tokens"] == pytest.approx(60 * 16 * 100 + 60 * 16 * 10)
    by_size = train(entries, data)
    assert by_size["tokens"] == pytest.approx(2 * 81_600)
