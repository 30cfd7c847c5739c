"""HellaSwag, Cosmos QA, CommonsenseQA, Social IQa."""

import json

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.choice import BLANK


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8", errors="surrogatepass"))
    return path


def lines(path, *rows, end="\n"):
    return write(path, "".join(json.dumps(row) + end for row in rows))


def read(name, *files, split="validation"):
    return load_card(name).read(files, split, "en")


def swag(**changes):
    row = {
        "ind": 24,
        "activity_label": "Roofing",
        "ctx_a": "A man is on a roof.",
        "ctx_b": "he",
        "ctx": "A man is on a roof. he",
        "endings": ["sings.", "sleeps.", "pulls up tiles.", "flies."],
        "source_id": "activitynet~v_1",
        "label": 2,
    }
    return {key: value for key, value in (row | changes).items() if value != "GONE"}


def test_hellaswag_json(tmp_path):
    path = lines(tmp_path / "hellaswag_val.jsonl", swag(), swag(label="0", ind=25), end="\r\n")
    first, second = read("hellaswag", path).examples
    assert first.context == "Roofing: A man is on a roof. he"
    assert first.question == ""
    assert first.choices == ("sings.", "sleeps.", "pulls up tiles.", "flies.")
    assert (first.id, first.document, first.label) == ("en-0", "activitynet~v_1", 2)
    assert (second.id, second.label) == ("en-1", 0)


def test_hellaswag_sample_with_other_key_names(tmp_path):
    row = swag(ctx="GONE", ctx_a="GONE", ctx_b="GONE", ind="GONE", context="[header] How to x")
    (example,) = read("hellaswag", lines(tmp_path / "hellaswag_val_1_en.jsonl", row)).examples
    assert example.context == "Roofing: [header] How to x"


TEXT = "Roofing: A man is on a roof. he\n2\nsings.\nsleeps.\npulls up tiles.\nflies.\n"


def test_hellaswag_text_gives_the_same_as_json(tmp_path):
    (example,) = read("hellaswag", write(tmp_path / "hellaswag_val_full.txt", TEXT)).examples
    path = lines(tmp_path / "hellaswag_val.jsonl", swag(source_id="GONE"))
    (other,) = read("hellaswag", path).examples
    assert example.document == example.context
    assert (example.id, example.context, example.choices, example.label) == (
        *(other.id, other.context, other.choices, other.label),
    )


def test_hellaswag_items_with_a_blank_text_are_counted(tmp_path):
    path = write(tmp_path / "hellaswag_val_full.txt", TEXT.replace("sleeps.", " ") + TEXT)
    reading = read("hellaswag", path)
    assert [e.id for e in reading.examples] == ["en-1"]
    assert reading.dropped == {BLANK: 1}
    with pytest.raises(DataError, match=r"no items \(1 dropped: item with a blank text\)"):
        read("hellaswag", lines(tmp_path / "hellaswag_val.jsonl", swag(ctx=" ")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT + "more\n", r"full\.txt:7: 7 lines, expected 6 an item"),
        (TEXT.replace("\n2\n", "\n4\n"), r"full\.txt:2: label '4' is unknown"),
        (TEXT + "x: y\n-1\na\nb\nc\nd\n", r"full\.txt:8: label '-1' is unknown"),
    ],
)
def test_hellaswag_text_errors(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read("hellaswag", write(tmp_path / "hellaswag_val_full.txt", content))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "GONE"}, r"val\.jsonl:1: no label; HellaSwag's test file has none"),
        ({"label": ""}, "no label"),
        ({"label": True}, "label True is unknown"),
        ({"label": 4}, "label '4' is unknown"),
        ({"endings": ["a", "b", "c"]}, "'endings' is not a list of 4 texts"),
        ({"endings": ["a", "b", "c", 4]}, "'ending' is of type int"),
        ({"endings": {"a": 1}}, "'endings' is not a list"),
        ({"ctx": "GONE"}, "'context' is missing"),
        ({"ctx": "\ud800"}, "half a surrogate pair"),
        ({"activity_label": None}, "'activity_label' is missing"),
        ({"source_id": 5}, "'source_id' is of type int"),
    ],
)
def test_hellaswag_json_errors(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        read("hellaswag", lines(tmp_path / "hellaswag_val.jsonl", swag(**changes)))


COSMOS = (
    "id,context,question,answer0,answer1,answer2,answer3,label\r\n"
    'a##1,"He said , ""no"" .\r\nTwice .",Why ?,A,B,C,None of the above choices .,3\r\n'
    "a##2,Other .,Why ?,A,B,C,D,0\r\n"
)


def test_cosmosqa(tmp_path):
    first, second = read("cosmosqa", write(tmp_path / "valid.csv", COSMOS)).examples
    assert first.context == 'He said , "no" .\nTwice .'
    assert (first.id, first.question, first.label) == ("a##1", "Why ?", 3)
    assert first.choices == ("A", "B", "C", "None of the above choices .")
    assert first.document != second.document
    assert len(first.document) == 16


def test_cosmosqa_documents_are_the_paragraphs(tmp_path):
    row = "a##3,Other .,Who ?,A,B,C,D,1\r\n"
    _, second, third = read("cosmosqa", write(tmp_path / "valid.csv", COSMOS + row)).examples
    assert second.document == third.document


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("a##2", "a##1", r"valid\.csv:4: id 'a##1' occurs twice"),
        ("a##2", " ", "'id' is blank"),
        (",0\r\n", ",4\r\n", "label '4' is unknown"),
        (",0\r\n", ",\r\n", "label '' is unknown"),
        ("label", "gold", r"valid\.csv:1: no column 'label'"),
        (",label\r\n", ',"la\nbel"\r\n', r"no column 'label'\..* answer3, la bel; expected"),
        (",D,0", ",D,0,1", "9 columns, expected 8"),
        ('""no""', '"no"', "not comma-separated"),
    ],
)
def test_cosmosqa_errors(tmp_path, old, new, message):
    with pytest.raises(DataError, match=message) as error:
        read("cosmosqa", write(tmp_path / "valid.csv", COSMOS.replace(old, new)))
    assert "\n" not in str(error.value)


