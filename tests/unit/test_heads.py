import pytest
import torch
from tiny import config
from transformers import BertForTokenClassification

from midway.encoders.heads import load_head, save_heads, token_head


def test_initial_weights_follow_the_seed_alone():
    torch.manual_seed(5)
    first = token_head(32, 7, dropout=0.1, seed=3)[-1]
    torch.manual_seed(6)
    again = token_head(32, 7, dropout=0.5, seed=3)[-1]
    other = token_head(32, 7, dropout=0.1, seed=4)[-1]
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)
    assert not first.bias.any()


def test_initial_weights_are_spread_as_in_transformers():
    weight = token_head(384, 500, dropout=0.0, seed=0)[-1].weight.detach()
    assert float(weight.mean()) == pytest.approx(0, abs=2e-4)
    assert float(weight.std()) == pytest.approx(config("bert").initializer_range, rel=0.01)


def test_equals_the_token_classifier_of_transformers():
    torch.manual_seed(0)
    model = BertForTokenClassification(config("bert", num_labels=5)).eval()
    head = token_head(32, 5, dropout=0.1, seed=0).eval()
    head[-1].load_state_dict(model.classifier.state_dict())
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        assert torch.equal(head(model.bert(ids).last_hidden_state), model(ids).logits)


def test_heads_come_back_from_disk_by_name(tmp_path):
    heads = {"0.xquad": token_head(32, 2, dropout=0, seed=1)}
    heads["1.udpos"] = token_head(32, 17, dropout=0.1, seed=2)
    save_heads(heads, tmp_path)
    for name, head in heads.items():
        read = load_head(tmp_path, name)
        assert torch.equal(read.weight, head[-1].weight)
        assert torch.equal(read.bias, head[-1].bias)
