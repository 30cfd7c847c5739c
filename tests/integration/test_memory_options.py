"""How much is computed at once, and what layers keep: set for a run, told by its manifests."""

import json

from tiny_study import midway

from midway.graph.stage import Runtime
from midway.stages import train

TRAINING = ("--only", "train squad-en*")


def facts_of(store):
    (path,) = store.glob("artefacts/train/*/manifest.json")
    return json.loads(path.read_text(encoding="utf-8"))["facts"]


def test_option_and_environment_reach_training(fresh, capfd, monkeypatch):
    """The encoder has no dropout: neither changes the loss."""
    seen = []
    real = train.train

    def spy(encoder, entries, steps, recipe, runtime, **options):
        seen.append(runtime)
        return real(encoder, entries, steps, recipe, runtime, **options)

    monkeypatch.setattr(train, "train", spy)
    losses = []
    for place, (tokens, options) in enumerate(((70, ("--gradient-checkpointing",)), (None, ()))):
        if tokens:
            monkeypatch.setenv("MIDWAY_MICRO_BATCH_TOKENS", str(tokens))
        else:
            monkeypatch.delenv("MIDWAY_MICRO_BATCH_TOKENS")
        store = fresh.folder / f"store{place}"
        said = midway(
            capfd, "run", fresh.study, "--data", fresh.data, "--store", store, *TRAINING, *options
        )
        assert said.code == 0, said.err
        facts = facts_of(store)
        assert facts["micro_batch_tokens"] == (tokens or 4096)
        losses.append(facts["final_loss"])
    assert [runtime.gradient_checkpointing for runtime in seen] == [True, False]
    assert seen[1].micro_batch_tokens == Runtime().micro_batch_tokens
    assert losses[0] == losses[1]


def test_a_size_that_is_no_number_is_refused(fresh, capfd, monkeypatch):
    monkeypatch.setenv("MIDWAY_MICRO_BATCH_TOKENS", "-1")
    said = midway(capfd, "run", fresh.study, *fresh.run_options)
    assert said.code == 2
    last = said.err.splitlines()[-1]
    assert "MIDWAY_MICRO_BATCH_TOKENS is '-1'; expected a number of tokens" in last