def test_cosmosqa_blank_answers_are_counted(tmp_path):
    path = write(tmp_path / "valid.csv", COSMOS.replace("B,C,D", ",C,D"))
    reading = read("cosmosqa", path)
    assert len(reading.examples) == 1
    assert reading.dropped == {BLANK: 1}


def csqa(letters="ABCDE", **changes):
    question = {
        "question_concept": "door",
        "choices": [{"label": x, "text": f"text {x}"} for x in letters],
        "stem": "Where is a door?",
    }
    return {"answerKey": "C", "id": "q1", "question": question} | changes


def test_csqa_choices_are_in_the_order_of_their_letters(tmp_path):
    path = lines(tmp_path / "dev_rand_split.jsonl", csqa("CABED"), csqa(id="q2", answerKey="A"))
    first, second = read("csqa", path).examples
    assert first.choices == second.choices == tuple(f"text {x}" for x in "ABCDE")
    assert (first.label, second.label) == (2, 0)
    assert (first.id, first.document, first.context) == ("q1", "door", "")
    assert first.question == "Where is a door?"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "q", "question": csqa()["question"]}, r"split\.jsonl:1: no 'answerKey'; Comm"),
        (csqa(answerKey=""), "no 'answerKey'"),
        (csqa(answerKey="F"), "label 'F' is unknown"),
        (csqa(answerKey=["A"]), "is unknown"),
        (csqa("ABCD"), "4 choices A B C D, expected each of A B C D E once"),
        (csqa("ABCDEE"), "6 choices"),
        (csqa("ABCDF"), "choice 'F' is unknown"),
        (csqa(question="Where?"), "no list 'question.choices'"),
        (csqa(question={"choices": ["A"]}), "'label' is missing"),
        (csqa(id=7), "'id' is of type int"),
    ],
)
def test_csqa_errors(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        read("csqa", lines(tmp_path / "dev_rand_split.jsonl", row))


def test_csqa_ids_occur_once(tmp_path):
    with pytest.raises(DataError, match=r":2: id 'q1' occurs twice"):
        read("csqa", lines(tmp_path / "dev_rand_split.jsonl", csqa(), csqa()))


def siqa(**changes):
    row = {"context": "Kim ran.", "question": "Why?", "answerA": "a", "answerB": "b"}
    return row | {"answerC": "c"} | changes


def test_siqa_with_a_file_of_labels(tmp_path):
    questions = lines(tmp_path / "dev.jsonl", siqa(), siqa(), siqa(answerB=" "), siqa())
    labels = write(tmp_path / "dev-labels.lst", "3\n1\n2\n2\n")
    reading = read("siqa", questions, labels)
    assert [e.label for e in reading.examples] == [2, 0, 1]
    assert [e.id for e in reading.examples] == ["en-0", "en-1", "en-3"]
    assert reading.dropped == {BLANK: 1}
    example = reading.examples[0]
    assert (example.context, example.question, example.choices) == (
        *("Kim ran.", "Why?", ("a", "b", "c")),
    )
    assert example.document == "Kim ran."


def test_siqa_with_the_answer_in_the_question(tmp_path):
    path = lines(tmp_path / "socialIQa_v1.4_dev.jsonl", siqa(correct="B"), siqa(correct="A"))
    assert [e.label for e in read("siqa", path).examples] == [1, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("1\n", r"labels\.lst: 1 labels, but dev\.jsonl has 2 questions"),
        ("1\n2\n3\n", "3 labels"),
        ("1\n0\n", r"labels\.lst:2: label '0' is unknown"),
        (None, r"dev\.jsonl:1: no 'correct' and no file of labels"),
    ],
)
def test_siqa_label_errors(tmp_path, labels, message):
    files = [lines(tmp_path / "dev.jsonl", siqa(), siqa())]
    files += [write(tmp_path / "dev-labels.lst", labels)] if labels else []
    with pytest.raises(DataError, match=message):
        read("siqa", *files)


