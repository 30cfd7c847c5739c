import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TEXTS, bert_tokenizer, xlmr_tokenizer
from tiny_training import Case
from transformers import PreTrainedTokenizerFast

from midway.families import FAMILIES, ranking
from midway.families.features import Pieces
from midway.graph.stage import Runtime
from midway.tasks.examples import RankedText
from midway.train import step as train_step

TOKENIZERS = {"bert": bert_tokenizer, "xlm-r": xlmr_tokenizer}
LANGUAGES = ("en", "th", "ar")


def query(language, number, *keys, text=None):
    body = text or TEXTS[language][number:]
    return RankedText(f"q{number}", language, "d", "query", body, "", keys)


def candidate(language, number, *keys, context=""):
    body = TEXTS[language][: 10 + number]
    return RankedText(f"c{number}", language, "d", "candidate", body, context, keys)


EXAMPLES = [
    example
    for language in LANGUAGES
    for example in (
        query(language, 0, "a"),
        candidate(language, 0, "a", context=TEXTS[language] * 4),
        candidate(language, 1, "b", "c", context=TEXTS["de"]),
        query(language, 1, "c", text=TEXTS[language] * 6),
        candidate(language, 2, "c"),
        query(language, 2, "nothing"),
        candidate(language, 3),
        query(language, 3, "b"),
    )
]


def encode(kind="bert", max_length=128):
    return ranking.encode(EXAMPLES, TOKENIZERS[kind](), None, max_length=max_length, stride=0)


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("max_length", [24, 128, 256])
def test_texts_are_what_transformers_makes_of_them(kind, max_length):
    whole = PreTrainedTokenizerFast(tokenizer_object=TOKENIZERS[kind]())
    rows = encode(kind, max_length).to_pylist()
    cut = {"query": 0, "candidate": 0}
    for number, (row, example) in enumerate(zip(rows, EXAMPLES, strict=True)):
        limit = min(96, max_length) if example.side == "query" else max_length
        pair = [example.text] + [example.context] * bool(example.context)
        want = whole(
            *pair, truncation="longest_first", max_length=limit, return_token_type_ids=True
        )
        assert row["ids"] == want["input_ids"]
        types = [int(place >= row["boundary"]) for place in range(len(row["ids"]))]
        assert types == want["token_type_ids"]
        assert (row["example"], row["side"]) == (number, int(example.side == "candidate"))
        cut[example.side] += len(row["ids"]) == limit
    assert cut["query"] > 0
    assert cut["candidate"] > 0 or max_length > 128


def test_a_query_goes_with_a_right_candidate_of_its_language():
    table = encode()
    rows = table.to_pylist()
    items = ranking.items(table)
    pairs = items.rows.reshape(-1, 2)
    assert len(items) == len(pairs) == 3 * len(LANGUAGES)
    for left, right in pairs:
        assert (rows[left]["side"], rows[right]["side"]) == (0, 1)
        mine, other = EXAMPLES[left], EXAMPLES[right]
        assert mine.language == other.language
        assert set(mine.keys) & set(other.keys)
        assert set(rows[left]["keys"]) & set(rows[right]["keys"])
    left_out = set(range(len(rows))) - {left for left, _ in pairs}
    assert all(
        EXAMPLES[row].side == "candidate" or EXAMPLES[row].keys == ("nothing",) for row in left_out
    )


def naive_loss(vectors, rows, table):
    """Each query's cross-entropy among the distinct candidates, without others that are right."""
    at = {row: place for place, row in enumerate(rows)}
    losses = []
    for row in rows:
        if table[row]["side"] == 0:
            right = table[row]["right"]
            scores = {
                other: vectors[at[row]] @ vectors[at[other]]
                for other in rows
                if table[other]["side"] == 1
                and (other == right or not set(table[row]["keys"]) & set(table[other]["keys"]))
            }
            total = torch.logsumexp(torch.stack([*scores.values()]), 0)
            losses.append(total - scores[right])
    return losses


@pytest.mark.parametrize("seed", range(4))
def test_loss_equals_a_naive_one(seed):
    table = encode()
    items = ranking.items(table)
    random = np.random.default_rng(seed)
    rows = random.permutation(np.unique(items.of(random.integers(0, len(items), 6))))
    vectors = torch.from_numpy(random.normal(size=(len(rows), 16))).requires_grad_()
    batch = {"row": rows, "side": table["side"].to_numpy()[rows]}
    batch["right"] = table["right"].to_numpy()[rows]
    batch["keys"] = [np.array(table["keys"][int(row)].as_py(), np.int32) for row in rows]
    total = ranking.loss(vectors, batch, ())
    want = sum(naive_loss(vectors, rows.tolist(), table.to_pylist()))
    assert float(total.detach()) == pytest.approx(float(want.detach()))
    mine, theirs = (torch.autograd.grad(x, vectors, retain_graph=True)[0] for x in (total, want))
    torch.testing.assert_close(mine, theirs)


