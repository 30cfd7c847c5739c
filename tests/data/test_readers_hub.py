"""Real data, written as the hub has them: both ways of reading give the same examples.

The public hub is not asked. The columns are those of its data sets, made from the publishers'
files as the hub's own conversion makes them.
"""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from midway.tasks import load_card
from midway.tasks.readers.parquet import read_parquet
from midway.tasks.sources import parse_folders, read_lines, read_text


@pytest.fixture
def both(tmp_path):
    """Read a split from its files and, converted by `convert`, as from the hub."""

    def read(task, split, language, convert):
        card = load_card(task)
        files = card.find(parse_folders(os.environ["MIDWAY_DATA"]), split, language)
        own = card.read(files, split, language)
        columns, features = convert(files)
        (part,) = card.hub.parts(split, language)
        path = tmp_path / part / "0000.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pa.table(columns)
        if features:
            info = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": info})
        pq.write_table(table, path)
        return own, read_parquet(card.hub, (path,), split, language)

    return read


def squad(files, *, strip=False, title=True):
    clean = str.strip if strip else str
    rows = [
        {
            "id": asked["id"],
            "title": article.get("title", ""),
            "context": clean(paragraph["context"]),
            "question": clean(asked["question"]),
            "answers": {
                "text": [clean(answer["text"]) for answer in asked["answers"]],
                "answer_start": [answer["answer_start"] for answer in asked["answers"]],
            },
        }
        for article in json.loads(read_text(files[0]))["data"]
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    if not title:
        del columns["title"]
    return columns, None


@pytest.mark.parametrize(
    ("task", "split"), [("squad", "train"), ("squad", "validation"), ("squad-v2", "validation")]
)
def test_squad(both, task, split):
    own, hub = both(task, split, "en", squad)
    assert hub.examples == own.examples


@pytest.mark.parametrize("language", ["en", "zh", "tr"])
def test_xquad(both, language):
    own, hub = both("xquad", "test", language, lambda files: squad(files, strip=True, title=False))
    assert [(e.id, e.document) for e in hub.examples] == [(e.id, e.document) for e in own.examples]
    texts = [e.answers for e in hub.examples]
    assert texts == [tuple(text.strip() for text in e.answers) for e in own.examples]
    assert all(start >= 0 for e in hub.examples for start in e.starts)


@pytest.mark.parametrize("language", ["en", "hi"])
def test_mlqa_takes_its_documents_from_english(tmp_path, language):
    card = load_card("mlqa")
    folders = parse_folders(os.environ["MIDWAY_DATA"])
    own = card.read(card.find(folders, "validation", language), "validation", language)
    files = []
    for code in dict.fromkeys((language, "en")):
        columns, _ = squad(card.find(folders, "validation", code)[:1], strip=True)
        files.append(tmp_path / f"MLQA.{code}.{code}/validation/0000.parquet")
        files[-1].parent.mkdir(parents=True)
        pq.write_table(pa.table(columns), files[-1])
    hub = read_parquet(card.hub, tuple(files), "validation", language)
    assert [(e.id, e.document, e.starts) for e in hub.examples] == [
        (e.id, e.document, e.starts) for e in own.examples
    ]
    assert hub.warnings == own.warnings == []


@pytest.mark.parametrize("language", ["sw", "ru"])
def test_tydiqa(both, language):
    own, hub = both("tydiqa", "validation", language, lambda files: squad(files, strip=True))
    assert [(e.id, e.document) for e in hub.examples] == [
        (e.id, e.document.strip()) for e in own.examples
    ]
    assert hub.dropped == own.dropped


def tatoeba(files):
    sides = [[line + "\n" for line in read_lines(path)] for path in files]
    return dict(zip(("source_sentence", "target_sentence"), sides, strict=True)), None


@pytest.mark.parametrize("language", ["de", "ta"])
def test_tatoeba(both, language):
    own, hub = both("tatoeba", "test", language, tatoeba)
    assert hub.examples == own.examples


def tagged(task):
    labels = list(load_card(task).labels)

    def convert(files):
        tokens, tags = [[]], [[]]
        for line in read_lines(files[0]):
            if not line.strip(" \t"):
                if tokens[-1]:
                    tokens.append([])
                    tags.append([])
                continue
            token, tag = line.rsplit("\t" if "panx" in str(files[0]) else " ", 1)
            tokens[-1].append(token)
            tags[-1].append(labels.index(tag))
        whole = [bool(each) for each in tokens]
        columns = {
            "tokens": [each for each, keep in zip(tokens, whole, strict=True) if keep],
            "ner_tags": [each for each, keep in zip(tags, whole, strict=True) if keep],
        }
        feature = {"names": labels, "_type": "ClassLabel"}
        return columns, {"ner_tags": {"feature": feature, "_type": "Sequence"}}

    return convert


@pytest.mark.parametrize(
    ("task", "split", "language"),
    [("panx", "validation", "sw"), ("panx", "train", "my"), ("masakhaner2", "test", "yor")],
)
def test_names(both, task, split, language):
    own, hub = both(task, split, language, tagged(task))
    assert hub.examples == own.examples
    assert (hub.dropped, hub.repaired) == (own.dropped, own.repaired)


def json_lines(path):
    return [json.loads(line) for line in read_lines(path)]


def csqa(files):
    rows = json_lines(files[0])
    choices = [row["question"]["choices"] for row in rows]
    columns = {
        "id": [row["id"] for row in rows],
        "question": [row["question"]["stem"] for row in rows],
        "question_concept": [row["question"]["question_concept"] for row in rows],
        "choices": [
            {"label": [c["label"] for c in each], "text": [c["text"] for c in each]}
            for each in choices
        ],
        "answerKey": [row["answerKey"] for row in rows],
    }
    return columns, None


def siqa(files):
    rows = json_lines(files[0])
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {**columns, "label": [line.strip() for line in read_lines(files[1])]}, None


def xcopa(files):
    rows = json_lines(files[0])
    return {name: [row[name] for row in rows] for name in rows[0]}, None


@pytest.mark.parametrize(
    ("task", "split", "language", "convert"),
    [
        ("csqa", "validation", "en", csqa),
        ("siqa", "validation", "en", siqa),
        ("xcopa", "validation", "et", xcopa),
        ("xcopa", "test", "sw", xcopa),
    ],
)
def test_choices(both, task, split, language, convert):
    own, hub = both(task, split, language, convert)
    assert hub.examples == own.examples
    assert hub.dropped == own.dropped


NLI = ("entailment", "neutral", "contradiction")


def columns_of(names, rows, labels):
    """Columns of text and one of labels, as integers."""
    columns = {name: [row[n] for row in rows] for n, name in enumerate(names)}
    columns["label"] = [labels.index(row[len(names)]) for row in rows]
    return columns, {"label": {"names": list(labels), "_type": "ClassLabel"}}


def xnli(files):
    rows = [line.split("\t") for line in read_lines(files[0])]
    return columns_of(("premise", "hypothesis"), rows, NLI)


def pawsx(files):
    rows = [line.split("\t") for line in read_lines(files[0])]
    return columns_of(("sentence1", "sentence2"), rows, ("0", "1"))


def snli(files):
    sides = [[line.removesuffix(" ") for line in read_lines(path)] for path in files]
    return columns_of(("premise", "hypothesis"), list(zip(*sides, strict=True)), NLI)


def sib200(files):
    header, *rows = (line.split("\t") for line in read_lines(files[0]))
    columns = {name: [row[n] for row in rows] for n, name in enumerate(header)}
    return {**columns, "index_id": [int(index) for index in columns["index_id"]]}, None


def afrisenti(files):
    header, *rows = (line.split("\t") for line in read_lines(files[0]))
    return {name: [row[n] for row in rows] for n, name in enumerate(header)}, None


@pytest.mark.parametrize(
    ("task", "split", "language", "convert"),
    [
        ("xnli", "validation", "sw", xnli),
        ("xnli", "test", "el", xnli),
        ("pawsx", "validation", "fr", pawsx),
        ("pawsx", "validation", "ko", pawsx),
        ("snli", "validation", "en", snli),
        ("sib200", "validation", "quy_Latn", sib200),
        ("afrisenti", "validation", "hau", afrisenti),
    ],
)
def test_labelled(both, task, split, language, convert):
    own, hub = both(task, split, language, convert)
    ours = [(e.id, e.document, e.pair, e.label) for e in own.examples]
    assert [(e.id, e.document, e.pair, e.label) for e in hub.examples] == ours
    assert (hub.dropped, len(hub.warnings)) == (own.dropped, len(own.warnings))
    if task != "sib200":  # which is already unquoted on the hub
        assert hub.examples == own.examples
        assert hub.repaired == own.repaired
