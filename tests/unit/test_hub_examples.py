"""Rows of the hub's data sets become the examples that the publishers' files give."""

import json

import pytest
from hub_files import label, write

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.hub.xquad_articles import ARTICLES, ROWS
from midway.tasks.readers.parquet import read_parquet


@pytest.fixture
def read(tmp_path):
    """Read rows of a task from the hub."""

    def read_rows(task, split, language, columns, features=None):
        source = load_card(task).hub
        (part,) = source.parts(split, language)
        path = write(tmp_path / part / "0000.parquet", columns, features=features)
        return read_parquet(source, (path,), split, language)

    return read_rows


def answers(*found):
    """Answers as the hub has them, each (text, offset)."""
    return {"text": [text for text, _ in found], "answer_start": [start for _, start in found]}


def questions(*found, **more):
    columns = {
        "id": [f"q{n}" for n in range(len(found))],
        "title": ["T"] * len(found),
        "context": ["one two two"] * len(found),
        "question": ["?"] * len(found),
        "answers": list(found),
    }
    return columns | more


def squad_json(tmp_path, columns):
    """The same questions in SQuAD's layout."""
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": identity,
                    "question": question,
                    "answers": [
                        {"text": text, "answer_start": start}
                        for text, start in zip(found["text"], found["answer_start"], strict=True)
                    ],
                }
            ],
        }
        for identity, context, question, found in zip(
            *(columns[name] for name in ("id", "context", "question", "answers")), strict=True
        )
    ]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "T", "paragraphs": paragraphs}]}), "utf-8")
    return path


@pytest.mark.parametrize(("split", "repaired"), [("train", 3), ("validation", 4)])
def test_squad_is_read_as_from_its_file(tmp_path, read, split, repaired):
    columns = questions(
        answers(("one", 0)),
        answers(("two", 8), ("two", 4)),
        answers(("two", 7)),  # re-found
        answers((" ", 0), ("one", 0)),  # blank
        answers(("six", 3), ("two", 4)),  # one is nowhere
        answers(("six", 3)),
        answers(),
    )
    hub = read("squad", split, "en", columns)
    card = load_card("squad")
    own = card.read((squad_json(tmp_path, columns),), split, "en")
    assert hub.examples == own.examples
    assert (hub.dropped, hub.repaired) == (own.dropped, own.repaired)
    assert hub.repaired.total() == repaired


def test_squad_v2_has_questions_without_answers(read):
    text = {"text": ["one"], "answer_start": [0]}
    first, second = read("squad-v2", "train", "en", questions(text, answers())).examples
    assert (first.answers, first.starts) == (("one",), (0,))
    assert (second.answers, second.starts, second.document) == ((), (), "T")


def test_offsets_and_texts_belong_together(read):
    with pytest.raises(DataError, match=r":1: 1 answers and 0 offsets"):
        read("squad", "train", "en", questions({"text": ["one"], "answer_start": []}))


def test_tydiqa_goes_by_ids(read):
    columns = questions(answers(("one", 0)), answers(("two", 4)), id=["finnish-1-0", "arabic-2-0"])
    reading = read("tydiqa", "train", "fi", columns)
    assert [e.id for e in reading.examples] == ["finnish-1-0"]
    assert reading.dropped == {"question in another language": 1}
    with pytest.raises(DataError, match="none of 2 rows is an example of 'sw'"):
        read("tydiqa", "train", "sw", columns)
    with pytest.raises(DataError, match=r":1: 'id' is 'q0', which does not begin"):
        read("tydiqa", "train", "fi", questions(answers(("one", 0))))


def xquad(count=ROWS):
    columns = questions(*[answers(("one", 0))] * count)
    del columns["title"]
    for row, identity, _ in ARTICLES:
        if row < count:
            columns["id"][row] = identity
    return columns


def test_xquad_gets_its_titles_back(read):
    documents = [e.document for e in read("xquad", "test", "ru", xquad()).examples]
    assert len(set(documents)) == 48
    assert documents[:75] == ["Super_Bowl_50"] * 74 + ["Warsaw"]
    assert documents[-1] == ARTICLES[-1][2]


def test_xquad_in_another_order_is_refused(read):
    columns = xquad(80)
    columns["id"] = columns["id"][1:] + columns["id"][:1]
    with pytest.raises(DataError, match=r":1: row 0 of XQuAD is not the one known"):
        read("xquad", "test", "ru", columns)
    with pytest.raises(DataError, match=r":1191: row 1190 of XQuAD"):
        read("xquad", "test", "ru", xquad(ROWS + 1))


def test_tatoeba(read):
    columns = {"source_sentence": ["eins\n", "\n", "drei\r\n"], "target_sentence": ["a\n"] * 3}
    reading = read("tatoeba", "test", "de", columns)
    assert [(e.id, e.sentence, e.english) for e in reading.examples] == [
        ("de-0", "eins", "a"),
        ("de-2", "drei", "a"),
    ]
    assert reading.dropped == {"blank sentence": 1}