def test_other_right_candidates_are_not_negatives():
    """Key c is also on candidate 1 of the same language, and on both in other languages."""
    rows = encode().to_pylist()
    asked = next(i for i, e in enumerate(EXAMPLES) if e.side == "query" and e.keys == ("c",))
    same = [i for i, e in enumerate(EXAMPLES) if e.side == "candidate" and "c" in e.keys]
    assert len(same) == 6
    batch = {"row": np.array([asked, *same])}
    batch |= {name: np.array([rows[i][name] for i in batch["row"]]) for name in ("side", "right")}
    batch["keys"] = [np.array(rows[i]["keys"]) for i in batch["row"]]
    assert float(ranking.loss(torch.randn(7, 4), batch, ())) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("tokens", [1, 100])
def test_a_step_is_never_cut_and_computes_no_row_twice(tokens, tmp_path, monkeypatch):
    case = Case(tmp_path, "ranking")
    seen = []
    real = train_step.make_batch

    def spy(table, rows, encoder, device, **pieces):
        seen.append(rows.tolist())
        return real(table, rows, encoder, device, **pieces)

    monkeypatch.setattr(train_step, "make_batch", spy)
    _, _, trained = case.run(tmp_path / "work", runtime=Runtime(micro_batch_tokens=tokens))
    assert len(seen) == len(case.steps) == 20
    for rows, step in zip(seen, case.steps, strict=True):
        assert len(rows) == len(set(rows))
        assert set(rows) == set(case.items.of(step.items).tolist())
    assert any(len(rows) < 2 * len(s.items) for rows, s in zip(seen, case.steps, strict=True))
    assert trained.tokens == sum(int(case.features.lengths[rows].sum()) for rows in seen)


def test_units_count_a_query_once():
    table = encode()
    items = ranking.items(table)
    assert FAMILIES["ranking"].units(table, np.array([4, 1, 4, 0, 0]), items) == 3
    lengths = np.array([len(ids) for ids in table["ids"].to_pylist()])
    pieces = Pieces(items, lengths, whole=True)
    ((_, rows),) = pieces.cut(np.array([4, 1, 4]), 1)
    assert sorted(rows) == sorted(items.of(np.array([1, 4])).tolist())
    assert pieces.tokens(np.array([4, 1, 4])) == lengths[rows].sum()


def test_candidates_of_all_languages_are_searched():
    random = np.random.default_rng(0)
    vectors = torch.from_numpy(random.normal(size=(len(EXAMPLES), 8)).astype(np.float32))
    found = ranking.candidates(vectors * 10, {}, ())
    torch.testing.assert_close(found[0].norm(dim=-1), torch.ones(len(EXAMPLES)))
    got = ranking.decode(found, None, EXAMPLES, None)
    unit = vectors.numpy() / np.linalg.norm(vectors.numpy(), axis=1, keepdims=True)
    pool = [i for i, example in enumerate(EXAMPLES) if example.side == "candidate"]
    for i, example in enumerate(EXAMPLES):
        best = sorted(pool, key=lambda j, i=i: -(unit[i] @ unit[j]))
        names = [f"{EXAMPLES[j].language}/{EXAMPLES[j].id}" for j in best]
        assert got[i] == ([] if example.side == "candidate" else names)
    assert len(pool) == 12


def test_a_ranking_ends_at_20():
    many = [candidate("en", number) for number in range(50)] + [query("en", 0)]
    vectors = torch.tensor([*([1.0, float(number)] for number in range(50)), [0.0, 1.0]])
    got = ranking.decode([vectors], None, many, None)
    assert got[-1] == [f"en/c{number}" for number in range(49, 29, -1)]


def test_nothing_to_search():
    only = [query("en", 0), query("en", 1)]
    assert ranking.decode([torch.ones(2, 2)], None, only, None) == [[], []]


def brute_force(predicted, right):
    """Mean over the right ones of precision at their rank, among the first 20."""
    precisions = [
        sum(name in right for name in predicted[:rank]) / rank
        for rank in range(1, min(20, len(predicted)) + 1)
        if predicted[rank - 1] in right
    ]
    return sum(precisions) / min(20, len(right)) if right else 0.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 6))
@settings(deadline=None, max_examples=50)
def test_map_equals_its_definition(seed, size, keys):
    random = np.random.default_rng(seed)
    texts = []
    for language in LANGUAGES:
        for number in range(size):
            held = [str(k) for k in random.integers(0, keys, random.integers(0, 3))]
            side = ("query", "candidate")[int(random.integers(2))]
            name = f"{side}{number}"
            texts.append(RankedText(name, language, "d", side, "t", "", tuple(held)))
    names = [f"{e.language}/{e.id}" for e in texts if e.side == "candidate"]
    for language in LANGUAGES:
        queries = [e for e in texts if e.side == "query" and e.language == language]
        predictions = {e.id: [*random.permutation(names)[:30]] for e in queries[1:]}
        scores = ranking.score(predictions, texts, None, language)
        want = []
        for asked in queries:
            right = {
                f"{e.language}/{e.id}"
                for e in texts
                if e.side == "candidate" and set(e.keys) & set(asked.keys)
            }
            want.append(brute_force(predictions.get(asked.id, []), right))
        assert scores.numerator == pytest.approx(want)
        assert scores.ids == [e.id for e in queries]
        assert scores.n == len(scores.denominator) == len(queries)
        mean = 100 * sum(want) / max(len(want), 1)
        assert scores.official == scores.clean == {"map@20": pytest.approx(mean)}
