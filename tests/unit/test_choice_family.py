import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import torch
from tiny import TEXTS, bert_tokenizer, config, padded, sequences, xlmr_tokenizer
from transformers import BertForMultipleChoice, PreTrainedTokenizerFast

from midway.families import FAMILIES, choice
from midway.families.features import Pieces
from midway.tasks import load_card
from midway.tasks.examples import ChoiceExample

TOKENIZERS = {"bert": bert_tokenizer, "xlm-r": xlmr_tokenizer}
CARD = dataclasses.replace(load_card("udpos"), family="choice", labels=())
BODIES = list(TEXTS.values())


def example(number):
    choices = tuple(BODIES[number - k][: 12 + k] for k in range(2 + number % 4))
    question = BODIES[number][:8] if number % 3 else ""
    context = BODIES[number] * (1 + number % 2) if number % 5 else ""
    label = number % len(choices)
    return ChoiceExample(f"c{number}", "en", "d", context, question, choices, label)


EXAMPLES = [example(number) for number in range(len(BODIES))]


def encode(kind="bert", max_length=24):
    return choice.encode(EXAMPLES, TOKENIZERS[kind](), CARD, max_length=max_length, stride=0)


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("max_length", [9, 24, 256])
def test_choices_are_what_transformers_makes_of_them(kind, max_length):
    whole = PreTrainedTokenizerFast(tokenizer_object=TOKENIZERS[kind]())
    rows = encode(kind, max_length).to_pylist()
    for number, one in enumerate(EXAMPLES):
        first = " ".join(filter(None, [one.context, one.question]))
        want = whole(
            [first] * len(one.choices),
            list(one.choices),
            truncation="longest_first",
            max_length=max_length,
            return_token_type_ids=True,
        )
        mine = [row for row in rows if row["example"] == number]
        assert [row["ids"] for row in mine] == want["input_ids"]
        for row, types in zip(mine, want["token_type_ids"], strict=True):
            assert [int(i >= row["boundary"]) for i in range(len(types))] == types
        assert [row["right"] for row in mine].index(1) == one.label
        assert sum(row["right"] for row in mine) == 1
    assert len({len(one.choices) for one in EXAMPLES}) == 4


def test_many_examples_are_encoded_in_chunks(monkeypatch):
    want = encode()
    monkeypatch.setattr(choice, "CHUNK", 3)
    assert encode().equals(want)


def test_an_item_is_all_choices_of_an_example():
    table = encode()
    items = choice.items(table)
    assert len(items) == len(EXAMPLES)
    for number, one in enumerate(EXAMPLES):
        rows = items.of(np.array([number]))
        assert table["example"].to_numpy()[rows].tolist() == [number] * len(one.choices)
    twice = items.of(np.array([2, 0, 2])).tolist()
    assert twice == [*range(5, 9), 0, 1, *range(5, 9)]
    assert FAMILIES["choice"].units(table, np.array([2, 0, 2]), items) == 3


@pytest.mark.parametrize("tokens", [1, 60, 200, 10_000])
def test_an_item_is_never_cut(tokens):
    table = encode(max_length=32)
    lengths = np.array([len(ids) for ids in table["ids"].to_pylist()])
    items = choice.items(table)
    chosen = np.random.default_rng(0).permutation(len(items))
    pieces = Pieces(items, lengths)
    parts = [rows for _, rows in pieces.cut(chosen, tokens)]
    numbers = table["example"].to_numpy()
    seen = []
    for rows in parts:
        assert lengths[rows].tolist() == sorted(lengths[rows])
        found, sizes = np.unique(numbers[rows], return_counts=True)
        assert sizes.tolist() == [len(EXAMPLES[number].choices) for number in found]
        assert len(found) == 1 or lengths[rows].sum() <= tokens
        seen += found.tolist()
    assert sorted(seen) == sorted(chosen.tolist())
    assert (len(parts) == 1) == (tokens == 10_000)
    assert pieces.tokens(chosen) == lengths.sum()


def test_loss_equals_transformers():
    torch.manual_seed(0)
    model = BertForMultipleChoice(config("bert", initializer_range=0.5)).eval()
    ids, mask = padded(sequences((9, 5, 12, 7, 7, 3)))
    labels = torch.tensor([2, 0])
    with torch.no_grad():
        out = model(ids.view(2, 3, -1), attention_mask=mask.view(2, 3, -1), labels=labels)
    assert float(out.loss) > 0.5
    logits = out.logits.reshape(6, 1)
    batch = {"example": np.array([7, 7, 7, 4, 4, 4], np.int32), "row": np.arange(6)}
    batch["right"] = np.array([0, 0, 1, 1, 0, 0], np.int32)
    for order in (np.arange(6), np.array([3, 0, 5, 2, 1, 4])):
        mixed = {name: values[order] for name, values in batch.items()}
        total = choice.loss(logits[torch.from_numpy(order)], mixed, ())
        assert float(total) / 2 == pytest.approx(float(out.loss), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_loss_and_gradient_are_those_of_a_softmax_over_each_example(seed):
    """Any number of choices, examples more than once, rows in any order, logits of any size."""
    random = np.random.default_rng(seed)
    items = choice.items(encode())
    table = encode().to_pylist()
    rows = random.permutation(items.of(random.integers(0, 6, 8)))
    values = torch.from_numpy(random.normal(0, 100, len(table)).astype(np.float32))
    values.requires_grad_()
    batch = {"row": rows}
    for name in ("example", "right"):
        batch[name] = np.array([table[row][name] for row in rows], np.int32)
    total = choice.loss(values[torch.from_numpy(rows)][:, None], batch, ())
    (gradient,) = torch.autograd.grad(total, values)
    naive, exact = torch.zeros((), dtype=torch.float64), values.double()
    for row in rows:
        if table[row]["right"]:
            same = [i for i, other in enumerate(table) if other["example"] == table[row]["example"]]
            naive = naive + torch.logsumexp(exact[same], 0) - exact[row]
    assert float(total.detach()) == pytest.approx(float(naive.detach()), rel=1e-5)
    want = torch.autograd.grad(naive, values)[0]
    torch.testing.assert_close(gradient, want, rtol=0, atol=1e-4)


def test_the_best_choice_is_found_per_example_and_the_first_of_equals():
    table = encode()
    scores = np.random.default_rng(0).normal(size=len(table)).astype(np.float32)
    found = choice.candidates(torch.from_numpy(scores)[:, None], {}, ())
    number = table["example"].to_numpy()
    want = [int(scores[number == i].argmax()) for i in range(len(EXAMPLES))]
    assert choice.decode(found, table, EXAMPLES, CARD) == want
    assert len(set(want)) > 2
    equal = [torch.ones(len(table))]
    assert choice.decode(equal, table, EXAMPLES, CARD) == [0] * len(EXAMPLES)
    assert choice.decode([torch.ones(0)], pa.table({"example": []}), [], CARD) == []


def test_score_is_accuracy():
    guess = [one.label for one in EXAMPLES[:3]] + [9]
    scores = choice.score(guess, EXAMPLES[:4], CARD, "en")
    assert scores.official == scores.clean == {"accuracy": 75.0}
    assert scores.numerator == [1.0, 1.0, 1.0, 0.0]
    assert (scores.n, scores.denominator) == (4, [1.0] * 4)
