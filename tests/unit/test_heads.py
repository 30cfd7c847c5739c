import pytest
import torch
from tiny import config, shake
from transformers import (
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    XLMRobertaForSequenceClassification,
)

from midway.encoders.heads import load_head, make_head, save_heads


def test_initial_weights_follow_the_seed_alone():
    torch.manual_seed(5)
    first = make_head("token", 32, 7, dropout=0.1, seed=3).module.out
    torch.manual_seed(6)
    again = make_head("token", 32, 7, dropout=0.5, seed=3).module.out
    other = make_head("token", 32, 7, dropout=0.1, seed=4).module.out
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)
    assert not first.bias.any()


@pytest.mark.parametrize("kind", ["token", "sequence", "pooler"])
def test_initial_weights_are_spread_as_in_transformers(kind):
    module = make_head(kind, 384, 500, dropout=0.0, seed=0).module
    for name in {"dense", "out"} & set(dict(module.named_children())):
        weight = module.get_submodule(name).weight.detach()
        assert float(weight.mean()) == pytest.approx(0, abs=2e-4)
        assert float(weight.std()) == pytest.approx(config("bert").initializer_range, rel=0.01)


def test_equals_the_token_classifier_of_transformers():
    torch.manual_seed(0)
    model = BertForTokenClassification(config("bert", num_labels=5)).eval()
    head = make_head("token", 32, 5, dropout=0.1, seed=0).module.eval()
    head.out.load_state_dict(model.classifier.state_dict())
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        assert torch.equal(head(model.bert(ids).last_hidden_state), model(ids).logits)


@pytest.mark.parametrize("kind", ["bert", "xlm-r"])
def test_equals_the_sequence_classifier_of_transformers(kind):
    """Both architectures compute dense, tanh, linear on the first token."""
    torch.manual_seed(0)
    bert = kind == "bert"
    classes = BertForSequenceClassification if bert else XLMRobertaForSequenceClassification
    model = classes(config(kind, num_labels=3)).eval()
    dense, out = (
        (model.bert.pooler.dense, model.classifier)
        if bert
        else (model.classifier.dense, model.classifier.out_proj)
    )
    head = make_head("sequence", 32, 3, dropout=0.1, seed=0).module.eval()
    head.dense.load_state_dict(dense.state_dict())
    head.out.load_state_dict(out.state_dict())
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        first = model.base_model(ids).last_hidden_state[:, 0]
        torch.testing.assert_close(head(first), model(ids).logits, rtol=0, atol=1e-6)


def test_equals_the_masked_language_model_of_transformers():
    torch.manual_seed(0)
    model = shake(BertForMaskedLM(config("bert"))).eval()
    table = model.get_input_embeddings().weight
    head = make_head("mlm", 32, 0, dropout=0.0, seed=0, table=table).module
    transform = model.cls.predictions.transform
    head.dense.load_state_dict(transform.dense.state_dict())
    head.norm.load_state_dict(transform.LayerNorm.state_dict())
    with torch.no_grad():
        head.decoder.bias.copy_(torch.randn(len(table)))
        model.cls.predictions.bias.copy_(head.decoder.bias)
        ids = torch.arange(5, 25)[None]
        states = model.bert(ids).last_hidden_state
        torch.testing.assert_close(head(states), model(ids).logits, rtol=0, atol=1e-5)
    assert not any(parameter is table for parameter in head.parameters())


def test_vectors_of_the_pooler_have_the_scale_in_their_product():
    head = make_head("pooler", 32, 0, dropout=0.0, seed=0).module
    states = torch.randn(6, 32)
    with torch.no_grad():
        vectors = head(states)
        unit = torch.nn.functional.normalize(torch.tanh(head.dense(states)), dim=-1)
        torch.testing.assert_close(vectors @ vectors.T, 100.0 * unit @ unit.T)
        head.unit.scale.fill_(25.0)
        torch.testing.assert_close(head(states), 5.0 * unit)


def test_heads_come_back_from_disk_by_name(tmp_path):
    heads = {"0.xquad": make_head("token", 32, 2, dropout=0, seed=1)}
    heads["1.udpos"] = make_head("token", 32, 3, dropout=0.1, seed=2, labels=("A", "B", "é"))
    heads["2.xnli"] = make_head("sequence", 32, 3, dropout=0.1, seed=3, labels=("x", "y", "z"))
    heads["3.lareqa"] = make_head("pooler", 32, 0, dropout=0.1, seed=4)
    save_heads(heads, tmp_path)
    for name, head in heads.items():
        read = load_head(tmp_path, name)
        assert (read.kind, read.labels) == (head.kind, head.labels)
        states = torch.randn(4, 32)
        assert torch.equal(read.module.eval()(states), head.module.eval()(states))
