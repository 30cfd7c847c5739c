import dataclasses

import numpy as np
import pytest
import torch
from tiny import TEXTS, bert_tokenizer, config, padded, sequences, xlmr_tokenizer
from transformers import BertForTokenClassification

from midway.families import tagging
from midway.families.family import rows_alone
from midway.families.features import read_features, write_features
from midway.families.tokens import labels_of, specials
from midway.stages.forward import in_order, rows_read
from midway.tasks import load_card
from midway.tasks.examples import TaggedSentence

TOKENIZERS = {"bert": bert_tokenizer, "xlm-r": xlmr_tokenizer}
CARD = dataclasses.replace(load_card("udpos"), labels=("NOUN", "VERB", "ADJ", "PUNCT"))


def sentence(words, name="s"):
    tags = tuple(CARD.labels[i % 4] for i in range(len(words)))
    return TaggedSentence(name, "en", "d", tuple(words), tags)


SENTENCES = [
    *(sentence(text.split(), language) for language, text in TEXTS.items()),
    sentence(" ".join(TEXTS.values()).split(), "long"),
    sentence(["one"], "short"),
    sentence(["\u200b", "fox", "\u200d", "\ufe0f"], "nothing"),
    sentence(["fox", TEXTS["th"] * 3, "dog", TEXTS["en"].replace(" ", "")], "wide words"),
]


def encode(examples=SENTENCES, kind="bert", max_length=24):
    return tagging.encode(examples, TOKENIZERS[kind](), CARD, max_length=max_length, stride=0)


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("max_length", [8, 24, 256])
def test_every_word_has_its_place_and_its_tag(kind, max_length):
    tokenizer = TOKENIZERS[kind]()
    rows = encode(kind=kind, max_length=max_length).to_pylist()
    seen = {example.id: [] for example in SENTENCES}
    unknown = tokenizer.token_to_id("[UNK]" if kind == "bert" else "<unk>")
    for row in rows:
        example = SENTENCES[row["example"]]
        assert len(row["ids"]) <= max_length
        assert row["ids"][0] == tokenizer.encode("a").ids[0]
        assert row["ids"][-1] == tokenizer.encode("a").ids[-1]
        assert row["word"] == len(seen[example.id])
        ends = [*row["heads"][1:], len(row["ids"]) - 1]
        assert row["heads"][0] == 1
        words = example.tokens[row["word"] : row["word"] + len(row["heads"])]
        for word, head, end in zip(words, row["heads"], ends, strict=True):
            alone = tokenizer.encode(word, add_special_tokens=False).ids or [unknown]
            assert row["ids"][head:end] == alone[: max_length - 2]
        seen[example.id] += [CARD.labels[number] for number in row["tags"]]
    assert seen == {example.id: list(example.tags) for example in SENTENCES}


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_sentence_that_fits_is_what_transformers_would_make(kind):
    tokenizer = TOKENIZERS[kind]()
    fitting = SENTENCES[:10]
    for row, example in zip(encode(fitting, kind, 256).to_pylist(), fitting, strict=True):
        encoding = tokenizer.encode(list(example.tokens), is_pretokenized=True)
        assert row["ids"] == encoding.ids
        places = [encoding.word_ids.index(word) for word in range(len(example.tokens))]
        assert row["heads"] == places
        assert row["boundary"] == len(row["ids"])


def test_windows_are_filled_from_the_left():
    rows = encode([sentence(TEXTS["en"].split() * 6)], max_length=24).to_pylist()
    pieces = [len(row["ids"]) for row in rows]
    assert len(rows) > 3
    assert min(pieces[:-1]) > 24 - 8  # the longest word has fewer than 8 pieces


@pytest.mark.parametrize("max_length", [8, 24])
def test_decoding_joins_windows_and_never_loses_a_tag(max_length):
    table = encode(max_length=max_length)
    order = np.random.default_rng(0).permutation(len(table))
    said, read = [], []
    for part in np.array_split(order, 5):  # packed batches, out of order
        rows = [table.slice(int(i), 1).to_pylist()[0] for i in part]
        lengths = [len(row["ids"]) for row in rows]
        logits = torch.randn(sum(lengths), 4)
        begin = 0
        for row, length in zip(rows, lengths, strict=True):
            for head, tag in zip(row["heads"], row["tags"], strict=True):
                logits[begin + head, tag] = 99.0
            begin += length
        heads = {"heads": [np.array(row["heads"]) for row in rows]}
        places = tagging.places(heads, lengths)
        said.append(tagging.candidates(logits[torch.from_numpy(places)], heads, lengths))
        read.append(rows_read(part, lengths, places))
    tags = tagging.decode(in_order(said, read), table, SENTENCES, CARD, labels_of(table))
    assert tags == [list(example.tags) for example in SENTENCES]


def test_loss_equals_transformers():
    torch.manual_seed(0)
    model = BertForTokenClassification(config("bert", num_labels=4)).eval()
    lengths = (9, 5, 12)
    rows = sequences(lengths)
    heads = [np.array([1, 2, 5]), np.array([1]), np.array([1, 4, 5, 9])]
    tags = [np.array([0, 3, 1]), np.array([2]), np.array([1, 1, 0, 2])]
    ids, mask = padded(rows)
    labels = torch.full(ids.shape, -100)
    for i, (where, gold) in enumerate(zip(heads, tags, strict=True)):
        labels[i, torch.from_numpy(where)] = torch.from_numpy(gold)
    with torch.no_grad():
        out = model(input_ids=ids, attention_mask=mask, labels=labels)
    batch = {"heads": heads, "tags": tags}
    places = torch.from_numpy(tagging.places(batch, lengths))
    total = tagging.loss(out.logits[mask.bool()][places], batch, lengths)
    assert float(total) / 8 == pytest.approx(float(out.loss), abs=1e-6)


