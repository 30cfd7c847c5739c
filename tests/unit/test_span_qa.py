import unicodedata

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TEXTS, bert_tokenizer, config, padded, sequences, xlmr_tokenizer
from transformers import BertForQuestionAnswering

from midway.errors import DataError
from midway.families import span_qa
from midway.families.features import read_features, write_features
from midway.families.tokens import QUERY_TOKENS
from midway.tasks.examples import QAExample

TOKENIZERS = {"bert": bert_tokenizer, "xlm-r": xlmr_tokenizer}
LONG = " ".join(TEXTS.values())


def example(context, question="Where is the river?", answer=None, *, start=None, name="q"):
    answers = () if answer is None else (answer,)
    starts = () if answer is None else (context.index(answer) if start is None else start,)
    return QAExample(name, "en", "d", context, question, answers, starts)


def encode(examples, kind="bert", max_length=48, stride=8):
    table = span_qa.encode(examples, TOKENIZERS[kind](), None, max_length=max_length, stride=stride)
    return table.to_pylist()


def normal(text):
    return unicodedata.normalize("NFKC", text)


def span(row, start, end):
    """Characters of a span of tokens of a window."""
    return row["begin"][start - row["first"]], row["finish"][end - row["first"]]


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("language", TEXTS)
def test_offsets_map_pieces_to_their_text(kind, language):
    text = TEXTS[language]
    tokenizer = TOKENIZERS[kind]()
    seen = 0
    for row in encode([example(text)], kind):
        inside = row["ids"][row["first"] : row["last"] + 1]
        assert len(inside) == len(row["begin"]) == len(row["finish"])
        assert np.all(np.diff(row["begin"]) >= 0)
        assert np.all(np.diff(row["finish"]) >= 0)
        for number, begin, finish in zip(inside, row["begin"], row["finish"], strict=True):
            piece = tokenizer.id_to_token(number).removeprefix("##").replace("▁", "")
            if piece.strip("<>[]").lower() != "unk":
                assert normal(piece) in normal(text[begin:finish])
                seen += 1
    assert seen > 10


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_windows_cover_every_character_and_overlap_by_the_stride(kind):
    contexts = [*TEXTS.values(), LONG]
    rows = encode([example(text) for text in contexts], kind)
    assert sorted({row["example"] for row in rows}) == list(range(len(contexts)))
    for index, text in enumerate(contexts):
        mine = [row for row in rows if row["example"] == index]
        pairs = [p for row in mine for p in zip(row["begin"], row["finish"], strict=True)]
        covered = {c for begin, finish in pairs for c in range(begin, finish)}
        missing = {text[c] for c in range(len(text)) if c not in covered}
        assert all(c.isspace() or c in "\u200d\ufe0f" for c in missing), (kind, missing)
        for before, after in zip(mine, mine[1:], strict=False):
            assert before["begin"][-8:] == after["begin"][:8]
            assert len(before["ids"]) == 48


