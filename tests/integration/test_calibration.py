"""What a study costs on this machine: measured, forecast, compared."""

import json
import re
from dataclasses import replace

import pytest
import tiny_study
from tiny_study import midway

from midway.store.local import Store
from midway.store.manifest import Code
from midway.studies import costs
from midway.studies.forecast import recall
from midway.studies.session import open_session


@pytest.fixture(scope="module")
def place(folder):
    study = folder / "calibrated.toml"
    study.write_text(tiny_study.STUDY.format(seeds="1", epochs=4), encoding="utf-8")
    return study, ("--store", folder / "calibrated", "--data", folder / "data")


def totals(capfd, study, where, *more):
    return json.loads(midway(capfd, "plan", study, *where, "--json", *more).out)["totals"]


def test_a_machine_is_measured_as_often_as_conditions_differ(folder, place, capfd):
    study, where = place
    guessed = totals(capfd, study, where)
    assert not guessed["calibrated"]
    said = midway(capfd, "plan", study, *where, "--calibrate", "--workers", "2")
    assert re.search(r"on the clock with 2 workers, [\d a-z]+ of computing, and .* of disk$",
                     said.out.strip())  # fmt: skip
    assert "measuring" in said.err
    two = totals(capfd, study, where, "--workers", "2")
    assert (two["calibrated"], two["workers"]) == (True, 2)
    assert 0 < two["clock_seconds"] < two["seconds"]
    assert not totals(capfd, study, where)["calibrated"]  # of one worker nothing is known
    (kept,) = (folder / "calibrated" / "cache" / "rates").iterdir()
    rates = costs.Rates(**json.loads(kept.read_text(encoding="utf-8")))
    assert rates.start > 0.5  # loading torch takes longer
    assert {"train", "predict", "features", "examples", "score"} <= rates.kinds.keys()
    assert rates.of("train", {"steps": 100}) > rates.of("train", {}) > 0
    kept.write_text("{", encoding="utf-8")  # a cache may be lost
    assert not totals(capfd, study, where, "--workers", "2")["calibrated"]


def test_a_run_is_forecast_and_compared_and_teaches_the_next(folder, place, capfd):
    study, where = place
    said = midway(capfd, "run", study, *where, "--out", folder / "calibrated-out")
    assert said.code == 0
    assert re.search(r"expected: .* on the clock for \d+ stages, .*\(rough: nothing", said.err)
    assert re.search(r"took .* on the clock, expected .*; .* of computing, expected", said.err)
    report = (folder / "calibrated-out" / "report.html").read_text(encoding="utf-8")
    assert "On the clock the last run took" in report
    store = Store(folder / "calibrated")
    session = open_session(study, store, (folder / "data",))
    made = recall(session)
    assert made["runs"][-1]["took"] > 0
    levels = costs.rates_of(session, 1).levels
    assert levels["train span_qa"] != 1.0
    assert levels["train tagging"] != levels["predict tagging"]
    assert costs.rates_of(session, 2).levels == {}  # on half of the threads it was not measured
    assert "took" not in midway(capfd, "run", study, *where).err


def test_another_seed_on_data_that_are_counted_is_forecast_to_the_token(folder, place, capfd):
    first, where = place
    again = first.with_name("again.toml")
    again.write_text(tiny_study.STUDY.format(seeds="2", epochs=4), encoding="utf-8")
    planned = json.loads(midway(capfd, "plan", again, *where, "--json").out)["stages"]
    tokens = {
        stage["name"].replace("seed 2", "seed 1"): stage["estimate"]["tokens"]
        for stage in planned
        if stage["stage"] in ("train", "predict")
    }
    store = Store(folder / "calibrated")
    known = [*store.records("train"), *store.records("predict")]
    counted = {record.label: record.facts["tokens"] for record in known}
    assert tokens == {label: pytest.approx(number) for label, number in counted.items()}


def test_stages_of_other_source_or_on_another_device_teach_nothing(folder, place, monkeypatch):
    study, _ = place
    session = open_session(study, Store(folder / "calibrated"), (folder / "data",))
    assert costs.rates_of(session, 1).levels
    other = replace(session, runtime=replace(session.runtime, device="cuda"))
    assert costs.rates_of(other, 1).levels == {}
    monkeypatch.setattr(costs, "code_of", lambda run: Code("of other source"))
    assert costs.rates_of(session, 1).levels == {}


def test_a_process_that_dies_does_not_end_the_run(folder, place, capfd, monkeypatch):
    study, where = place
    monkeypatch.setattr(costs, "_measure", print)  # says nothing through its pipe and ends
    said = midway(capfd, "plan", study, *where, "--calibrate")
    assert said.code == 0
    assert "ended with code 0; try fewer --workers; costs are a rough guess" in said.err
