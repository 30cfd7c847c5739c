import dataclasses

import numpy as np
import pytest
import torch
from tiny import PIECES, TEXTS, bert_tokenizer, features, padded, sequences, xlmr_tokenizer
from tiny_training import MASK, RECIPE, Case, head_of
from transformers import BertForMaskedLM

from midway.encoders.load import load_encoder
from midway.errors import DataError
from midway.families import FAMILIES, mlm
from midway.families.family import rows_alone
from midway.families.features import make_batch, read_features, write_features
from midway.families.tokens import mask_of, with_mask
from midway.tasks.examples import (
    ChoiceExample,
    LabelledText,
    PlainText,
    QAExample,
    RankedText,
    SentencePair,
    TaggedSentence,
)

WHERE = ("i", "en", "d")
LENGTHS = [3, 4, 8, 12, 13, 22, 64, 128] * 5


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Pieces 5 to 119 between specials 2 and 3."""
    folder = tmp_path_factory.mktemp("table")
    rows = sequences(LENGTHS)
    for row in rows:
        row[0], row[-1] = 2, 3
    made = features(folder, rows)
    (folder / "noted").mkdir()
    write_features(with_mask(made.table, MASK, 1, 1), folder / "noted")
    return read_features(folder / "noted")


def every_draw(table, steps=60):
    """(row, its pieces, the pieces drawn, hidden places within the row) of many steps."""
    rows = np.arange(len(LENGTHS))
    for step in range(steps):
        pieces, fields = mlm.draw(table, rows, [7, step])
        begins = table.offsets
        for row in rows:
            inside = (fields["places"] >= begins[row]) & (fields["places"] < begins[row + 1])
            part = slice(begins[row], begins[row + 1])
            where = fields["places"][inside] - begins[row]
            assert fields["gold"][inside].tolist() == table.tokens[part][where].tolist()
            yield row, table.tokens[part], pieces[part], where


@pytest.mark.parametrize("max_length", [5, 16, 256])
def test_windows_hold_every_piece_once(max_length):
    tokenizer = bert_tokenizer()
    examples = [PlainText(*WHERE, text) for text in (*TEXTS.values(), "", TEXTS["th"] * 9)]
    rows = mlm.encode(examples, tokenizer, None, max_length=max_length, stride=0)
    seen = [[] for _ in examples]
    for row in rows.to_pylist():
        assert len(row["ids"]) <= max_length
        assert (row["ids"][0], row["ids"][-1], row["boundary"]) == (2, 3, len(row["ids"]))
        assert len(row["ids"]) > 2
        seen[row["example"]] += row["ids"][1:-1]
    assert seen == [tokenizer.encode(e.text, add_special_tokens=False).ids for e in examples]
    assert mask_of(rows) == (tokenizer.token_to_id("[MASK]"), 1, 1)


def test_a_tokenizer_without_a_mask_is_refused():
    with pytest.raises(DataError, match=r"no mask \(<mask> or \[MASK\]\).*choose another encoder"):
        mlm.encode([], xlmr_tokenizer(), None, max_length=16, stride=0)


@pytest.mark.parametrize(
    ("example", "text"),
    [
        (PlainText(*WHERE, "a b"), "a b"),
        (QAExample(*WHERE, "context", "question", (), ()), "context"),
        (TaggedSentence(*WHERE, ("a", "b"), ("X", "Y")), "a b"),
        (SentencePair(*WHERE, "foreign", "english"), "foreign"),
        (LabelledText(*WHERE, "one", "two", "x"), "one two"),
        (LabelledText(*WHERE, "one", "", "x"), "one"),
        (ChoiceExample(*WHERE, "context", "question", ("a", "b"), 1), "context question b"),
        (RankedText(*WHERE, "query", "a", "", ("k",)), "a"),
    ],
)
def test_the_text_of_every_kind_of_example(example, text):
    assert mlm.text_of(example) == text


def test_15_percent_are_hidden_at_least_one_and_never_a_special(table):
    for row, before, after, where in every_draw(table, steps=5):
        inner = LENGTHS[row] - 2
        assert len(where) == len(set(where)) == max(1, round(0.15 * inner))
        assert where.min() >= 1
        assert where.max() <= inner
        elsewhere = np.setdiff1d(np.arange(LENGTHS[row]), where)
        assert (before[elsewhere] == after[elsewhere]).all()


def test_80_percent_become_the_mask_10_a_random_piece_10_stay(table):
    hidden = masked = kept = 0
    strangers = []
    for _, before, after, where in every_draw(table):
        hidden += len(where)
        masked += (after[where] == MASK).sum()
        kept += (after[where] == before[where]).sum()
        other = (after[where] != MASK) & (after[where] != before[where])
        strangers += after[where][other].tolist()
    assert hidden > 10_000
    pool = np.setdiff1d(table.active, [MASK])
    chance = 0.1 / len(pool)  # a random piece may be the one that was there
    for count, share in ((masked, 0.8), (kept, 0.1 + chance), (len(strangers), 0.1 - chance)):
        assert abs(count - hidden * share) < 4 * np.sqrt(hidden * share * (1 - share))
    assert set(strangers) <= set(pool.tolist())
    assert len(set(strangers)) > 0.95 * len(pool)


def test_a_random_piece_is_never_the_mask(tmp_path):
    """Where few pieces occur it would be drawn often."""
    few = features(tmp_path, [[2, *[5] * 126, 3]] * 400)
    (tmp_path / "noted").mkdir()
    write_features(with_mask(few.table, MASK, 1, 1), tmp_path / "noted")
    few = read_features(tmp_path / "noted")
    assert few.active.tolist() == [2, 3, MASK, 5]
    pieces, fields = mlm.draw(few, np.arange(400), [1, 1])
    masked = (pieces == MASK).sum() / len(fields["places"])
    assert masked == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / len(fields["places"])))


def test_every_piece_of_a_text_is_hidden_equally_often(table):
    counts = np.zeros(LENGTHS[6])
    draws = 0
    for row, _, _, where in every_draw(table):
        if LENGTHS[row] == LENGTHS[6]:
            counts[where] += 1
            draws += 1
    share = round(0.15 * (LENGTHS[6] - 2)) / (LENGTHS[6] - 2)
    limit = 4.5 * np.sqrt(draws * share * (1 - share))
    assert np.abs(counts[1:-1] - draws * share).max() < limit


def test_what_is_hidden_depends_on_seed_step_and_row_alone(table):
    def drawn(rows, seed):
        pieces, fields = mlm.draw(table, np.array(rows), seed)
        parts = np.split(pieces, np.cumsum(table.lengths[rows])[:-1])
        return [part.tolist() for part in parts], fields

    (want,), fields = drawn([7], [1, 0])
    again, _ = drawn([3, 7, 15, 7], [1, 0])
    assert again[1] == again[3] == want
    for rows, seed in (([7], [1, 1]), ([7], [2, 0])):
        assert drawn(rows, seed)[0][0] != want
    places = [drawn([row], [1, 0])[1]["places"].tolist() for row in (7, 15, 23)]
    assert places[0] == fields["places"].tolist()
    assert len({tuple(found) for found in places}) == 3
    torch.manual_seed(5)
    np.random.seed(5)
    assert drawn([7], [1, 0])[0] == [want]


def test_units_are_hidden_pieces(table):
    rows = np.array([0, 7, 7, 3, 6])
    _, fields = mlm.draw(table, rows, [1, 2])
    units = FAMILIES["mlm"].units(table.table, rows, rows_alone(table.table))
    assert units == len(fields["places"]) == len(fields["gold"])


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("case"), "mlm")


def ours(case, rows, active):
    """Logits of our head with transformers' weights, and what was hidden."""
    encoder = load_encoder(case.folder, None, active, dropout=0.0)
    head = head_of("mlm", encoder).module
    for name, layer in case.parts().items():
        getattr(head, name).load_state_dict(layer.state_dict())
    bias = case.model.cls.predictions.bias.detach()
    with torch.no_grad():
        head.decoder.bias.copy_(bias[torch.from_numpy(encoder.active)])
    pieces, fields = mlm.draw(case.features, rows, [1, 0])
    batch = make_batch(case.features, rows, encoder, torch.device("cpu"), pieces=pieces)
    states = encoder.hidden_states(batch.ids, batch.types, batch.packing)[-1]
    places = torch.from_numpy(mlm.hidden_places(fields, batch.packing.lengths))
    return encoder, head, states[places], fields, pieces


