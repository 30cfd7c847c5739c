from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TEXTS, bert_tokenizer
from tiny_qa import LONG, TOKENIZERS, encode, example, normal, span

from midway.errors import DataError
from midway.families import span_qa
from midway.families.features import read_features, write_features
from midway.families.tokens import QUERY_TOKENS
from midway.tasks.examples import QAExample


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
    assert seen >= 8


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
        for before, after in pairwise(mine):
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
    with pytest.raises(DataError, match=r"max_length 32 leaves no room .* stride of 30"):
        encode([example(LONG)], "bert", 32, 30)


def test_token_types_begin_at_the_paragraph():
    (row,) = encode([example(TEXTS["en"])], "bert", 128)
    types = bert_tokenizer().encode("Where is the river?", TEXTS["en"]).type_ids
    assert row["boundary"] == types.index(1) == row["first"]
    (row,) = encode([example(TEXTS["en"])], "xlm-r", 128)
    assert row["boundary"] == len(row["ids"])


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_token_types_are_the_same_in_every_window(kind):
    """The library of tokenizers itself gives types to later windows that the first has not."""
    rows = encode([example(LONG)], kind, 48, 8)
    assert len(rows) > 3
    whole = {row["boundary"] == len(row["ids"]) for row in rows}
    assert whole == {kind == "xlm-r"}
    if kind != "xlm-r":
        assert all(row["boundary"] == row["first"] for row in rows)


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