def test_units_count_the_words_of_the_rows(tmp_path):
    table = encode()
    write_features(table, tmp_path)
    words = [len(heads) for heads in table["heads"].to_pylist()]
    rows = np.array([5, 0, 2, 2])
    for features in (table, read_features(tmp_path).table):
        assert (
            tagging.units(features, rows, rows_alone(features))
            == words[5] + words[0] + 2 * words[2]
        )


def test_specials_of_both_layouts():
    for kind, name in (("bert", ("[CLS]", "[SEP]")), ("xlm-r", ("<s>", "</s>"))):
        tokenizer = TOKENIZERS[kind]()
        around = specials(tokenizer)
        assert around.before == (tokenizer.token_to_id(name[0]),)
        assert around.after == (tokenizer.token_to_id(name[1]),)
        assert len(around) == 2


PANX = dataclasses.replace(CARD, labels=("O", "B-PER", "I-PER", "B-DATE", "I-DATE"), rule="")


def tagged(name, *tags):
    return TaggedSentence(name, "en", "d", ("w",) * len(tags), tags)


def test_entity_types_that_the_head_does_not_know():
    """Clean leaves them out of the gold; official counts them as missed, as XTREME would."""
    gold = [
        tagged("a", "B-PER", "I-PER", "O", "B-DATE", "I-DATE"),
        tagged("b", "B-DATE", "O", "B-PER"),
    ]
    guess = {"a": ["B-PER", "I-PER", "O", "O", "O"], "b": ["O", "B-PER", "B-PER"]}
    known = ("B-PER", "O", "I-PER")  # in the head's order
    fewer = tagging.score(guess, gold, PANX, "en", known)
    whole = tagging.score(guess, gold, PANX, "en", PANX.labels)
    assert fewer.official == whole.official
    want = {"f1": 100 * 4 / 7, "precision": 100 * 2 / 3, "recall": 50.0}  # 2 of 3 and of 4
    assert whole.official == pytest.approx(want)
    assert whole.clean == pytest.approx(want)
    assert fewer.clean == pytest.approx({"f1": 80.0, "precision": 100 * 2 / 3, "recall": 100.0})
    assert tagging.score(guess, gold, PANX, "en").clean == whole.clean
    assert (fewer.numerator, fewer.denominator) == ([2.0, 2.0], [3.0, 4.0])


@pytest.mark.parametrize("rule", ["", "accuracy"])
def test_parts_of_speech_by_chunks_or_by_words(rule):
    card = dataclasses.replace(CARD, rule=rule)
    gold = [tagged("a", "NOUN", "NOUN", "NOUN", "NOUN"), tagged("b", "VERB")]
    guess = {"a": ["NOUN", "NOUN", "VERB", "NOUN"], "b": ["VERB"]}
    scores = tagging.score(guess, gold, card, "en", card.labels)
    assert scores.clean == {"accuracy": 80.0}
    if rule:
        assert scores.official == {"accuracy": 80.0}
        assert (scores.numerator, scores.denominator) == ([3.0, 1.0], [4.0, 1.0])
    else:  # 1 of 4 chunks found, 1 of 2 in the gold
        assert scores.official["f1"] == pytest.approx(100 * 2 / 6)
    share = 100 * sum(scores.numerator) / sum(scores.denominator)
    assert share == pytest.approx(next(iter(scores.official.values())))


def test_a_tag_that_the_head_does_not_know_is_an_error_where_tags_are_single_words():
    gold = [tagged("a", "NOUN", "ADJ")]
    scores = tagging.score({"a": ["NOUN", "NOUN"]}, gold, CARD, "en", ("NOUN", "VERB"))
    assert scores.clean == {"accuracy": 50.0}


def test_supertags_are_those_of_the_training_data():
    """CCG: the card has no labels, the head's come from what it was trained on."""
    card = dataclasses.replace(CARD, labels=(), rule="accuracy")
    slash, noun = "(S\\NP)/NP", "N"
    train = [tagged("a", noun, slash, "NP"), tagged("b", "NP", noun)]
    table = tagging.encode(train, bert_tokenizer(), card, max_length=16, stride=0)
    labels = labels_of(table)
    assert labels == (slash, noun, "NP")
    assert table["tags"].to_pylist() == [[1, 0, 2], [2, 1]]
    test = [tagged("c", "B-new", "NP", noun), tagged("d", "conj", slash)]
    seen = tagging.encode(test, bert_tokenizer(), card, max_length=16, stride=0)
    assert labels_of(seen) != labels
    found = [torch.tensor([1, 2, 1, 2, 0])]
    tags = tagging.decode(found, seen, test, card, labels)
    assert tags == [[noun, "NP", noun], ["NP", slash]]
    guess = {e.id: t for e, t in zip(test, tags, strict=True)}
    scores = tagging.score(guess, test, card, "en", labels)
    assert scores.official == scores.clean == {"accuracy": 60.0}