def test_names(read):
    columns = {"tokens": [["Anna", "", "a b"], [""]], "ner_tags": [[1, 0, 0], [0]]}
    features = {"ner_tags": {"feature": label("O", "B-PER"), "_type": "Sequence"}}
    reading = read("panx", "train", "sw", columns, features)
    (example,) = reading.examples
    assert (example.id, example.document) == ("sw-0", "Anna a b")
    assert (example.tokens, example.tags) == (("Anna", "a b"), ("B-PER", "O"))
    assert reading.repaired == {"empty word left out": 1}
    assert reading.dropped == {"sentence without words": 1}
    columns = {"tokens": [["a"]], "ner_tags": [["O", "O"]]}
    with pytest.raises(DataError, match=r":1: 1 tokens and 2 tags"):
        read("panx", "train", "sw", columns)
    columns = {"tokens": [["a"]], "ner_tags": [["B-DATE"]]}
    with pytest.raises(DataError, match=r":1: 'ner_tags' 'B-DATE' is unknown"):
        read("panx", "train", "sw", columns)
    assert read("masakhaner2", "train", "swa", columns).examples[0].tags == ("B-DATE",)


HELLASWAG = {
    "activity_label": ["Cooking"],
    "ctx": ["He"],
    "endings": [["a", "b", "c", "d"]],
    "source_id": ["video~1"],
    "label": ["2"],
}


def test_hellaswag(read):
    (example,) = read("hellaswag", "train", "en", HELLASWAG).examples
    assert (example.id, example.document, example.label) == ("en-0", "video~1", 2)
    assert (example.context, example.choices) == ("Cooking: He", ("a", "b", "c", "d"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": [""]}, "'label' '' is unknown"),
        ({"label": ["4"]}, "'label' '4' is unknown"),
        ({"label": [None]}, "'label' is missing, expected 0 1 2 3"),
        ({"endings": [["a"]]}, "1 endings, expected 4"),
        ({"ctx": [" "]}, "none of 1 rows .* item with a blank text"),
        ({"endings": [["a", "b", "", "d"]]}, "item with a blank text"),
    ],
)
def test_hellaswag_is_read_strictly(read, change, message):
    with pytest.raises(DataError, match=message):
        read("hellaswag", "train", "en", HELLASWAG | change)


def test_cosmosqa(read):
    columns = {"id": ["x##1"], "context": ["c"], "question": ["q"], "label": [3]}
    columns |= {f"answer{n}": [str(n)] for n in range(4)}
    (example,) = read("cosmosqa", "train", "en", columns).examples
    assert (example.id, example.choices, example.label) == ("x##1", ("0", "1", "2", "3"), 3)
    with pytest.raises(DataError, match="'label' is -1, expected 0 to 3"):
        read("cosmosqa", "train", "en", columns | {"label": [-1]})


def test_csqa(read):
    columns = {
        "id": ["x"],
        "question": ["q"],
        "question_concept": ["dog"],
        "choices": [{"label": list("EDCBA"), "text": list("edcba")}],
        "answerKey": ["B"],
    }
    (example,) = read("csqa", "train", "en", columns).examples
    assert (example.document, example.question) == ("dog", "q")
    assert (example.choices, example.label) == (tuple("abcde"), 1)
    with pytest.raises(DataError, match="'answerKey' '' is unknown"):
        read("csqa", "train", "en", columns | {"answerKey": [""]})
    twice = {"label": list("AABCD"), "text": list("abcde")}
    with pytest.raises(DataError, match="choices A A B C D, expected each of A to E once"):
        read("csqa", "train", "en", columns | {"choices": [twice]})


def test_siqa(read):
    columns = {"context": ["c"], "question": ["q"], "label": ["3"]}
    columns |= {f"answer{letter}": [letter] for letter in "ABC"}
    (example,) = read("siqa", "validation", "en", columns).examples
    assert (example.id, example.document, example.label) == ("en-0", "c", 2)
    with pytest.raises(DataError, match="'label' '0' is unknown"):
        read("siqa", "validation", "en", columns | {"label": ["0"]})


def test_xcopa(read):
    columns = {"premise": ["p"], "choice1": ["a"], "choice2": ["b"]}
    columns |= {"question": ["effect"], "label": [1], "idx": [7]}
    (example,) = read("xcopa", "test", "sw", columns).examples
    assert (example.id, example.document, example.label) == ("7", "copa-508", 1)
    assert example.question == "What was the effect?"
    (example,) = read("xcopa", "validation", "sw", columns).examples
    assert example.document == "copa-408"
    many = {name: values * 12 for name, values in columns.items()} | {"idx": list(range(12))}
    reading = read("xcopa", "test", "sw", many)
    assert reading.warnings[0].startswith("xcopa test: all 12 rows ask 'What was the effect?'")
    many["question"][0] = "cause"
    assert read("xcopa", "test", "sw", many).warnings == []
    with pytest.raises(DataError, match="'idx' is 100, expected 0 to 99"):
        read("xcopa", "validation", "sw", columns | {"idx": [100]})
    with pytest.raises(DataError, match="'question' 'what' is unknown"):
        read("xcopa", "validation", "sw", columns | {"question": ["what"]})
