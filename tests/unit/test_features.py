"""Feature files: what is read of them is what was written, and nothing of it is copied."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import bert_tokenizer

from midway.families.features import of_examples, read_features, write_features
from midway.families.tokens import lists_of, load_tokenizer, spread, table, with_mask

ROWS = [[7, 3, 900], [], [3], [5, 5, 7, 12]]


def made(rows=ROWS):
    columns = {"ids": ("list", rows), "heads": ("list", [row[::-1] for row in rows])}
    return table(columns | {"example": ("int32", list(range(len(rows))))})


def test_reading_copies_nothing(tmp_path):
    write_features(made([[i] * 100 for i in range(3000)]), tmp_path)
    before = pa.total_allocated_bytes()
    features = read_features(tmp_path)
    assert len(features.active) == len(features.lengths) == 3000
    heads = features.column("heads", np.arange(3000))
    assert pa.total_allocated_bytes() - before < 20_000  # the tokens alone are 1.2 MB
    values = lists_of(features.table, "heads")[1]
    assert features.tokens.base is not None
    assert all(np.shares_memory(part, values) for part in heads)


@pytest.mark.parametrize("mask", [None, 4, 7, 5000])
def test_active_pieces_are_those_that_occur_and_the_mask(mask, tmp_path):
    features = made() if mask is None else with_mask(made(), mask, 1, 1)
    write_features(features, tmp_path)
    want = {3, 5, 7, 12, 900} | ({mask} if mask is not None else set())
    active = read_features(tmp_path).active
    assert active.tolist() == sorted(want)
    assert active.dtype == np.int64


def test_rows_of_lists_come_in_the_order_asked_for(tmp_path):
    write_features(made(), tmp_path)
    features = read_features(tmp_path)
    got = features.column("heads", np.array([3, 0, 1, 3]))
    assert [row.tolist() for row in got] == [ROWS[i][::-1] for i in (3, 0, 1, 3)]
    assert features.column("example", np.array([2, 2, 0])).tolist() == [2, 2, 0]


def test_tables_without_rows_or_in_parts(tmp_path):
    write_features(made([]), tmp_path)
    features = read_features(tmp_path)
    assert (len(features.tokens), features.offsets.tolist(), len(features.active)) == (0, [0], 0)
    begins, values = lists_of(pa.concat_tables([made(), made()]), "ids")
    both = [values[a:b].tolist() for a, b in pairwise(begins)]
    assert both == ROWS * 2
    write_features(made(), tmp_path)
    chosen = of_examples(read_features(tmp_path), np.array([0, 3]))
    assert chosen.tokens.tolist() == ROWS[0] + ROWS[3]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=8))
def test_spread(parts):
    begins, sizes = np.array(parts, dtype=np.int64).reshape(-1, 2).T
    want = [begin + i for begin, size in parts for i in range(size)]
    assert spread(begins, sizes).tolist() == want


def test_a_tokenizer_that_is_kept_forgets_what_was_set(tmp_path):
    bert_tokenizer().save(str(tmp_path / "tokenizer.json"))
    first = load_tokenizer(tmp_path)
    whole = first.encode("a b a b a b").ids
    first.enable_truncation(3)
    first.enable_padding(length=40)
    assert load_tokenizer(tmp_path) is first
    assert load_tokenizer(tmp_path).encode("a b a b a b").ids == whole
