import numpy as np
import pytest
import torch
from tiny import TEXTS, bert_tokenizer, xlmr_tokenizer

from midway.encoders.packing import pack
from midway.families import retrieval
from midway.families.search import nearest
from midway.tasks.examples import SentencePair

PAIRS = [
    SentencePair(language, language, "d", text, TEXTS["en"][: 20 + i])
    for i, (language, text) in enumerate(TEXTS.items())
]


def unit(rows, seed, hidden=16):
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(rows, hidden, generator=generator), dim=-1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_pool_equals_a_naive_mean(dtype):
    lengths = (1, 4, 4, 9)
    states = torch.randn(sum(lengths), 16, generator=torch.Generator().manual_seed(0)).to(dtype)
    got = retrieval.pool(states, pack(lengths).offsets)
    assert got.dtype == torch.float32
    for vector, part in zip(got, states.split(list(lengths)), strict=True):
        mean = part.double().mean(0)
        torch.testing.assert_close(vector.double(), mean / mean.norm(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("block", [3, 7, 64, 1000])
@pytest.mark.parametrize("sizes", [(50, 50), (13, 90), (64, 5)])
def test_nearest_equals_brute_force(k, block, sizes):
    queries, index = unit(sizes[0], 1), unit(sizes[1], 2)
    scores, found = nearest(queries, index, k=k, block=block)
    cosines = queries.double().numpy() @ index.double().numpy().T
    want = np.argsort(-cosines, axis=1)[:, :k]
    assert found.tolist() == want.tolist()
    np.testing.assert_allclose(scores, np.take_along_axis(cosines, want, 1), atol=1e-6)


def test_of_equal_neighbours_the_first_wins_across_blocks():
    queries, index = unit(4, 1), unit(6, 2).repeat(3, 1)
    for block in (2, 6, 7, 100):
        _, found = nearest(queries, index, block=block)
        assert (found < 6).all()


def test_more_neighbours_than_there_are():
    _, found = nearest(unit(3, 1), unit(2, 2), k=5)
    assert found.shape == (3, 2)


@pytest.mark.parametrize("tokenizer", [bert_tokenizer(), xlmr_tokenizer()])
def test_both_sides_are_encoded_and_cut(tokenizer):
    table = retrieval.encode(PAIRS, tokenizer, None, max_length=16, stride=0)
    rows = table.to_pylist()
    assert [row["side"] for row in rows] == [0] * len(PAIRS) + [1] * len(PAIRS)
    assert [row["example"] for row in rows] == [*range(len(PAIRS))] * 2
    cut = 0
    for row in rows:
        pair = PAIRS[row["example"]]
        whole = tokenizer.encode(pair.english if row["side"] else pair.sentence).ids
        assert row["ids"] == (whole if len(whole) <= 16 else [*whole[:15], whole[-1]])
        assert row["boundary"] == len(row["ids"])
        cut += len(whole) > 16
    assert cut > 3


def test_score_counts_both_directions():
    pairs = PAIRS[:4]
    predictions = {
        "from_english": [0, 1, 3, 3],
        "to_english": [0, 0, 0, 0],
        "layer_1": [1, 1, 2, 3],
    }
    scores = retrieval.score(predictions, pairs, None, "th")
    assert scores.n == 4
    assert scores.official == {"accuracy": 75.0}
    assert scores.clean["accuracy_to_english"] == 25.0
    assert scores.clean["accuracy_layer_1"] == 75.0
    assert (scores.numerator, scores.denominator) == ([1.0, 1.0, 0.0, 1.0], [1.0] * 4)
