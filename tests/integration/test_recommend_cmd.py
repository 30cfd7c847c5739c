"""``midway recommend`` on a study that was run, on one that was not, and on nonsense."""

import json

import pytest
import tiny_study


def told(capfd, project, *more):
    said = tiny_study.midway(capfd, "recommend", project.study, *project.options, *more, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_measured_gains_are_what_it_goes_by(tiny, capfd):
    document = told(capfd, tiny)
    results = json.loads((tiny.out / "summary.json").read_text(encoding="utf-8"))
    measured = {
        (row["intermediate"], row["target"]): (row["transfer"] or row["mean"])
        for row in results["gains"]
        if row["trained"]
    }
    assert {item["target"] for item in document["target"]} == {"tydiqa", "udpos"}
    for item in document["target"]:
        assert item["use"] in ("squad-en", "xquad-both", "none", "cannot tell")
        gains = [row["predicted_gain"] for row in item["recommendations"]]
        assert gains == sorted(gains, reverse=True)
        for row in item["recommendations"]:
            gain = measured[row["intermediate"], item["target"]]
            for ours, theirs in (("predicted_gain", "estimate"), ("low", "low"), ("high", "high")):
                about = 0.51 * (gain["high"] - gain["low"]) if ours != "predicted_gain" else 1e-3
                assert row[ours] == pytest.approx(gain[theirs], abs=about)
            assert row["evidence"] == [
                "measured",
                "features after training",
                "features before training",
            ]
    assert document["evaluation"] is None  # two targets are too few
    text = tiny_study.midway(capfd, "recommend", tiny.study, *tiny.options).out
    assert "measured here: " in text
    assert "takes four targets" in text


def test_one_target_and_some_languages(tiny, capfd):
    document = told(capfd, tiny, "--target", "udpos", "--languages", "fin")
    (item,) = document["target"]
    results = json.loads((tiny.out / "summary.json").read_text(encoding="utf-8"))
    gains = {
        row["intermediate"]: row["mean"]["estimate"]
        for row in results["languages"]
        if (row["target"], row["language"]) == ("udpos", "fi")
    }
    found = {row["intermediate"]: row["predicted_gain"] for row in item["recommendations"]}
    assert found == pytest.approx(gains, abs=1e-3)


def test_another_studys_results_count(tiny, capfd, tmp_path):
    def gain(target, value):
        interval = {"estimate": value, "low": value - 0.5, "high": value + 0.5}
        return {"intermediate": "squad-en", "target": target, "trained": True, "mean": interval,
                "transfer": None}  # fmt: skip

    other = tmp_path / "summary.json"
    other.write_text(json.dumps({"gains": [gain(f"task{n}", 7.0 + n) for n in range(3)]}))
    document = told(capfd, tiny, "--results", other)
    for item in document["target"]:
        row = next(r for r in item["recommendations"] if r["intermediate"] == "squad-en")
        assert any("on 4 other targets" in reason for reason in row["reasons"])
        assert "other targets" in row["evidence"]
    other.write_text("[]")
    said = tiny_study.midway(capfd, "recommend", tiny.study, *tiny.options, "--results", other)
    assert said.code == 2
    assert "expected the summary.json of a study" in said.err


def test_before_any_training_there_are_ranks_only(fresh, capfd):
    document = told(capfd, fresh)
    for item in document["target"]:
        assert item["use"] == "cannot tell"
        assert [row["rank"] for row in item["recommendations"]] == [1, 2]
        assert {row["predicted_gain"] for row in item["recommendations"]} == {None}
        assert item["recommendations"][0]["evidence"] == ["features before training"]
    stages = {name for name, _ in tiny_study.outputs(fresh.store)}
    assert stages == {"encoder", "examples", "features", "probe"}  # nothing was trained
    again = tiny_study.midway(capfd, "recommend", fresh.study, *fresh.options)
    assert "nothing to compute" in again.err or "0 stages" in again.err or not again.err


def test_a_target_that_is_not_there(tiny, capfd):
    said = tiny_study.midway(capfd, "recommend", tiny.study, *tiny.options, "--target", "tydiq")
    assert said.code == 2
    assert "no trained target 'tydiq'. Did you mean 'tydiqa'? It has tydiqa, udpos" in said.err
    assert "describe" not in said.err  # nothing is computed before that is known
    assert not said.out


def test_a_language_that_nobody_knows(tiny, capfd):
    said = tiny_study.midway(
        capfd, "recommend", tiny.study, *tiny.options, "--languages", "sw,swahilii"
    )
    assert said.code == 2
    assert "'swahilii'" in said.err
    assert "describe" not in said.err


def test_a_study_without_intermediates(fresh, capfd):
    text = fresh.study.read_text(encoding="utf-8")
    begin, end = text.index("[[intermediate]]"), text.index("[[target]]")
    fresh.study.write_text(text[:begin] + text[end : text.index("[compare]")], encoding="utf-8")
    said = tiny_study.midway(capfd, "recommend", fresh.study, *fresh.options)
    assert said.code == 2
    assert "at least one of each" in said.err


def test_scores_with_leaks_are_no_target(fresh, capfd):
    text = fresh.study.read_text(encoding="utf-8")
    fresh.study.write_text(text.replace("[compare]", '[compare]\nleaks = "drop"'), "utf-8")
    document = told(capfd, fresh)
    assert [item["target"] for item in document["target"]] == ["tydiqa", "udpos"]
