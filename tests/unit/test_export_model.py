"""What is exported computes what midway computes; transformers and sentence-transformers load it.

Tiny BERT and XLM-R encoders, all kinds of heads; the exported model runs padded, ours packed.
"""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import transformers
from tiny import TEXTS, artefact, bert_tokenizer, padded, shake, tiny_model, xlmr_tokenizer
from transformers import AutoTokenizer

from midway.encoders.export import Form, write_model
from midway.encoders.heads import make_head, save_heads
from midway.encoders.load import load_encoder, save_delta
from midway.encoders.packing import pack
from midway.errors import EncoderError
from midway.families import retrieval
from midway.families.sequence import first_tokens
from midway.families.tokens import boundary, load_tokenizer

TOKENIZERS = {"bert": bert_tokenizer, "xlm-r": xlmr_tokenizer}
ACTIVE = np.arange(3, 700, 2)
LABELS = ("I-LOC", "O", "B-PER/x", "ähnlich")
HEADS = {
    "AutoModelForSequenceClassification": ("sequence", LABELS),
    "AutoModelForTokenClassification": ("token", LABELS),
    "AutoModelForQuestionAnswering": ("token", ()),
    "AutoModelForMultipleChoice": ("sequence", ()),
    "AutoModelForMaskedLM": ("mlm", ()),
}
OUTPUTS = {"AutoModelForQuestionAnswering": 2, "AutoModelForMultipleChoice": 1}
PAIRS = [(a, b) for a, b in zip(list(TEXTS.values())[:6], list(TEXTS.values())[6:12], strict=True)]


def trained(kind, folder, head="token", labels=(), outputs=0, **changes):
    """An encoder that was trained on some pieces, and a head, all of whose weights matter."""
    encoder = artefact(tiny_model(kind, **changes), folder, TOKENIZERS[kind]())
    model = folder / "model"
    model.mkdir()
    changed = load_encoder(encoder, None, ACTIVE)
    shake(changed.model, seed=5)
    save_delta(changed, None, 0.5, model)
    table = changed.model.get_input_embeddings().weight
    eps = changes.get("layer_norm_eps", 1e-12)
    made = make_head(
        head,
        32,
        outputs or len(labels) or 4,
        dropout=0.0,
        seed=1,
        labels=labels,
        table=table,
        eps=eps,
    )
    shake(made.module, seed=6, scale=0.3)
    save_heads({"0.task": made}, model)
    return SimpleNamespace(encoder=encoder, model=model, head=made.module.eval(), folder=folder)


def rows_of(case, texts):
    tokenizer = load_tokenizer(case.encoder)
    encodings = [tokenizer.encode(*text) for text in texts]
    return [(np.array(e.ids), np.arange(len(e.ids)) >= boundary(e)) for e in encodings]


def states(case, rows):
    """Packed states of every layer."""
    active = np.unique(np.concatenate([ids for ids, _ in rows]))
    encoder = load_encoder(case.encoder, case.model, active)
    ids = torch.from_numpy(encoder.renumber(np.concatenate([ids for ids, _ in rows])))
    types = torch.from_numpy(np.concatenate([kinds for _, kinds in rows]).astype(np.int64))
    packing = pack([len(ids) for ids, _ in rows])
    encoder.model.eval()
    with torch.no_grad():
        return encoder.hidden_states(ids, types, packing, every_layer=True)


