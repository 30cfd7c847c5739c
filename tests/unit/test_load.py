import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import (
    MODELS,
    PIECES,
    artefact,
    bert_tokenizer,
    config,
    hub_folder,
    padded,
    sequences,
    shake,
    tiny_model,
    xlmr_tokenizer,
)
from tokenizers import Tokenizer
from transformers import BertForQuestionAnswering, XLMRobertaForMaskedLM

from midway.encoders.convert import from_folder, import_encoder
from midway.encoders.load import load_encoder, save_delta
from midway.encoders.packing import pack
from midway.encoders.source import folder_files, identify
from midway.errors import EncoderError

LENGTHS = (3, 6, 6, 12)


def states(encoder, rows, types=None, *, every_layer=False):
    ids = torch.from_numpy(encoder.renumber(np.concatenate(rows)))
    return encoder.hidden_states(
        ids, types, pack([len(row) for row in rows]), every_layer=every_layer
    )


def reference(model, rows, **extra):
    ids, mask = padded(rows, model.config.pad_token_id)
    out = model(input_ids=ids, attention_mask=mask, output_hidden_states=True, **extra)
    return [layer[mask.bool()] for layer in out.hidden_states]


@pytest.mark.parametrize("kind", MODELS)
def test_active_vocabulary_gives_the_full_models_states(kind, tmp_path):
    model = tiny_model(kind)
    folder = artefact(model, tmp_path)
    rows = sequences(LENGTHS)
    active = np.unique(np.concatenate(rows)).astype(np.int64)
    encoder = load_encoder(folder, None, active)
    encoder.model.eval()
    assert set(active) <= set(encoder.active.tolist())
    assert len(encoder.active) < 60
    assert encoder.model.get_input_embeddings().num_embeddings == len(encoder.active)
    want = reference(model, rows)
    got = states(encoder, rows, every_layer=True)
    for theirs, ours in zip(want, got, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    last = states(encoder, rows)
    assert len(last) == 1
    torch.testing.assert_close(last[0], want[-1], rtol=0, atol=1e-5)


def test_a_high_padding_id_does_not_enlarge_the_active_vocabulary(tmp_path):
    """ModernBERT's is nearly its last piece."""
    model = tiny_model("modernbert", pad_token_id=PIECES - 3)
    rows = sequences(LENGTHS)
    encoder = load_encoder(artefact(model, tmp_path), None, np.unique(np.concatenate(rows)))
    encoder.model.eval()
    assert encoder.active.tolist() == sorted({int(i) for row in rows for i in row})
    torch.testing.assert_close(
        states(encoder, rows)[-1], reference(model, rows)[-1], rtol=0, atol=1e-5
    )


def test_token_types_reach_the_model(tmp_path):
    model = tiny_model("bert")
    rows = sequences(LENGTHS)
    encoder = load_encoder(artefact(model, tmp_path), None, np.arange(PIECES))
    encoder.model.eval()
    kinds = [(np.arange(len(row)) >= 2).astype(np.int64) for row in rows]
    want = reference(model, rows, token_type_ids=padded(kinds)[0])
    got = states(encoder, rows, torch.from_numpy(np.concatenate(kinds)))
    torch.testing.assert_close(got[-1], want[-1], rtol=0, atol=1e-5)


def test_dropout_is_set_as_asked(tmp_path):
    model = tiny_model("bert", hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.2)
    folder = artefact(model, tmp_path)

    def rates(**arguments):
        built = load_encoder(folder, None, np.arange(9), **arguments).model.config
        return built.hidden_dropout_prob, built.attention_probs_dropout_prob

    assert rates() == (0.1, 0.0)
    assert rates(dropout=0.3, attention_dropout=0.4) == (0.3, 0.4)


def change(encoder, seed):
    """Stand in for training: move every weight, also the active rows."""
    shake(encoder.model, seed, 0.05)


def test_deltas_over_two_generations_equal_dense_arithmetic(tmp_path):
    model = tiny_model("bert")
    folder = artefact(model, tmp_path)
    dense = load_file(folder / "encoder.safetensors")
    table = "embeddings.word_embeddings.weight"
    parent = None
    for generation, (active, factor) in enumerate(
        [(np.array([3, 7, 50, 90]), 0.9), (np.array([7, 8, 119]), 0.8)]
    ):
        encoder = load_encoder(folder, parent, active)
        held = torch.from_numpy(encoder.active)
        torch.testing.assert_close(
            encoder.model.get_input_embeddings().weight, dense[table][held], rtol=0, atol=1e-6
        )
        change(encoder, generation)
        out = tmp_path / f"delta{generation}"
        out.mkdir()
        save_delta(encoder, parent, factor, out)
        state = encoder.model.state_dict()
        rows = dense[table] * factor
        rows[held] = state[table]
        dense = dict(state) | {table: rows}
        parent = out
    everything = load_encoder(folder, parent, np.arange(PIECES))
    for name, tensor in everything.model.state_dict().items():
        torch.testing.assert_close(tensor, dense[name], rtol=0, atol=1e-6)
    some = load_encoder(folder, parent, np.array([50, 60, 119]))
    torch.testing.assert_close(
        some.model.get_input_embeddings().weight,
        dense[table][torch.from_numpy(some.active)],
        rtol=0,
        atol=1e-6,
    )


def test_import_of_a_bert_folder_with_a_head(tmp_path):
    torch.manual_seed(0)
    model = BertForQuestionAnswering(config("bert"))
    hub = hub_folder(model, bert_tokenizer(), tmp_path / "hub")
    out = tmp_path / "out"
    out.mkdir()
    facts = import_encoder(str(hub), identify(str(hub), lambda path: path.name), out)
    assert (facts["architecture"], facts["layers"], facts["hidden"]) == ("bert", 2, 32)
    assert facts["parameters"] == sum(p.numel() for p in model.bert.parameters())
    saved = load_file(out / "encoder.safetensors")
    assert saved.keys() == model.bert.state_dict().keys()
    assert all(torch.equal(saved[name], t) for name, t in model.bert.state_dict().items())
    assert json.loads((out / "encoder.json").read_text("utf-8"))["hidden"] == 32
    text = "Der Fluss fließt durch Москва"
    kept = Tokenizer.from_file(str(out / "tokenizer.json"))
    assert kept.encode(text, text).ids == bert_tokenizer().encode(text, text).ids


def test_an_imported_encoder_does_not_depend_on_where_it_lay(tmp_path):
    torch.manual_seed(0)
    made = hub_folder(BertForQuestionAnswering(config("bert")), bert_tokenizer(), tmp_path / "a")
    shutil.copytree(made, tmp_path / "b")
    for name in "ab":
        (tmp_path / f"out-{name}").mkdir()
        from_folder(tmp_path / name, tmp_path / f"out-{name}")
    files = [sorted((tmp_path / f"out-{name}").iterdir()) for name in "ab"]
    assert len(files[0]) >= 3
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_import_strips_the_prefix_of_a_masked_language_model(tmp_path):
    torch.manual_seed(0)
    model = shake(XLMRobertaForMaskedLM(config("xlm-r"))).eval()
    hub = hub_folder(model, xlmr_tokenizer(), tmp_path / "hub")
    assert any(name.startswith("roberta.") for name in load_file(hub / "model.safetensors"))
    out = tmp_path / "out"
    out.mkdir()
    from_folder(hub, out)
    rows = sequences(LENGTHS)
    encoder = load_encoder(out, None, np.unique(np.concatenate(rows)))
    encoder.model.eval()
    assert encoder.first_position == 2
    want = reference(model.roberta, rows)[-1]
    torch.testing.assert_close(states(encoder, rows)[-1], want, rtol=0, atol=1e-5)


def test_a_folder_without_safetensors_is_refused(tmp_path):
    hub = hub_folder(tiny_model("bert"), bert_tokenizer(), tmp_path / "hub")
    (hub / "model.safetensors").rename(hub / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"expected config\.json, \*\.safetensors"):
        identify(str(hub), lambda path: path.name)
    with pytest.raises(EncoderError, match="cannot be loaded as an encoder"):
        from_folder(hub, tmp_path)


def test_missing_weights_are_refused(tmp_path):
    hub = hub_folder(tiny_model("bert"), bert_tokenizer(), tmp_path / "hub")
    tensors = load_file(hub / "model.safetensors")
    lost = "encoder.layer.1.output.dense.weight"
    del tensors[lost]
    save_file(tensors, hub / "model.safetensors", {"format": "pt"})
    with pytest.raises(EncoderError, match=f"lacks weights of the encoder itself: {lost}"):
        from_folder(hub, tmp_path)


@pytest.mark.parametrize("damage", ["cut", "no config", "no architecture"])
def test_damaged_folders_are_refused(damage, tmp_path):
    hub = hub_folder(tiny_model("bert"), bert_tokenizer(), tmp_path / "hub")
    weights = hub / "model.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "no config":
        (hub / "config.json").write_text("{", "utf-8")
    else:
        (hub / "config.json").write_text('{"model_type": "no-such-model"}', "utf-8")
    with pytest.raises(EncoderError, match="hub cannot be loaded"):
        from_folder(hub, tmp_path)


def test_a_folder_without_a_fast_tokenizer_is_refused(tmp_path):
    hub = hub_folder(tiny_model("bert"), bert_tokenizer(), tmp_path / "hub")
    for path in hub.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(EncoderError, match="token"):
        from_folder(hub, tmp_path)


def test_identity_is_the_files_not_the_path(tmp_path):
    hub = hub_folder(tiny_model("bert"), bert_tokenizer(), tmp_path / "hub")
    identity = identify(str(hub), lambda path: f"digest of {path.name}")
    assert (identity.source, identity.revision) == ("folder", "")
    assert identity.files["model.safetensors"] == "digest of model.safetensors"
    assert {"config.json", "tokenizer.json"} <= identity.files.keys()
    assert str(tmp_path) not in repr(identity)
    assert [path.name for path in folder_files(hub)] == sorted(identity.files)


def test_a_full_commit_needs_no_hub():
    commit = "0123456789abcdef" * 2 + "01234567"
    identity = identify(f"some/encoder@{commit}", lambda path: path.name)
    assert (identity.source, identity.revision) == ("hub:some/encoder", commit)


@pytest.mark.parametrize("name", ["offline:multilingual-e5-large", "./no/such/folder"])
def test_unknown_names_are_refused(name):
    with pytest.raises(EncoderError, match=r"unknown offline encoder|does not exist"):
        identify(name, lambda path: path.name)
