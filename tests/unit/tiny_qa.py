"""Questions about the tiny texts, and their windows."""

import unicodedata

from tiny import TEXTS, bert_tokenizer, xlmr_tokenizer

from midway.families import span_qa
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