def test_loss_equals_transformers_when_every_piece_is_active(case):
    assert isinstance(case.model, BertForMaskedLM)
    rows = np.array([4, 11, 2, 30])
    encoder, head, states, fields, pieces = ours(case, rows, np.arange(PIECES))
    gold = {"gold": encoder.renumber(fields["gold"])}
    total = mlm.loss(head(states), gold, ()).detach()
    parts = np.split(pieces, np.cumsum(case.features.lengths[rows])[:-1])
    ids, mask = padded(parts)
    labels = np.full(len(pieces), -100)
    labels[fields["places"]] = fields["gold"]
    wanted = torch.full(ids.shape, -100)
    wanted[mask.bool()] = torch.from_numpy(labels)
    boundary = case.features.column("boundary", rows)
    types = torch.arange(ids.shape[1]) >= torch.from_numpy(boundary)[:, None]
    with torch.no_grad():
        out = case.model(ids, attention_mask=mask, token_type_ids=types.long(), labels=wanted)
    units = mlm.units(case.features.table, rows, case.items)
    assert float(total) / units == pytest.approx(float(out.loss), rel=1e-5)


def test_the_loss_reaches_the_embedding_through_the_decoder(case):
    """Also the rows of pieces that this step does not read."""
    rows = np.array([4, 11])
    encoder, head, states, fields, pieces = ours(case, rows, case.features.active)
    gold = {"gold": encoder.renumber(fields["gold"])}
    mlm.loss(head(states.detach()), gold, ()).backward()
    gradient = encoder.model.get_input_embeddings().weight.grad
    unread = np.setdiff1d(case.features.active, pieces)
    assert len(unread) > 20
    assert (gradient[encoder.renumber(unread)].abs().sum(1) > 0).all()


def test_training_moves_pieces_that_it_does_not_read(case, tmp_path):
    before = load_encoder(case.folder, None, case.features.active).model
    recipe = dataclasses.replace(RECIPE, weight_decay=0.0)
    encoder, _, _ = case.run(tmp_path, steps=case.steps[:2], recipe=recipe)
    read = np.concatenate([mlm.draw(case.features, s.items, [1, 1])[0] for s in case.steps[1:2]])
    assert len(np.setdiff1d(case.features.active, read)) > 20
    moved = encoder.model.get_input_embeddings().weight - before.get_input_embeddings().weight
    assert (moved.abs().sum(1) > 0).all()