@pytest.mark.parametrize("kind", TOKENIZERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_gold_span_of_a_window_holds_the_answer(kind, data):
    text = data.draw(st.sampled_from([*TEXTS.values(), LONG]))
    begin = data.draw(st.integers(0, len(text) - 1))
    answer = text[begin : data.draw(st.integers(begin + 1, min(len(text), begin + 40)))]
    if not (answer[0].isalnum() and answer[-1].isalnum()):
        return
    max_length = data.draw(st.sampled_from([48, 600]))
    held = 0
    for row in encode([example(text, answer=answer, start=begin)], kind, max_length):
        finish = begin + len(answer)
        inside = row["begin"] and row["begin"][0] <= begin and row["finish"][-1] >= finish
        if not inside:
            assert (row["start"], row["end"]) == (0, 0)
            continue
        held += 1
        assert row["first"] <= row["start"] <= row["end"] <= row["last"]
        left, right = span(row, row["start"], row["end"])
        assert left <= begin
        assert right >= finish
        if row["start"] < row["end"]:  # no smaller span would do
            assert span(row, row["start"] + 1, row["end"])[0] >= left
            assert row["begin"][row["end"] - row["first"]] < finish
            assert row["finish"][row["start"] - row["first"]] > begin
    assert held == 1 or max_length == 48


def test_an_answer_that_ends_in_a_combining_mark_is_found():
    text = TEXTS["marks"]
    for kind in TOKENIZERS:
        answer = "Zoe\u0308"
        rows = encode([example(text, answer=answer)], kind, 128)
        left, right = span(rows[0], rows[0]["start"], rows[0]["end"])
        assert text[left:right].strip() == answer


def test_questions_without_answers_point_at_the_first_token():
    rows = encode([example(LONG), QAExample("q", "en", "d", LONG, "Who?", ("x",), (-1,))])
    assert {(row["start"], row["end"]) for row in rows} == {(0, 0)}


def test_answers_outside_a_window_point_at_the_first_token():
    rows = encode([example(LONG, answer="quick brown")])
    golds = [(row["start"], row["end"]) for row in rows]
    assert golds[0] != (0, 0)
    assert set(golds[1:]) == {(0, 0)}
    assert len(golds) > 3


def test_a_very_long_question_is_cut():
    rows = encode([example(TEXTS["en"], question=LONG, answer="lazy dog")], "bert", 128, 16)
    tokenizer = bert_tokenizer()
    pieces = tokenizer.encode(LONG, add_special_tokens=False).ids
    assert rows[0]["first"] == QUERY_TOKENS + 2
    assert rows[0]["ids"][1 : QUERY_TOKENS + 1] == pieces[:QUERY_TOKENS]
    left, right = span(rows[0], rows[0]["start"], rows[0]["end"])
    assert TEXTS["en"][left:right] == "lazy dog"


@pytest.mark.parametrize(("max_length", "stride"), [(32, 10), (48, 40), (64, 21), (96, 32)])
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_long_question_leaves_room_for_the_paragraph(kind, max_length, stride):
    rows = encode([example(LONG, question=LONG)], kind, max_length, stride)
    assert max(len(row["ids"]) for row in rows) <= max_length
    assert rows[-1]["finish"][-1] == len(LONG)


def test_no_room_for_a_question_is_one_clear_line():
    with pytest.raises(DataError, match="max_length 32 leaves no room .* stride of 30"):
        encode([example(LONG)], "bert", 32, 30)


def test_an_empty_paragraph_gives_a_window_without_candidates():
    (row,) = encode([example("")])
    assert (row["first"], row["last"], row["begin"]) == (0, -1, [])
    (answer,), (nbest,) = answer_all([example("")], [np.zeros((len(row["ids"]), 2))])
    assert (answer, nbest) == ("", [])


def test_token_types_begin_at_the_paragraph():
    (row,) = encode([example(TEXTS["en"])], "bert", 128)
    types = bert_tokenizer().encode("Where is the river?", TEXTS["en"]).type_ids
    assert row["boundary"] == types.index(1) == row["first"]
    (row,) = encode([example(TEXTS["en"])], "xlm-r", 128)
    assert row["boundary"] == len(row["ids"])


def test_features_survive_the_disk(tmp_path):
    table = span_qa.encode([example(LONG)], bert_tokenizer(), None, max_length=48, stride=8)
    write_features(table, tmp_path)
    features = read_features(tmp_path)
    assert features.table.equals(table)
    want = table["ids"].to_pylist()
    assert features.lengths.tolist() == [len(ids) for ids in want]
    assert features.tokens.tolist() == [number for ids in want for number in ids]
    assert features.active.tolist() == sorted({number for ids in want for number in ids})
    begins = features.column("begin", np.array([1, 0]))
    assert [list(x) for x in begins] == [table["begin"][i].as_py() for i in (1, 0)]
    assert features.column("first", np.array([1, 0])).tolist() == table["first"].to_pylist()[1::-1]


# -- decoding ----------------------------------------------------------------------------------


def answer_all(examples, logits, *, unanswerable=False, kind="bert", max_length=48):
    """Decode logits given per window, all windows in one packed batch."""
    table = span_qa.encode(examples, TOKENIZERS[kind](), None, max_length=max_length, stride=8)
    batch = {name: table[name].to_numpy() for name in ("first", "last")}
    lengths = [len(x) for x in logits]
    flat = torch.from_numpy(np.concatenate(logits)).float()
    said = span_qa.candidates(flat, batch, lengths)
    found = [{name: array[i] for name, array in said.items()} for i in range(len(lengths))]
    return span_qa.decode(found, table, examples, unanswerable=unanswerable)


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
            item, [rows[i] for i in mine], [logits[i] for i in mine], top=20, unanswerable=unanswerable
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
    assert float(total) / span_qa.units(None, np.arange(6)) == pytest.approx(float(out.loss), abs=1e-6)


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