def load(auto, folder):
    """The exported model; nothing may be missing or left over."""
    made, report = getattr(transformers, auto).from_pretrained(folder, output_loading_info=True)
    assert not any(report[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    return made.eval()


def run_padded(model, rows, *, choices=False):
    ids, mask = padded([ids for ids, _ in rows], model.config.pad_token_id)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if model.config.type_vocab_size > 1:
        inputs["token_type_ids"] = padded([kinds for _, kinds in rows])[0]
    if choices:
        inputs = {name: value[None] for name, value in inputs.items()}
    with torch.no_grad():
        return model(**inputs), mask.bool()


def close(ours, theirs):
    assert ours.shape == theirs.shape
    assert ours.std() > 0.05  # they say something
    assert (ours - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("kind", ["bert", "xlm-r"])
@pytest.mark.parametrize("auto", HEADS)
def test_logits_are_ours(auto, kind, tmp_path):
    head, labels = HEADS[auto]
    case = trained(kind, tmp_path, head, labels, OUTPUTS.get(auto, 0))
    out = tmp_path / "out"
    remarks = write_model(case.encoder, case.model, Form(auto=auto, head="0.task"), out)
    model, rows = load(auto, out), rows_of(case, PAIRS)
    last = states(case, rows)[-1]
    choices = auto == "AutoModelForMultipleChoice"
    theirs, mask = run_padded(model, rows, choices=choices)
    lengths = [len(ids) for ids, _ in rows]
    assert remarks == () or auto == "AutoModelForMaskedLM"
    with torch.no_grad():
        if head == "sequence":
            ours = case.head(last[torch.from_numpy(first_tokens({}, lengths))])
            close(ours, theirs.logits[0][:, None] if choices else theirs.logits)
        elif auto == "AutoModelForQuestionAnswering":
            close(case.head(last), torch.stack([theirs.start_logits, theirs.end_logits], -1)[mask])
        elif head == "token":
            close(case.head(last), theirs.logits[mask])
    if labels:
        assert [model.config.id2label[i] for i in range(4)] == list(labels)
        assert model.config.label2id["ähnlich"] == 3
    if auto == "AutoModelForMaskedLM":
        check_decoder(case, model, rows, theirs.logits[mask], remarks)


def check_decoder(case, model, rows, logits, remarks):
    """Over the pieces that were trained, our logits; the bias of the others is 0."""
    active = load_encoder(case.encoder, case.model, ACTIVE)
    case.head.decoder._table[0] = active.model.get_input_embeddings().weight
    with torch.no_grad():
        close(case.head(states(case, rows)[-1]), logits[:, ACTIVE])
    others = np.setdiff1d(np.arange(model.config.vocab_size), ACTIVE)
    bias = model.get_output_embeddings().bias
    assert (bias[others] == 0).all()
    assert torch.equal(bias[ACTIVE], case.head.decoder.bias)
    assert f"{len(ACTIVE)} pieces" in remarks[0]


def test_the_decoder_uses_the_encoders_epsilon(tmp_path):
    """XLM-R's is 1e-5; a head trained with another one cannot be expressed."""
    case = trained("xlm-r", tmp_path, "mlm", layer_norm_eps=1e-5)
    form = Form(auto="AutoModelForMaskedLM", head="0.task")
    write_model(case.encoder, case.model, form, tmp_path / "out")
    rows = rows_of(case, PAIRS)
    model = load(form.auto, tmp_path / "out")
    logits, mask = run_padded(model, rows)
    check_decoder(case, model, rows, logits.logits[mask], [f"{len(ACTIVE)} pieces"])
    other = make_head("mlm", 32, 0, dropout=0.0, seed=1, table=torch.nn.Parameter(torch.ones(9, 3)))
    save_heads({"0.task": other}, case.model)
    with pytest.raises(EncoderError, match=r"epsilon 1e-12.* 1e-05"):
        write_model(case.encoder, case.model, form, tmp_path / "other")


def test_berts_decoder_with_another_activation_is_refused(tmp_path):
    case = trained("bert", tmp_path, "mlm", hidden_act="relu")
    with pytest.raises(EncoderError, match="relu"):
        write_model(
            case.encoder,
            case.model,
            Form(auto="AutoModelForMaskedLM", head="0.task"),
            tmp_path / "out",
        )


@pytest.mark.parametrize("kind", ["bert", "xlm-r"])
def test_the_tokenizer_is_the_encoders(kind, tmp_path):
    case = trained(kind, tmp_path)
    out = tmp_path / "out"
    write_model(case.encoder, case.model, Form(), out)
    tokenizer, ours = AutoTokenizer.from_pretrained(out), load_tokenizer(case.encoder)
    for a, b in PAIRS:
        assert tokenizer(a, b)["input_ids"] == ours.encode(a, b).ids
    batch = tokenizer([a for a, _ in PAIRS], padding=True, truncation=True, return_tensors="pt")
    model = load("AutoModel", out)
    with torch.no_grad():
        theirs = model(**batch).last_hidden_state[batch["attention_mask"].bool()]
    close(states(case, rows_of(case, [(a,) for a, _ in PAIRS]))[-1], theirs)
    assert tokenizer.pad_token_id == model.config.pad_token_id
    assert tokenizer.model_max_length == (130 if kind == "bert" else 128)
    assert json.loads((out / "tokenizer_config.json").read_text("utf-8"))["cls_token"]


def test_rows_that_were_never_trained_are_exported_decayed(tmp_path):
    case = trained("bert", tmp_path)
    write_model(case.encoder, case.model, Form(), tmp_path / "out")
    table = load("AutoModel", tmp_path / "out").get_input_embeddings().weight
    before = tiny_model("bert").get_input_embeddings().weight
    assert torch.equal(table[4], before[4] * 0.5)
    assert (table[5] - before[5] * 0.5).abs().max() > 0.01


def test_the_encoder_alone_has_a_new_pooler_and_says_so(tmp_path):
    case = trained("bert", tmp_path)
    for name in ("a", "b"):
        remarks = write_model(case.encoder, None, Form(), tmp_path / name)
    assert "untrained" in remarks[0]
    one, other = ((tmp_path / n / "model.safetensors").read_bytes() for n in "ab")
    assert one == other
    weights = load("AutoModel", tmp_path / "a").state_dict()
    base = tiny_model("bert").state_dict()
    assert {name for name in base if not torch.equal(base[name], weights[name])} == {
        "pooler.dense.weight",
        "pooler.dense.bias",
    }
    text = (tmp_path / "a/config.json").read_text("utf-8")
    assert str(tmp_path) not in text


@pytest.mark.parametrize("kind", ["bert", "xlm-r"])
@pytest.mark.parametrize("layer", [None, 1, 0])
def test_sentences_are_the_mean_of_the_layer_that_counts(kind, layer, tmp_path):
    sentences = pytest.importorskip("sentence_transformers")
    case = trained(kind, tmp_path)
    write_model(case.encoder, case.model, Form(layer=layer, max_length=60), tmp_path / "out")
    texts = [a for a, _ in PAIRS]
    rows = rows_of(case, [(text,) for text in texts])
    offsets = pack([len(ids) for ids, _ in rows]).offsets
    ours = retrieval.pool(states(case, rows)[-1 if layer is None else layer], offsets)
    model = sentences.SentenceTransformer(str(tmp_path / "out"), device="cpu")
    theirs = model.encode(texts, convert_to_tensor=True)
    assert ours.std() > 0.05
    assert (ours - theirs).abs().max() < 1e-5
    assert model.max_seq_length == 60
    load("AutoModel", tmp_path / "out")


@pytest.mark.parametrize("kind", ["bert", "xlm-r"])
def test_rankings_pooler_is_a_module_and_the_models_own(kind, tmp_path):
    sentences = pytest.importorskip("sentence_transformers")
    case = trained(kind, tmp_path, "pooler")
    form = Form(head="0.task", max_length=60)
    remarks = write_model(case.encoder, case.model, form, tmp_path / "out")
    texts = [a for a, _ in PAIRS]
    rows = rows_of(case, [(text,) for text in texts])
    starts = torch.from_numpy(first_tokens({}, [len(ids) for ids, _ in rows]))
    with torch.no_grad():
        ours = torch.nn.functional.normalize(case.head(states(case, rows)[-1][starts]), dim=-1)
    model = sentences.SentenceTransformer(str(tmp_path / "out"), device="cpu")
    assert (ours - model.encode(texts, convert_to_tensor=True)).abs().max() < 1e-5
    pooled = run_padded(load("AutoModel", tmp_path / "out"), rows)[0].pooler_output
    assert (ours - torch.nn.functional.normalize(pooled, dim=-1)).abs().max() < 1e-5
    assert len(remarks) == 1
    assert f"{case.head.unit.scale.item():.4g}" in remarks[0]


def test_other_architectures_are_refused(tmp_path):
    encoder = artefact(tiny_model("electra"), tmp_path)
    with pytest.raises(EncoderError, match="type electra cannot be exported"):
        write_model(encoder, None, Form(), tmp_path / "out")
