"""`midway export --what model` and `--what card` on the tiny study, end to end."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from huggingface_hub import ModelCard
from tiny_study import midway, write_study

from midway.encoders.heads import load_head, make_head, read_head
from midway.encoders.load import load_encoder
from midway.encoders.packing import pack
from midway.families import retrieval
from midway.families.features import make_batch, read_features
from midway.store.local import Store
from midway.studies import model_export
from midway.studies.model_card import model_card
from midway.studies.model_export import find_model
from midway.studies.session import Session, open_session

torch.set_num_threads(1)  # as the study was computed; the models are too small to share

CHAIN = """
[[intermediate]]
name = "mlm-after-squad"
after = "squad-en"
mix = [{ task = "mlm", text = "xquad", languages = ["ro"] }, { task = "udpos", languages = ["en"] }]

[[target]]
task = "tydiqa"
"""


def export(place, capfd, *more, code=0):
    said = midway(capfd, "export", place.study, *place.options, *more)
    assert said.code == code, said.err
    return said


def opened(place):
    return open_session(place.study, Store(place.store), (place.data,))


def ours(session, model, features, rows=20):
    """States of some rows of a feature table, packed, as prediction computes them."""
    path, features = session.store.path, read_features(session.store.path(features))
    delta = None if model.trained is None else path(model.trained)
    encoder = load_encoder(path(model.encoder), delta, features.active)
    chosen = np.arange(min(rows, len(features.lengths)))
    batch = make_batch(features, chosen, encoder, torch.device("cpu"))
    encoder.model.eval()
    with torch.no_grad():
        states = encoder.hidden_states(batch.ids, batch.types, batch.packing, every_layer=True)
    return features, chosen, states


def theirs(auto, folder, features, rows):
    """Outputs of the exported model for each row alone, nothing missing or left over."""
    made, report = getattr(transformers, auto).from_pretrained(folder, output_loading_info=True)
    assert not any(report[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    made.eval()
    boundary = features.column("boundary", rows)
    for row in rows.tolist():
        ids = features.tokens[features.offsets[row] : features.offsets[row + 1]].astype(np.int64)
        types = (np.arange(len(ids)) >= boundary[row]).astype(np.int64)
        with torch.no_grad():
            yield (
                made,
                made(torch.from_numpy(ids)[None], token_type_ids=torch.from_numpy(types)[None]),
            )


def evaluated(model):
    return model.cells[0].score.inputs["predictions"].inputs["features"]


@pytest.mark.parametrize(
    ("target", "auto"),
    [("tydiqa", "AutoModelForQuestionAnswering"), ("udpos", "AutoModelForTokenClassification")],
)
def test_a_targets_model_is_trained_again_and_gives_our_logits(target, auto, tiny, capfd):
    session = opened(tiny)
    model = find_model(session, "squad-en", 1, target=target)
    assert not session.store.has(model.trained)
    out = tiny.folder / "model"
    said = export(
        tiny, capfd, "--what", "model", "--intermediate", "squad-en", "--target", target,
        "--out", out, "--json",
    )  # fmt: skip
    assert f"the weights of 'train {target} after squad-en · seed 1' are not kept" in said.err
    assert json.loads(said.out)["loads_as"] == auto
    features, rows, states = ours(session, model, evaluated(model))
    head = load_head(session.store.path(model.trained), model.head)
    logits, outputs = [], list(theirs(auto, out, features, rows))
    for _, output in outputs:
        two = (output.start_logits, output.end_logits) if target == "tydiqa" else (output.logits,)
        logits.append(torch.stack(two, -1)[0] if target == "tydiqa" else two[0][0])
    with torch.no_grad():
        want = head.module.eval()(states[-1])
    assert want.std() > 0.1
    assert (torch.cat(logits) - want).abs().max() < 1e-5
    if target == "udpos":
        assert tuple(outputs[0][0].config.id2label.values()) == head.labels
    card = (out / "README.md").read_text("utf-8")
    assert "trained again for this export, with the same bytes as before" in card
    # The next run puts everything back as it was.
    again = midway(capfd, "run", tiny.study, *tiny.run_options)
    assert "computed 0 of" in again.err
    assert not session.store.has(model.trained)


def test_other_bytes_than_before_are_in_the_card(tiny, capfd, monkeypatch):
    digests = iter(("before", "after"))
    monkeypatch.setattr(model_export, "outputs_digest", lambda _: next(digests))
    run = ("--what", "model", "--target", "tydiqa", "--out", tiny.folder / "model")
    export(tiny, capfd, *run)
    assert "not bit for bit those" in (tiny.folder / "model/README.md").read_text("utf-8")


def test_an_intermediate_is_exported_alone_or_with_its_head(tiny, capfd):
    run = ("--what", "model", "--intermediate", "xquad-both")
    export(tiny, capfd, *run, "--out", tiny.folder / "alone")
    export(tiny, capfd, *run, "--task", "xquad", "--out", tiny.folder / "head")
    session = opened(tiny)
    model = find_model(session, "xquad-both", 1, task="xquad")
    assert model.trained.label == "train xquad-both · seed 1"
    features, rows, states = ours(session, model, model.trained.inputs["features0"])
    found = [
        o.last_hidden_state[0]
        for _, o in theirs("AutoModel", tiny.folder / "alone", features, rows)
    ]
    assert (torch.cat(found) - states[-1]).abs().max() < 1e-5
    head = load_head(session.store.path(model.trained), "0.xquad").module.eval()
    auto = "AutoModelForQuestionAnswering"
    found = [o.end_logits[0] for _, o in theirs(auto, tiny.folder / "head", features, rows)]
    with torch.no_grad():
        assert (torch.cat(found) - head(states[-1])[:, 1]).abs().max() < 1e-5
    assert not (tiny.folder / "alone/modules.json").exists()


def test_a_masked_language_head_after_another_intermediate(fresh, capfd):
    """Its active pieces are the first of the delta's, which has those of both stages."""
    fresh.study.write_text(fresh.study.read_text("utf-8").split("[[target]]")[0] + CHAIN, "utf-8")
    out = fresh.folder / "model"
    run = ("--what", "model", "--intermediate", "mlm-after-squad", "--task", "mlm", "--out", out)
    said = export(fresh, capfd, *run)
    assert "are not there yet; training them now" in said.err
    session = opened(fresh)
    model = find_model(session, "mlm-after-squad", 1, task="mlm")
    assert [stage.label for stage in model.training] == [
        "train squad-en · seed 1",
        "train mlm-after-squad · seed 1",
    ]
    parts = [
        read_features(session.store.path(model.trained.inputs[f"features{i}"])) for i in (0, 1)
    ]
    active = np.union1d(parts[0].active, parts[1].active)
    delta = session.store.path(model.trained)
    facts, state = read_head(delta, "0.mlm")
    encoder = load_encoder(session.store.path(model.encoder), delta, active)
    table = encoder.model.get_input_embeddings().weight
    head = make_head(facts["kind"], 32, 0, dropout=0.0, seed=0, table=table, eps=facts["eps"])
    head.module.load_state_dict(state)
    features, rows, states = ours(session, model, model.trained.inputs["features0"])
    with torch.no_grad():
        want = head.module.eval()(states[-1])
    found = [o.logits[0] for _, o in theirs("AutoModelForMaskedLM", out, features, rows)]
    assert (torch.cat(found)[:, active] - want).abs().max() < 1e-5
    assert len(active) < len(transformers.AutoTokenizer.from_pretrained(out))
    card = (out / "README.md").read_text("utf-8")
    assert f"{len(active):,} pieces" in card
    assert "| mlm on xquad | " in card
    assert "Nothing has been scored yet" in card


