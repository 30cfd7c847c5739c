import dataclasses

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from tiny import TEXTS, bert_tokenizer, config, padded, sequences, xlmr_tokenizer
from transformers import (
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
    XLMRobertaForSequenceClassification,
)

from midway.families import FAMILIES, classification
from midway.families.tokens import labels_of
from midway.tasks import load_card
from midway.tasks.examples import LabelledText

TOKENIZERS = {"bert": bert_tokenizer, "xlm-r": xlmr_tokenizer}
LABELS = ("entailment", "neutral", "contradiction")
CARD = dataclasses.replace(
    load_card("udpos"), family="classification", labels=LABELS, rule="", metrics=("accuracy",)
)


def text(number, first, second=""):
    return LabelledText(f"t{number}", "en", "d", first, second, LABELS[number % 3])


BODIES = list(TEXTS.values())
EXAMPLES = [
    *(text(i, body) for i, body in enumerate(BODIES)),
    *(text(i, body, BODIES[i - 3]) for i, body in enumerate(BODIES)),
    text(0, BODIES[0] * 3, "one"),  # only the first text is cut
    text(1, "one", BODIES[0] * 3),  # only the second
    text(2, BODIES[0], BODIES[0]),  # both
]


def encode(kind, max_length, examples=EXAMPLES):
    tokenizer = TOKENIZERS[kind]()
    return classification.encode(examples, tokenizer, CARD, max_length=max_length, stride=0)


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("max_length", [7, 24, 25, 256])
def test_texts_and_pairs_are_what_transformers_makes_of_them(kind, max_length):
    whole = PreTrainedTokenizerFast(tokenizer_object=TOKENIZERS[kind]())
    cut = 0
    rows = encode(kind, max_length).to_pylist()
    for number, (row, example) in enumerate(zip(rows, EXAMPLES, strict=True)):
        pair = [example.text] + [example.pair] * bool(example.pair)
        want = whole(
            *pair, truncation="longest_first", max_length=max_length, return_token_type_ids=True
        )
        assert row["ids"] == want["input_ids"]
        types = [int(place >= row["boundary"]) for place in range(len(row["ids"]))]
        assert types == want["token_type_ids"]
        assert (row["example"], LABELS[row["label"]]) == (number, example.label)
        cut += len(whole(*pair)["input_ids"]) > max_length
    assert (cut > 10) == (max_length < 30)
    assert max(len(row["ids"]) for row in rows) <= max_length


def test_encoding_leaves_the_tokenizer_as_it_was():
    tokenizer = bert_tokenizer()
    classification.encode(EXAMPLES, tokenizer, CARD, max_length=8, stride=0)
    assert tokenizer.truncation is None


def test_many_texts_are_encoded_in_chunks(monkeypatch):
    want = encode("bert", 24)
    monkeypatch.setattr(classification, "CHUNK", 7)
    assert encode("bert", 24).equals(want, check_metadata=True)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("bert", BertForSequenceClassification),
        ("xlm-r", XLMRobertaForSequenceClassification),
    ],
)
def test_loss_equals_transformers(kind, model):
    torch.manual_seed(0)
    shape = config(kind, num_labels=3, initializer_range=0.5)
    labels = np.array([2, 0, 0, 1])
    ids, mask = padded(sequences((9, 5, 12, 3)), shape.pad_token_id)
    with torch.no_grad():
        out = model(shape).eval()(ids, attention_mask=mask, labels=torch.from_numpy(labels))
    assert float(out.loss) > 0.5
    total = classification.loss(out.logits, {"label": labels.astype(np.int32)}, (9, 5, 12, 3))
    assert float(total) / 4 == pytest.approx(float(out.loss), abs=1e-6)


def test_the_head_reads_first_tokens():
    family = FAMILIES["classification"]
    assert family.places({}, (3, 5, 2)).tolist() == [0, 3, 8]
    assert family.outputs(LABELS) == 3


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_labels_come_back_by_name_whatever_their_order_in_the_head(order):
    table = encode("bert", 24)
    assert labels_of(table) == LABELS
    of_head = tuple(LABELS[i] for i in order)
    logits = torch.randn(len(EXAMPLES), 3, generator=torch.Generator().manual_seed(0))
    for row, example in enumerate(EXAMPLES):
        logits[row, of_head.index(example.label)] = 9.0
    found = classification.candidates(logits, {}, ())
    names = classification.decode(found, table, EXAMPLES, CARD, of_head)
    assert names == [example.label for example in EXAMPLES]


@pytest.mark.parametrize("rule", ["", "f1", "weighted_f1"])
def test_scores_and_their_shares(rule):
    random = np.random.default_rng(0)
    examples = [text(int(n), "a") for n in random.integers(0, 3, 200)]
    gold = [example.label for example in examples]
    other = [LABELS[n] for n in random.integers(0, 3, 200)]
    guess = np.where(random.random(200) < 0.6, gold, other).tolist()
    scores = classification.score(guess, examples, dataclasses.replace(CARD, rule=rule), "en")
    accuracy = 100 * np.mean([a == b for a, b in zip(gold, guess, strict=True)])
    assert scores.n == 200
    assert scores.official["accuracy"] == pytest.approx(accuracy)
    assert scores.clean["macro_f1"] == pytest.approx(
        100 * f1_score(gold, guess, labels=LABELS, average="macro")
    )
    assert scores.official.items() <= scores.clean.items()
    main = next(iter(scores.official.values()))
    assert 100 * sum(scores.numerator) / sum(scores.denominator) == pytest.approx(main)
    if rule == "weighted_f1":
        assert main == pytest.approx(100 * f1_score(gold, guess, average="weighted"))
    if rule == "f1":  # of the last label
        want = 100 * f1_score(gold, guess, labels=LABELS[-1:], average=None)[0]
        assert scores.official["f1"] == pytest.approx(want)
    assert set(scores.official) == {"accuracy"} | ({rule} - {""})


def test_a_language_without_examples_scores_nothing():
    scores = classification.score([], [], CARD, "en")
    assert (scores.n, scores.official) == (0, {"accuracy": 0.0})
