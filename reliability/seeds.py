"""Small valid inputs written here, for where no benchmark files are at hand."""

import json

_QUESTION = {"id": "english-1-1", "question": "q?", "answers": [{"text": "c", "answer_start": 2}]}
_PARAGRAPH = {"context": "a c é", "qas": [_QUESTION]}
SQUAD = json.dumps(
    {"data": [{"title": "t", "paragraphs": [_PARAGRAPH]}]}, ensure_ascii=False
).encode()
CONLLU = "# sent_id = s\n1-2\tab\t_\t_\t_\t_\t_\t_\t_\t_\n" + "".join(
    f"{i}\t_\t_\tNOUN\t_\t_\t_\t_\t_\t_\n" for i in (1, 2)
)

# Task, and its files by name.
HERMETIC = (
    ("squad-v2", {"squad/squad_v2.json": SQUAD}),
    ("tydiqa", {"tydiqa/tydiqa.json": SQUAD}),
    ("udpos", {"ud/xx-ud-test.conllu": CONLLU.encode()}),
    ("udpos", {"ud/test-xx.tsv": "a b\tX\né\tADJ\n\nc\tX\n".encode()}),
    (
        "tatoeba",
        {"v1/tatoeba.deu-eng.deu": "é\nb\n".encode(), "v1/tatoeba.deu-eng.eng": b"e\nb\n"},
    ),
)

_LABELS = b"entailment\nneutral\ncontradiction\n"
_TAGS = b"B-PER\nI-PER\nO\n\nO\nB-LOC\n"
_ANSWERS = json.dumps({"english-1-1": "c"}).encode()
_RANKINGS = json.dumps({"q1": ["a", "b", "c"], "q2": ["b"]}).encode()

# Task → (predictions, labels).
SCORED = {
    "xnli": (_LABELS, _LABELS),
    "pawsx": (b"0\n1\n1\n", b"0\n1\n0\n"),
    "panx": (_TAGS, _TAGS),
    "udpos": (b"NOUN\nVERB\n\nX\n", b"NOUN\nADJ\n\nX\n"),
    "bucc2018": (b"de-1\ten-1\nde-2\ten-2\n", b"de-1\ten-1\n"),
    "tatoeba": (b"0\n2\n1\n", b"0\n1\n2\n"),
    "mlqa": (_ANSWERS, SQUAD),
    "tydiqa": (_ANSWERS, SQUAD),
    "xquad": (_ANSWERS, SQUAD),
    "xcopa": (b'{"idx": 0, "label": 1}\n', b'{"idx": 0, "label": 0}\n'),
    "mewslix": (_RANKINGS, _RANKINGS),
    "lareqa": (_RANKINGS, _RANKINGS),
}
