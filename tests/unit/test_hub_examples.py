"""Rows of the hub's data sets become the examples that the publishers' files give."""

import json

import pytest
from hub_files import label, write

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.files import find_files, read_files
from midway.tasks.hub.lock import Pinned, lock_text
from midway.tasks.hub.xquad_articles import ARTICLES, ROWS
from midway.tasks.readers.parquet import read_parquet


@pytest.fixture
def read(tmp_path):
    """Read rows of a task from the hub."""

    def read_rows(task, split, language, columns, features=None):
        source = load_card(task).hub
        part = source.parts(split, language)[0]
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
    with pytest.raises(DataError, match=r":1: 'id' is 'q0', expected one that begins"):
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


NLI = {"label": label("entailment", "neutral", "contradiction")}


def pairs(*labels, **more):
    columns = {"premise": [f"p{n}" for n in range(len(labels))], "label": list(labels)}
    return columns | {"hypothesis": ["h"] * len(labels)} | more


def test_xnli_has_three_hypotheses_for_a_premise(read):
    columns = pairs(0, 1, 2, 0, premise=["p", "p", "p", "q"])
    reading = read("xnli", "test", "sw", columns, NLI)
    assert [(e.id, e.document, e.label) for e in reading.examples] == [
        ("1", "1", "entailment"),
        ("2", "1", "neutral"),
        ("3", "1", "contradiction"),
        ("4", "2", "entailment"),
    ]
    assert reading.warnings == []
    train = read("xnli", "train", "sw", columns, NLI).examples
    assert [e.document for e in train] == ["1", "2", "3", "4"]
    (warning,) = read("xnli", "test", "sw", pairs(0, 1, 2), NLI).warnings
    assert warning.startswith("xnli test: 1 premises change within three rows")


def test_rows_without_label_or_text_are_counted(read):
    columns = pairs(-1, 0, 1, hypothesis=["h", " ", "h"])
    reading = read("snli", "train", "en", columns, NLI)
    assert reading.dropped == {"row without a label": 1, "row with a blank text": 1}
    assert [(e.id, e.document) for e in reading.examples] == [("3", "p2")]


def test_mnli(read):
    columns = pairs(2, promptID=[31193], pairID=["31193n"])
    (example,) = read("mnli", "validation", "en", columns, NLI).examples
    assert (example.id, example.document, example.pair) == ("31193n", "31193", "h")
    assert load_card("mnli").hub.parts("validation", "en") == ("default/validation_matched",)


def test_anli_goes_by_rounds(read):
    parts = load_card("anli").hub.parts("validation", "en")
    assert parts == tuple(f"plain_text/dev_r{n}" for n in (1, 2, 3))
    (example,) = read("anli", "validation", "en", pairs(0, uid=["u"]), NLI).examples
    assert (example.id, example.document) == ("r1-u", "p0")


def test_anli_plus_takes_its_parts_from_the_hub(tmp_path):
    places = (
        ("facebook/anli/plain_text/dev_r1", pairs(0, uid=["u"])),
        ("facebook/anli/plain_text/dev_r2", pairs(0, uid=["u"])),
        ("facebook/anli/plain_text/dev_r3", pairs(0, uid=["u"])),
        ("nyu-mll/multi_nli/default/validation_matched", pairs(2, promptID=[1], pairID=["1c"])),
        ("stanfordnlp/snli/plain_text/validation", pairs(1)),
    )
    pinned = {}
    for place, columns in places:
        write(tmp_path / "hub" / place / "0000.parquet", columns, features=NLI)
        owner, name, folder = place.split("/", 2)
        files = pinned.setdefault(f"{owner}/{name}", {})
        files[f"{folder}/0000.parquet"] = ("0" * 64, 1)
    lock = {repo: Pinned("main", "c" * 40, files) for repo, files in pinned.items()}
    (tmp_path / "hub/lock.json").write_text(lock_text(lock), encoding="utf-8")
    card = load_card("anli-plus")
    files = find_files(card, (tmp_path,), "validation", "en")
    reading = read_files(card, files, "validation", "en")
    ids = [example.id for example in reading.examples]
    assert ids == ["anli-r1-u", "anli-r2-u", "anli-r3-u", "mnli-1c", "snli-1"]


PAWSX = {"label": label("0", "1")}


def test_pawsx(read):
    columns = {"id": [7, 8], "sentence1": ["a", "b"], "sentence2": ["c", "NS"], "label": [1, 0]}
    first, second = read("pawsx", "test", "de", columns, PAWSX).examples
    assert (first.id, first.document, first.label) == ("1", "1", "paraphrase")
    assert second.pair == "NS"
    reading = read("pawsx", "train", "de", columns, PAWSX)
    assert len(reading.examples) == 1
    assert reading.dropped == {"row with NS in place of a sentence": 1}
    assert "NS stands in place" in read("pawsx", "test", "de", columns, PAWSX).warnings[0]


def test_pawsx_is_unquoted_as_its_files_are(read):
    columns = {"sentence1": ['"a ""b"""', "c"], "sentence2": ["d", "e"], "label": [1, 0]}
    reading = read("pawsx", "test", "fr", columns, PAWSX)
    assert [e.text for e in reading.examples] == ['a "b"', "c"]
    assert reading.repaired == {"row with its CSV quoting undone": 1}
    columns["sentence2"][1] = 'a single " sign'
    assert read("pawsx", "test", "fr", columns, PAWSX).examples[0].text == '"a ""b"""'


def test_qqp(read):
    columns = {"question1": ["Who?"], "question2": ["Which?"], "label": [1], "idx": [5]}
    features = {"label": label("not_duplicate", "duplicate")}
    (example,) = read("qqp", "train", "en", columns, features).examples
    assert (example.id, example.document, example.label) == ("5", "who?", "duplicate")


def test_single_texts(read):
    columns = {"tweet": ["a", "b"], "label": ["positive", "neutral"]}
    examples = read("afrisenti", "train", "hau", columns).examples
    assert [(e.id, e.document, e.pair) for e in examples] == [("1", "a", ""), ("2", "b", "")]
    columns = {"index_id": [12], "category": ["travel"], "text": ["a"]}
    (example,) = read("sib200", "train", "ace_Latn", columns).examples
    assert (example.id, example.document, example.label) == ("12", "12", "travel")