@pytest.mark.parametrize("layers", ["all", [1, 2], [2, 1]])
def test_a_retrieval_encoder_embeds_as_we_do(layers, fresh, capfd):
    sentences = pytest.importorskip("sentence_transformers")
    change = [('layers = "all"', f"layers = {json.dumps(layers)}")]
    write_study(fresh.study, change=change)
    out = fresh.folder / "model"
    export(fresh, capfd, "--what", "model", "--target", "tatoeba", "--out", out)
    model = sentences.SentenceTransformer(str(out), device="cpu")
    texts = (fresh.data / "tatoeba/v1/tatoeba.swh-eng.swh").read_text("utf-8").splitlines()
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    rows = [tokenizer(text)["input_ids"] for text in texts]
    session = opened(fresh)
    found = find_model(session, "none", 1, target="tatoeba")
    encoder = load_encoder(session.store.path(found.encoder), None, np.unique(np.concatenate(rows)))
    packing = pack([len(row) for row in rows])
    ids = torch.from_numpy(encoder.renumber(np.concatenate(rows)))
    encoder.model.eval()
    with torch.no_grad():
        states = encoder.hidden_states(ids, None, packing, every_layer=True)
    want = retrieval.pool(states[1 if layers == [2, 1] else 2], packing.offsets)
    got = model.encode(texts, convert_to_tensor=True)
    assert (want * got).sum(-1).min() > 0.99999
    assert (want - got).abs().max() < 1e-5


