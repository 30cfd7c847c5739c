"""Advice: what is known of pairs, what is predicted from gains, and how honest its trial is."""

import dataclasses
from statistics import mean

import numpy as np
import pytest
from scipy import stats

from midway.advice import Data, Probe, gather, recommend, try_out
from midway.advice.evidence import merged
from midway.advice.pairs import before, quantities
from midway.advice.predict import CANNOT_TELL, predict
from midway.advice.trial import spearman
from midway.errors import StudyError

QA = Data(("squad",), ("span_qa",), frozenset(), ("eng_Latn",), 300, 120.0, (1.0, 0.2, 0.0))
NLI = Data(
    ("mnli",), ("classification",), frozenset({"yes", "no"}), ("eng_Latn",), 600, 40.0,
    (0.0, 1.0, 0.1),
)  # fmt: skip
NER = Data(
    ("panx",), ("tagging",), frozenset({"per", "loc"}), ("swh_Latn", "yor_Latn"), 600, 20.0,
    (0.1, 0.1, 1.0),
)  # fmt: skip
CANDIDATES = {"qa": QA, "nli": NLI, "ner": NER}


def target(base, **changes):
    return dataclasses.replace(base, languages=("swh_Latn", "tel_Telu"), examples=250, **changes)


def table(gains, *, error=0.3, probes=None, targets=None):
    """Evidence from a table candidate → gains on t0, t1, …; NaN is not measured."""
    width = len(next(iter(gains.values())))
    known = targets or {f"t{n}": target((QA, NLI, NER)[n % 3]) for n in range(width)}
    cells = {
        (name, where): (float(gain), error)
        for name, row in gains.items()
        for where, gain in zip(known, row, strict=True)
        if not np.isnan(gain)
    }
    return gather({name: CANDIDATES[name] for name in gains}, known, probes or {}, cells)


def test_quantities_by_hand():
    said = quantities(NER, target(NER, labels=frozenset({"per", "loc", "org", "date"})))
    assert said["text"] == pytest.approx(1.0)
    assert said["family"] == 1
    assert said["labels"] == 0.5
    assert said["lengths"] == 0
    assert said["size"] == pytest.approx(np.log10(600))
    # Swahili is there; Telugu is nearest to Swahili of the two: mean of 0 and that distance
    assert -3.5 < said["languages"] < -2
    assert quantities(QA, target(QA))["languages"] < said["languages"]


def test_what_is_known_before_training_prefers_the_task_like_the_target():
    for base, name in ((QA, "qa"), (NLI, "nli"), (NER, "ner")):
        rows = [quantities(data, target(base)) for data in CANDIDATES.values()]
        assert list(CANDIDATES)[int(np.argmax(before(rows)))] == name


def test_nothing_measured_gives_ranks_and_no_gain():
    said = recommend(table({name: [np.nan] * 3 for name in CANDIDATES}), "t1")
    assert said.use == CANNOT_TELL
    assert [row.rank for row in said.recommendations] == [1, 2, 3]
    assert said.recommendations[0].intermediate == "nli"
    assert all(row.predicted_gain is None for row in said.recommendations)
    assert said.recommendations[0].evidence == ("features before training",)
    assert "its text is the most like the target's" in said.recommendations[0].reasons


def test_a_gain_on_one_target_stands_as_it_was_measured():
    nothing = [np.nan, np.nan]
    evidence = table({"qa": [4.0, np.nan], "nli": nothing, "ner": [-1.0, np.nan]}, error=0.5)
    said = recommend(evidence, "t0")
    first = said.recommendations[0]
    assert (first.intermediate, first.predicted_gain) == ("qa", 4.0)
    assert (first.low, first.high) == pytest.approx((4 - 0.98, 4 + 0.98))
    assert said.use == "qa"
    assert said.recommendations[-1].intermediate == "nli"  # not measured
    assert recommend(evidence, "t1").use == CANNOT_TELL


def test_what_helps_everywhere_is_recommended_for_a_target_never_tried():
    nan = np.nan
    rows = {
        "qa": [6.0, 5.5, 6.3, 5.8, 6.1, nan],
        "nli": [0.1, -0.3, 0.2, 0.0, 0.2, nan],
        "ner": [-4.0, -4.2, -3.8, -4.1, -4.0, nan],
    }
    said = recommend(table(rows), "t5")
    assert [row.intermediate for row in said.recommendations] == ["qa", "nli", "ner"]
    assert said.use == "qa"
    assert said.recommendations[0].predicted_gain == pytest.approx(5.9, abs=0.5)
    assert "+5.9 on 5 other targets" in said.recommendations[0].reasons
    assert "Use qa" in said.text


def test_none_where_everything_does_harm_and_no_answer_where_it_is_open():
    nan = np.nan
    harm = {name: [-3.0, -3.4, -2.8, -3.1, nan] for name in CANDIDATES}
    assert recommend(table(harm), "t4").use == "none"
    either = {name: [5.0, -4.0, 3.0, -5.0, nan] for name in ("qa", "nli")}
    said = recommend(table(either), "t4")
    assert said.use == CANNOT_TELL
    assert said.recommendations[0].predicted_gain < 0 < said.recommendations[0].high


def test_the_family_decides_where_gains_say_that_it_does():
    """Gains only within the family: the slope on what is known of the data must find it."""
    gain = {(n, m): 6.0 if n % 3 == m else -1.0 for n in range(9) for m in range(3)}
    rows = {name: [*(gain[n, m] for n in range(8)), np.nan] for m, name in enumerate(CANDIDATES)}
    evidence = table(rows)
    said = recommend(evidence, "t8")  # a tagging target
    assert said.recommendations[0].intermediate == "ner"
    without = predict(evidence, 8, ()).gains
    assert np.ptp(without) < 2 < np.ptp(predict(evidence, 8).gains)


