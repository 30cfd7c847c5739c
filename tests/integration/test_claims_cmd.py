"""``midway claims STUDY`` on a study that was really run, and on one with nothing computed."""

import json

import pytest
import tiny_study

from midway.claims.judgement import CONTRADICTED, NOT_SUPPORTED, NOT_TESTED, SUPPORTED


def test_a_study_is_evidence_beside_the_published_scores(tiny, capfd):
    said = tiny_study.midway(capfd, "claims", tiny.study, *tiny.options, "--json")
    assert said.code == 0, said.err
    document = json.loads(said.out)
    results = json.loads((tiny.out / "summary.json").read_text(encoding="utf-8"))
    claims = {claim["id"]: claim for claim in document["claims"]}
    assert len(claims) == 10
    squad = claims["large-single-gains"]
    (average,) = (
        row["mean"]
        for row in results["averages"]
        if row["intermediate"] == "squad-en" and not row["with_untrained"]
    )
    for ours, theirs in (("effect", "estimate"), ("low", "low"), ("high", "high")):
        assert squad["study"][ours] == pytest.approx(average[theirs], abs=1e-4)
    assert squad["study"]["verdict"] in {SUPPORTED, NOT_SUPPORTED, CONTRADICTED}
    assert squad["verdict"] == squad["study"]["verdict"]
    assert squad["confidence"] == squad["study"]["confidence"]
    assert "seed" in squad["study"]["sample"]
    scope = claims["xtreme-scope"]
    assert scope["study"]["verdict"] == NOT_TESTED
    assert scope["verdict"] == scope["published"]["verdict"]
    text = tiny_study.midway(capfd, "claims", tiny.study, *tiny.options)
    assert "this study: " in text.out


def test_a_study_with_nothing_computed_is_refused(fresh, capfd):
    said = tiny_study.midway(capfd, "claims", fresh.study, *fresh.options)
    assert said.code == 2
    assert "run: midway run " in said.err
    assert not said.out
