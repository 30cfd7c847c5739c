import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TEXTS, config, padded, sequences
from tiny_qa import LONG, TOKENIZERS, encode, example, span
from transformers import BertForQuestionAnswering

from midway.families import span_qa
from midway.tasks import load_card


def answer_all(examples, logits, *, unanswerable=False, kind="bert", max_length=48):
    """Decode logits given per window, all windows in one packed batch."""
    table = span_qa.encode(examples, TOKENIZERS[kind](), None, max_length=max_length, stride=8)
    batch = {name: table[name].to_numpy() for name in ("first", "last")}
    lengths = [len(x) for x in logits]
    flat = torch.from_numpy(np.concatenate(logits)).float()
    found = span_qa.candidates(flat, batch, lengths)
    card = load_card("squad-v2" if unanswerable else "squad")
    decoded = span_qa.decode(found, table, examples, card)
    return [answer for answer, _ in decoded], [nbest for _, nbest in decoded]


def brute_force(item, rows, logits, *, top, unanswerable):
    """Every pair of the best `top` starts and ends of each window, as the SQuAD scripts do."""
    best = {}
    for row, (start, end) in zip(rows, (x.T for x in logits), strict=True):
        inside = range(row["first"], row["last"] + 1)
        starts = sorted(inside, key=lambda i: -start[i])[:top]
        ends = sorted(inside, key=lambda i: -end[i])[:top]
        for i in starts:
            for j in ends:
                if i <= j < i + 30:
                    left, right = span(row, i, j)
                    text = item.context[left:right].strip()
                    best[text] = max(best.get(text, -np.inf), start[i] + end[j])
    if unanswerable:
        best[""] = min(x[0].sum() for x in logits)
    return sorted(best.items(), key=lambda pair: -pair[1])


def test_an_empty_paragraph_gives_a_window_without_candidates():
    (row,) = encode([example("")])
    assert (row["first"], row["last"], row["begin"]) == (0, -1, [])
    (answer,), (nbest,) = answer_all([example("")], [np.zeros((len(row["ids"]), 2))])
    assert (answer, nbest) == ("", [])


@pytest.mark.parametrize("unanswerable", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_the_best_answer_equals_brute_force(seed, unanswerable):
    random = np.random.default_rng(seed)
    texts = [TEXTS["en"], LONG, TEXTS["th"], TEXTS["marks"], LONG[40:]]
    examples = [example(text, name=str(i)) for i, text in enumerate(texts)]
    rows = encode(examples)
    logits = [random.normal(size=(len(row["ids"]), 2)).astype(np.float32) for row in rows]
    for values in logits:
        values[0] += 3.0 * (seed % 2)  # now and then the empty answer wins
    answers, lists = answer_all(examples, logits, unanswerable=unanswerable)
    for index, item in enumerate(examples):
        mine = [i for i, row in enumerate(rows) if row["example"] == index]
        want = brute_force(
            item,
            [rows[i] for i in mine],
            [logits[i] for i in mine],
            top=20,
            unanswerable=unanswerable,
        )
        assert answers[index] == want[0][0]
        got = [(entry["text"], entry["score"]) for entry in lists[index]]
        assert got[0][1] == pytest.approx(want[0][1], abs=1e-5)
        assert [score for _, score in got] == sorted((s for _, s in got), reverse=True)
        scores = dict(want)
        for text, score in got:  # each text with its own best score
            assert score == pytest.approx(scores[text], abs=1e-5)
    if unanswerable and seed % 2:
        assert "" in answers


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_short_windows_are_searched_exhaustively(seed):
    item = example("The quick brown fox jumped")
    (row,) = encode([item])
    assert row["last"] - row["first"] < 20
    logits = np.random.default_rng(seed).normal(size=(len(row["ids"]), 2)).astype(np.float32)
    (answer,), _ = answer_all([item], [logits])
    assert answer == brute_force(item, [row], [logits], top=10**6, unanswerable=False)[0][0]


def test_answers_have_at_most_thirty_tokens():
    item = example("a " * 60)
    (row,) = encode([item], max_length=128)
    logits = np.full((len(row["ids"]), 2), -9.0, np.float32)
    first = row["first"]
    logits[first, 0] = logits[first + 30, 1] = 9.0  # 31 tokens
    logits[first + 29, 1] = 5.0
    (answer,), _ = answer_all([item], [logits], max_length=128)
    assert answer.split() == ["a"] * 30


def test_logits_outside_the_paragraph_do_not_count():
    item = example(TEXTS["en"])
    rows = encode([item], max_length=128)
    logits = np.zeros((len(rows[0]["ids"]), 2), np.float32)
    logits[: rows[0]["first"]] = logits[rows[0]["last"] + 1 :] = 50.0
    place = rows[0]["first"] + 2
    logits[place] = 9.0
    (answer,), _ = answer_all([item], [logits], max_length=128)
    left, right = span(rows[0], place, place)
    assert answer == TEXTS["en"][left:right]


def test_loss_equals_transformers():
    torch.manual_seed(0)
    model = BertForQuestionAnswering(config("bert")).eval()
    rows = sequences((20,) * 6)
    start, end = np.array([0, 3, 5, 0, 19, 7]), np.array([0, 3, 9, 0, 19, 18])
    ids, mask = padded(rows)
    with torch.no_grad():
        out = model(
            input_ids=ids,
            attention_mask=mask,
            start_positions=torch.from_numpy(start),
            end_positions=torch.from_numpy(end),
        )
    logits = torch.stack([out.start_logits, out.end_logits], -1).reshape(-1, 2)
    batch = {"start": start.astype(np.int32), "end": end.astype(np.int32)}
    total = span_qa.loss(logits, batch, [20] * 6)
    assert float(total) / span_qa.FAMILY.units(None, np.arange(6), None) == pytest.approx(
        float(out.loss), abs=1e-6
    )


def test_loss_of_unequal_windows_is_the_sum_of_their_losses():
    random = np.random.default_rng(0)
    logits = [torch.from_numpy(random.normal(size=(n, 2))).float() for n in (4, 9, 2)]
    gold = np.array([[3, 3], [0, 8], [1, 1]])
    total = span_qa.loss(torch.cat(logits), {"start": gold[:, 0], "end": gold[:, 1]}, [4, 9, 2])
    one_by_one = sum(
        -torch.log_softmax(x[:, side], 0)[gold[i, side]] / 2
        for i, x in enumerate(logits)
        for side in (0, 1)
    )
    assert float(total) == pytest.approx(float(one_by_one), abs=1e-5)
