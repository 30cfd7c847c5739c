"""Examples of every family, and what the stages before prediction leave of them."""

import dataclasses

import numpy as np
import torch
from tiny import TEXTS, bert_tokenizer, context, tiny_model

from midway.encoders.heads import make_head, save_heads
from midway.encoders.load import load_encoder, save_delta
from midway.families import FAMILIES
from midway.families.features import write_features
from midway.families.tokens import with_languages
from midway.stages import predict as stage
from midway.stages.specs import PredictSpec
from midway.tasks import load_card
from midway.tasks.examples import (
    ChoiceExample,
    LabelledText,
    QAExample,
    RankedText,
    SentencePair,
    TaggedSentence,
)
from midway.tasks.storage import write_examples

TASKS = {"span_qa": "xquad", "tagging": "udpos", "retrieval": "tatoeba"}
LABELS = {"classification": ("yes", "no", "maybe so")}
LANGUAGES = ("en", "th", "ar")


def qa(language, number):
    text = f"{TEXTS[language]} {TEXTS['de']} {TEXTS['zh']}"
    begin = 3 + 5 * number
    name = f"{language}{number}"
    return QAExample(
        name, language, name, text, TEXTS["ru"][: 9 + number], (text[begin : begin + 6],), (begin,)
    )


def tagged(language, number):
    words = tuple(f"{TEXTS[language]} {TEXTS['ko']}".split()[number:])
    labels = load_card("udpos").labels
    tags = tuple(labels[(i + number) % len(labels)] for i in range(len(words)))
    return TaggedSentence(f"{language}{number}", language, "d", words, tags)


def pair(language, number):
    return SentencePair(
        str(number), language, "d", TEXTS[language][number:], TEXTS["de"][number * 3 :]
    )


def labelled(language, number):
    label = LABELS["classification"][number % 3]
    second = TEXTS["el"][number * 2 :] if number % 2 else ""
    return LabelledText(f"{number}", language, "d", TEXTS[language][number:], second, label)


def choice(language, number):
    choices = tuple(TEXTS["he"][k : k + 20 + number] for k in range(2 + number % 3))
    context = TEXTS[language][number:]
    return ChoiceExample(f"{language}{number}", language, "d", context, "?", choices, number % 2)


def ranked(language, number):
    """Queries and candidates by turns."""
    side, text = ("query", TEXTS[language]) if number % 2 else ("candidate", TEXTS["ka"])
    context = TEXTS[language] if number % 4 == 0 else ""
    keys = (f"k{number // 2}",)
    return RankedText(f"{side[0]}{number}", language, "d", side, text[number:], context, keys)


def mined(language, number):
    """By turns a sentence and another beginning of it; queries 1 and 3 have the same text."""
    side = "query" if number % 2 else "candidate"
    place = 0 if number == 3 else number // 2
    text = list(TEXTS.values())[(place + 5 * LANGUAGES.index(language)) % len(TEXTS)]
    text = text[place // 4 :] if side == "query" else text[1 + place // 3 : 40]
    keys = (f"k{number // 2}",) if number % 12 else ()
    return RankedText(f"{side[0]}{number}", language, "d", side, text, "", keys)


MAKE = {
    "span_qa": qa,
    "tagging": tagged,
    "retrieval": pair,
    "classification": labelled,
    "choice": choice,
    "ranking": ranked,
    "mining": mined,
}


def card_of(family):
    """A card of the family, one of the catalogue or one that does not exist."""
    if family in TASKS:
        return load_card(TASKS[family])
    labels = LABELS.get(family, ())
    return dataclasses.replace(load_card("udpos"), family=family, labels=labels, rule="")


def prepare(family, folder, *, count=5, prefix="", first=0):
    """Examples and features on disk, as the stages before leave them."""
    numbers = range(first, first + count)
    examples = [MAKE[family](language, n) for language in LANGUAGES for n in numbers]
    for name in ("examples", "features"):
        (folder / f"{prefix}{name}").mkdir()
    write_examples(examples, folder / f"{prefix}examples")
    card = card_of(family)
    table = FAMILIES[family].encode(examples, bert_tokenizer(), card, max_length=64, stride=16)
    table = with_languages(table, [example.language for example in examples])
    write_features(table, folder / f"{prefix}features")
    return examples, table.to_pylist()


def trained(family, encoder, folder, labels=None):
    """A delta that is not the pretrained encoder, and a head."""
    (folder / "model").mkdir()
    changed = load_encoder(encoder, None, np.arange(300))
    save_delta(changed, None, 0.5, folder / "model")
    labels = labels or card_of(family).labels
    kind, outputs = FAMILIES[family].head, FAMILIES[family].outputs(labels)
    head = make_head(kind, 32, outputs, dropout=0.0, seed=1, labels=labels)
    with torch.no_grad():
        last = head.module.dense if kind == "pooler" else head.module.out
        last.weight *= 30
    save_heads({"0.task": head}, folder / "model")
    return head.module


def run(family, encoder, folder, *, model=None, tokens=200, inputs=(), **spec):
    names = ("examples", "features", *inputs)
    there = {name: folder / name for name in names} | {"encoder": encoder}
    if model:
        there["model"] = model
    where = context(folder, micro_batch_tokens=tokens)
    spec = PredictSpec(task=TASKS.get(family, "task"), family=family, precision="float32", **spec)
    return stage.run(spec, there, where), where.out


def one_by_one(model, rows):
    """Hidden states of every layer, each sequence alone."""
    for row in rows:
        ids = torch.tensor([row["ids"]])
        types = (torch.arange(len(row["ids"])) >= row["boundary"]).long()[None]
        with torch.no_grad():
            states = model(ids, token_type_ids=types, output_hidden_states=True).hidden_states
        yield row, [layer[0] for layer in states]


def shrunk(model):
    """The model that `trained` saves: rows from 300 on were multiplied by 0.5."""
    other = tiny_model("bert")
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        other.get_input_embeddings().weight[300:] *= 0.5
    return other