def test_the_card_says_what_was_measured(tiny, capfd, monkeypatch):
    out = tiny.folder / "card"
    export(
        tiny, capfd, "--what", "card", "--intermediate", "xquad-both", "--target", "tydiqa",
        "--out", out,
    )  # fmt: skip
    assert [path.name for path in out.iterdir()] == ["README.md"]
    text = (out / "README.md").read_text("utf-8")
    data = ModelCard(text).data.to_dict()
    assert data["language"] == ["en", "fi", "ro", "sw"]
    assert data["license"] == "other"  # TyDiQA's text has another licence, the encoder's is unknown
    assert data["pipeline_tag"] == "question-answering"
    assert "base_model" not in data  # a folder
    assert str(tiny.folder) not in text
    results = json.loads(
        midway(capfd, "results", tiny.study, *tiny.options, "--format", "json").out
    )
    mine = {
        (row["language"], row["profile"], row["metric"]): row["value"]
        for row in results
        if (row["intermediate"], row["target"]) == ("xquad-both", "tydiqa")
    }
    (heads,) = [line for line in text.splitlines() if line.startswith("| language |")]
    names = [tuple(name.replace("\\", "").split()) for name in heads.strip("| ").split(" | ")[2:]]
    compared = 0
    for line in text.splitlines():
        cells = line.strip("| ").split(" | ")
        for name, value in zip(names, cells[2:], strict=False):
            if (cells[0], *name) in mine:
                assert float(value) == pytest.approx(mine[cells[0], *name], abs=0.005)
                compared += 1
    assert compared == len(mine) == 18
    f1 = [mine[code, "official", "f1"] for code in ("fi", "sw")]
    assert "| mean of 2 without English | 24 | " in text
    assert f" {sum(f1) / 2:.2f} |" in text
    assert " | en 12 · ro 12 | " in text
    assert "seed 1" in text
    assert "of 36 examples of tydiqa is in what target tydiqa trains on" in text
    assert "Collapsed" not in text


def test_what_was_selected_on_is_in_the_card(fresh, capfd):
    chosen = 'name = "squad-en"\nselect = { rule = "best", patience = 2 }'
    write_study(fresh.study, change=[('name = "squad-en"', chosen)])
    out = fresh.folder / "card"
    export(fresh, capfd, "--what", "card", "--intermediate", "squad-en", "--out", out)
    text = (out / "README.md").read_text("utf-8")
    assert "Validated on: squad validation (en)." in text
    assert "selection rule best" in text
    assert "selection patience 2" in text


@pytest.mark.parametrize(
    ("second", "kept"),
    [("", "- This is the attempt with seed 77.\n"), ("again", "seed 77, collapsed.\n")],
)
def test_a_collapse_is_in_the_card(second, kept, tiny, monkeypatch):
    record = Session.record

    def collapsed(session, stage):
        found = record(session, stage)
        first = {"seed": 1, "steps": 9, "collapse": "all *alike*"}
        attempts = [first, {"seed": 77, "steps": 9, "collapse": second}]
        return replace(found, facts={**found.facts, "attempts": attempts})

    monkeypatch.setattr(Session, "record", collapsed)
    session = opened(tiny)
    text = model_card(session, find_model(session, "squad-en", 1))
    assert text.count("Collapsed with seed 1: all \\*alike\\*.") == 1
    assert ("Collapsed with seed 77: again." in text) == bool(second)
    assert kept in text


def test_a_card_is_refreshed_but_never_anothers(tiny, capfd):
    out = tiny.folder / "model"
    run = ("--intermediate", "squad-en", "--out", out)
    export(tiny, capfd, "--what", "model", *run)
    card = (out / "README.md").read_text("utf-8")
    assert "pooler_output" in card
    (out / "README.md").unlink()
    export(tiny, capfd, "--what", "card", *run)
    assert (out / "README.md").read_text("utf-8") == card
    said = export(tiny, capfd, "--what", "card", *run, "--task", "squad", code=2)
    assert "another model's card" in said.err
    other = tiny.folder / "mine"
    other.mkdir()
    (other / "README.md").write_text("# Mine\n", encoding="utf-8")
    export(tiny, capfd, "--what", "card", "--out", other, code=2)
    assert (other / "README.md").read_text("utf-8") == "# Mine\n"


def test_an_export_replaces_an_earlier_one_and_nothing_else(tiny, capfd):
    out = tiny.folder / "model"
    export(tiny, capfd, "--what", "model", "--target", "tatoeba", "--out", out)
    assert (out / "1_Pooling/config.json").is_file()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    export(tiny, capfd, "--what", "model", "--out", out)
    assert not (out / "1_Pooling/config.json").exists()
    assert (out / "config.json").is_file()
    assert (out / "notes.txt").read_text("utf-8") == "mine"
    said = export(tiny, capfd, "--what", "model", "--out", tiny.data, code=2)
    assert "not from an earlier export" in said.err
    assert [path.name for path in tiny.folder.iterdir() if path.name.startswith(".")] == []
    (out / model_export.MARK).write_text("{", encoding="utf-8")
    assert "damaged" in export(tiny, capfd, "--what", "model", "--out", out, code=2).err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--intermediate", "squad-em"), "Did you mean 'squad-en'?"),
        (("--seed", "9"), "no seed 9; there are: 1"),
        (("--target", "tydi"), "Did you mean 'tydiqa'?"),
        (("--intermediate", "squad-en", "--task", "udpos"), "It has heads for: squad"),
        (("--task", "squad"), "It has heads for: nothing"),
        (("--target", "udpos", "--task", "squad"), "a target has its own"),
    ],
)
def test_what_does_not_exist_is_one_line(tiny, capfd, options, message):
    said = export(tiny, capfd, "--what", "model", *options, code=2)
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1