def test_what_an_intermediate_makes_of_a_target_counts():
    probes = {("none", f"t{n}"): Probe(-0.5, 1.0, 0.5) for n in range(4)}
    for n in range(4):
        for place, name in enumerate(CANDIDATES):
            probes[name, f"t{n}"] = Probe(-0.5 + 0.1 * place, 1.0, 0.5)
    evidence = table({name: [np.nan] * 4 for name in CANDIDATES}, probes=probes)
    said = recommend(evidence, "t2")
    assert said.recommendations[0].intermediate == "ner"
    assert said.recommendations[0].evidence == (
        "features after training",
        "features before training",
    )
    partly = dict(list(probes.items())[:5])
    assert table({n: [np.nan] * 4 for n in CANDIDATES}, probes=partly).told("log_me", 3) is None


def test_the_trial_hides_what_it_asks_for():
    """Advice for a target must not change with that target's own gains."""
    rng = np.random.default_rng(0)
    rows = {name: rng.normal(size=6) for name in CANDIDATES}
    evidence = table(rows)
    others = {name: row.copy() for name, row in rows.items()}
    for row in others.values():
        row[2] *= -50
    hidden = evidence.gains.copy()
    hidden[:, 2] = np.nan
    changed = table(others).gains.copy()
    changed[:, 2] = np.nan
    assert np.array_equal(hidden, changed, equal_nan=True)
    trial = try_out(evidence)
    assert trial.targets == tuple(f"t{n}" for n in range(6))
    assert trial.candidates == 3


def test_the_trial_of_random_choice_none_and_squad_by_hand():
    rows = {
        "qa": [3.0, -2.0, 1.0, 0.0],
        "nli": [1.0, -1.0, 5.0, -4.0],
        "ner": [-1.0, -3.0, 2.0, -2.0],
    }
    trial = try_out(table(rows))
    said = {row.method: row for row in trial.outcomes}
    best = [3.0, 0.0, 5.0, 0.0]
    none = mean(best)
    assert said["none"].regret_at_1 == pytest.approx(none)
    assert said["none"].regret_at_3 == pytest.approx(none)
    assert said["none"].rank_correlation is None
    squad = mean(b - g for b, g in zip(best, rows["qa"], strict=True))
    assert said["always SQuAD"].regret_at_1 == pytest.approx(squad)
    means = [mean(rows[name][n] for name in rows) for n in range(4)]
    guess = mean(b - m for b, m in zip(best, means, strict=True))
    assert said["at random"].regret_at_1 == pytest.approx(guess, abs=0.3)
    tops = [max(rows[name][n] for name in rows) for n in range(4)]
    three = mean(b - t for b, t in zip(best, tops, strict=True))
    assert said["at random"].regret_at_3 == pytest.approx(three)
    regrets = [b - g for b, g in zip(best, rows["qa"], strict=True)]
    half = stats.t.ppf(0.975, 3) * np.std(regrets, ddof=1) / 2
    assert said["always SQuAD"].regret_at_1_high == pytest.approx(squad + half, rel=1e-3)
    nli_or_ner = mean((rows["nli"][n] + rows["ner"][n]) / 2 for n in range(4))  # both have 600
    want = mean(best) - nli_or_ner
    assert said["largest data set"].regret_at_1 == pytest.approx(want, abs=0.3)


def test_advice_beats_chance_where_there_is_something_to_learn():
    rng, ours, chance = np.random.default_rng(5), [], []
    for _ in range(20):
        effect = rng.normal(0, 3, (3, 1))
        gains = effect + rng.normal(0, 2, (1, 7)) + rng.normal(0, 1, (3, 7))
        rows = dict(zip(CANDIDATES, gains, strict=True))
        said = {row.method: row for row in try_out(table(rows, error=0.5)).outcomes}
        ours.append(said["midway recommend"].regret_at_1)
        chance.append(said["at random"].regret_at_1)
    assert mean(ours) < 0.6 * mean(chance)


def test_too_few_targets_are_no_trial():
    assert try_out(table({name: [1.0, 2.0, 3.0] for name in CANDIDATES})) is None
    assert try_out(table({"qa": [1.0, 2.0, 3.0, 4.0]})) is None


def test_rank_correlation_is_scipys():
    rng = np.random.default_rng(0)
    for _ in range(10):
        one, two = rng.integers(0, 5, 8).astype(float), rng.normal(size=8)
        assert spearman(one, two) == pytest.approx(stats.spearmanr(one, two).statistic)
    assert np.isnan(spearman(np.zeros(4), np.arange(4.0)))


def test_gains_of_several_studies_are_weighed_by_precision():
    found = merged([{("qa", "t"): (2.0, 1.0)}, {("qa", "t"): (5.0, 0.5), ("nli", "t"): (1.0, 0.2)}])
    assert found["qa", "t"] == pytest.approx((4.4, 1 / np.sqrt(5)))
    assert found["nli", "t"] == pytest.approx((1.0, 0.2))


def test_a_target_of_another_study_teaches_about_its_intermediates():
    cells = {(name, f"elsewhere{n}"): (gain, 0.3) for n in range(3)
             for name, gain in (("qa", 4.0 + n / 4), ("nli", -2.0), ("stranger", 9.0))}  # fmt: skip
    evidence = gather(CANDIDATES, {"t0": target(NLI)}, {}, cells)
    said = recommend(evidence, "t0")
    assert evidence.targets == ("t0", "elsewhere0", "elsewhere1", "elsewhere2")
    assert said.recommendations[0].intermediate == "qa"
    assert said.use == "qa"


def test_nothing_to_choose_from():
    with pytest.raises(StudyError, match="at least one of each"):
        gather({}, {"t0": QA}, {}, {})