def test_siqa_other_errors(tmp_path):
    with pytest.raises(DataError, match="label 'D' is unknown"):
        read("siqa", lines(tmp_path / "dev.jsonl", siqa(correct="D")))
    with pytest.raises(DataError, match="'answerC' is missing"):
        read("siqa", lines(tmp_path / "dev.jsonl", siqa(correct="A", answerC=None)))
    with pytest.raises(DataError, match="found nothing, expected questions"):
        read("siqa")


LAYOUTS = [
    ("hellaswag", "train", "hellaswag/hellaswag_train.jsonl"),
    ("hellaswag", "validation", "hellaswag/hellaswag_val_full.txt.bz2"),
    ("hellaswag", "validation", "hellaswag/hellaswag_val_500_en.jsonl.gz"),
    ("cosmosqa", "train", "cosmosqa/train.csv"),
    ("cosmosqa", "validation", "cosmosqa/valid.csv.gz"),
    ("csqa", "train", "csqa/train_rand_split.jsonl"),
    ("csqa", "validation", "csqa/dev_rand_split.jsonl.gz"),
    ("siqa", "train", "siqa/socialIQa_v1.4_trn.jsonl"),
    ("siqa", "validation", "siqa/socialIQa_v1.4_dev.jsonl"),
    ("siqa", "test", "siqa/socialIQa_v1.4_tst.jsonl"),
]


@pytest.mark.parametrize(("name", "split", "path"), LAYOUTS)
def test_layouts(name, split, path, tmp_path):
    file = write(tmp_path / path, "")
    card = load_card(name)
    assert card.find((tmp_path / "nothing", tmp_path), split, "en") == (file,)
    for other in {"train", "validation", "test"} - {split}:
        assert card.find((tmp_path,), other, "en") == ()
    assert card.find((tmp_path,), split, "*") == card.find((tmp_path,), "*", "en") == ()


def test_complete_files_win(tmp_path):
    card = load_card("hellaswag")
    for name in ("hellaswag_val_500_en.jsonl", "hellaswag_val_full.txt", "hellaswag_val.jsonl"):
        file = write(tmp_path / "hellaswag" / name, "")
        assert card.find((tmp_path,), "validation", "en") == (file,)


def test_siqa_labels_lie_beside_the_questions(tmp_path):
    folder = tmp_path / "siqa/socialiqa-train-dev"
    questions = write(folder / "train.jsonl.gz", "")
    card = load_card("siqa")
    assert card.find((tmp_path,), "train", "en") == (questions,)
    labels = write(folder / "train-labels.lst.gz", "")
    assert card.find((tmp_path,), "train", "en") == (questions, labels)


def test_there_is_no_test_split_where_the_labels_are_kept_back(tmp_path):
    write(tmp_path / "csqa/test_rand_split_no_answers.jsonl", "")
    write(tmp_path / "hellaswag/hellaswag_test.jsonl", "")
    for name in ("csqa", "hellaswag", "cosmosqa"):
        assert load_card(name).splits == ("train", "validation")
        assert load_card(name).find((tmp_path,), "test", "en") == ()
