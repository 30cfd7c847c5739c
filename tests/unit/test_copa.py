"""COPA's XML, SuperGLUE's JSON Lines and XCOPA."""

import json
import time

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.choice import BLANK
from midway.tasks.readers.copa import OTHER_SPLIT, QUESTIONS

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
DOCTYPE = '<!DOCTYPE copa-corpus SYSTEM "copa.dtd">\n'


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())
    return path


def item(number, label="2", asks="cause", p="My body cast a shadow &amp; more."):
    return (
        f'  <item id="{number}" asks-for="{asks}" most-plausible-alternative="{label}">\n'
        f"    <p>{p}</p>\n    <a1>The sun\n rose.</a1>\n    <a2>The grass.</a2>\n  </item>\n"
    )


def corpus(*items, head=HEAD + DOCTYPE):
    return f'{head}<copa-corpus  version="1.0">\n\n{"".join(items)}</copa-corpus>\n'


def read(path, split="train"):
    return load_card("copa").read((path,), split, "en")


def test_xml(tmp_path):
    path = write(tmp_path / "copa-dev.xml", corpus(item(1), item(400, "1", "effect")))
    first, second = read(path).examples
    assert (first.id, first.document, first.label) == ("1", "copa-1", 1)
    assert first.context == "My body cast a shadow & more."
    assert first.question == "What was the cause?"
    assert first.choices == ("The sun\n rose.", "The grass.")
    assert (second.id, second.label, second.question) == ("400", 0, "What was the effect?")


@pytest.mark.parametrize(
    ("split", "ids"), [("train", ["1", "400"]), ("validation", ["401", "500"])]
)
def test_the_development_file_is_train_and_validation(tmp_path, split, ids):
    path = write(tmp_path / "copa-dev.xml", corpus(*map(item, (1, 400, 401, 500))))
    reading = read(path, split)
    assert [e.id for e in reading.examples] == ids
    assert reading.dropped == {OTHER_SPLIT: 2}
    with pytest.raises(DataError, match=r"no items \(4 dropped: item of another split\)"):
        read(path, "test")


def test_blank_texts_are_counted(tmp_path):
    reading = read(write(tmp_path / "copa-dev.xml", corpus(item(1, p=" "), item(2))))
    assert [e.id for e in reading.examples] == ["2"]
    assert reading.dropped == {BLANK: 1}


BOMB = '<!DOCTYPE copa-corpus [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (corpus(item(1, p="&b;"), head=BOMB), "a document type 'copa-corpus', which is refused"),
        (corpus(item(1), head='<!DOCTYPE x SYSTEM "/etc/passwd">'), "document type 'x', which is"),
        (corpus(item(1), head=DOCTYPE + DOCTYPE), r"copa-dev\.xml:2: a document type"),
        (corpus(item(1, p="&unknown;")), r"copa-dev\.xml:6: not XML \(undefined entity\)"),
        (corpus(item(1)).replace("</p>", ""), r"copa-dev\.xml:7: element 'a1' inside 'p'"),
        (corpus(item(1))[:-9], r"copa-dev\.xml:11: not XML"),
        ("hello", "not XML"),
        (corpus(item(1)).replace("<a1>", "<p>").replace("</a1>", "</p>"), "a second 'p'"),
        (corpus(item(1)).replace("a2>", "a3>"), "element 'a3' inside 'item'"),
        (corpus(item(1)).replace("<p>", "words <p>"), r"text 'words' inside 'item'"),
        (corpus(item(1) + item(1)), r"copa-dev\.xml:11: id '1' occurs twice"),
        (corpus(item(0)), "item id '0', expected 1 to 1000"),
        (corpus(item(1001)), "item id '1001'"),
        (corpus(item("١")), "expected 1 to 1000"),
        (corpus(item(1, label="3")), r"copa-dev\.xml:5: label '3' is unknown"),
        (corpus(item(1, label="")), "label '' is unknown"),
        (corpus(item(1, asks="causes")), r"question 'causes' is unknown\. Did you mean 'cause'"),
        (corpus(item(1)).replace("    <a2>The grass.</a2>\n", ""), "'choice2' is missing"),
        ("<items></items>", "element 'items' inside 'nothing'"),
        (corpus(), "no items"),
    ],
)
def test_xml_errors(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as error:
        read(write(tmp_path / "copa-dev.xml", content))
    assert "\n" not in str(error.value)


def test_a_long_text_takes_linear_time(tmp_path):
    path = write(tmp_path / "copa-dev.xml", corpus(item(1, p="a &amp;\n" * 200_000)))
    start = time.perf_counter()
    assert len(read(path).examples[0].context) == 800_000
    assert time.perf_counter() - start < 5


def row(index, **changes):
    texts = {"premise": "P.", "choice1": "A.", "choice2": "B."}
    return texts | {"question": "effect", "label": 1, "idx": index, "changed": False} | changes


def lines(path, *rows, end="\r\n"):
    return write(path, "".join(json.dumps(each) + end for each in rows))


def test_superglue_has_the_ids_of_the_xml(tmp_path):
    path = lines(tmp_path / "train.jsonl", row(0), row(399, label=0, question="cause"))
    first, second = read(path).examples
    assert (first.id, first.document, first.label) == ("1", "copa-1", 1)
    assert (first.context, first.question, first.choices) == (
        *("P.", "What was the effect?", ("A.", "B.")),
    )
    assert (second.id, second.label) == ("400", 0)
    assert read(lines(tmp_path / "val.jsonl", row(99)), "validation").examples[0].id == "500"
    assert read(lines(tmp_path / "test.jsonl", row(0)), "test").examples[0].id == "501"


@pytest.mark.parametrize(
    ("split", "documents"),
    [("validation", ["copa-401", "copa-500"]), ("test", ["copa-501", "copa-600"])],
)
def test_xcopa_is_aligned_with_copa(tmp_path, split, documents):
    path = lines(tmp_path / "val.it.jsonl", row(0), row(99))
    examples = load_card("xcopa").read((path,), split, "it").examples
    assert [e.document for e in examples] == documents
    assert [(e.id, e.language) for e in examples] == [("0", "it"), ("99", "it")]


def test_xcopa_warns_of_a_question_that_is_always_the_same(tmp_path):
    read_xcopa = load_card("xcopa").read
    rows = [row(index) for index in range(10)]
    path = lines(tmp_path / "val.th.jsonl", *rows)
    (warning,) = read_xcopa((path,), "validation", "th").warnings
    assert "val.th.jsonl: all 10 rows ask 'What was the effect?'" in warning
    path = lines(tmp_path / "val.et.jsonl", *rows[:9], row(9, question="cause"))
    assert not read_xcopa((path,), "validation", "et").warnings
    path = lines(tmp_path / "val.vi.jsonl", *rows[:9])
    assert not read_xcopa((path,), "validation", "vi").warnings


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(0), row(0)], r"val\.jsonl:2: id '[04]+[01]?' occurs twice"),
        ([row(100)], r"val\.jsonl:1: 'idx' is 100, expected 0 to 99 in validation"),
        ([row(-1)], "'idx' is -1"),
        ([row("0")], "'idx' is '0'"),
        ([row(True)], "'idx' is True"),
        ([row(0, label=None)], "no label; SuperGLUE keeps"),
        ([row(0, label=2)], "label '2' is unknown"),
        ([row(0, label=False)], "label False is unknown"),
        ([row(0, question="why")], "question 'why' is unknown"),
        ([row(0, choice2=None)], "'choice2' is missing"),
        ([row(0, premise=" ")], "no items"),
        ([[]], "of type list"),
    ],
)
def test_json_errors(tmp_path, rows, message):
    path = lines(tmp_path / "val.jsonl", *rows)
    for name, language in (("copa", "en"), ("xcopa", "it")):
        with pytest.raises(DataError, match=message):
            load_card(name).read((path,), "validation", language)


def test_prompts_are_those_of_xtreme_r():
    assert QUESTIONS == {"cause": "What was the cause?", "effect": "What was the effect?"}


LAYOUTS = [
    ("copa", "test", "en", "copa/copa-test.xml"),
    ("copa", "test", "en", "COPA-resources/datasets/copa-test.xml"),
    ("copa", "train", "en", "COPA/train.jsonl"),
    ("copa", "validation", "en", "copa/val.jsonl"),
    ("copa", "train", "en", "xcopa/train-en.jsonl"),
    ("xcopa", "validation", "qu", "xcopa/data/qu/val.qu.jsonl"),
    ("xcopa", "test", "ht", "xcopa/ht/test.ht.jsonl"),
    ("xcopa", "test", "et", "xcopa/test-et.jsonl"),
]


@pytest.mark.parametrize(("name", "split", "language", "path"), LAYOUTS)
def test_layouts(name, split, language, path, tmp_path):
    file = write(tmp_path / path, "")
    card = load_card(name)
    assert card.find((tmp_path / "nothing", tmp_path), split, language) == (file,)
    for other in {"train", "validation", "test"} - {split}:
        assert card.find((tmp_path,), other, language) == ()
    assert card.find((tmp_path,), split, "*") == card.find((tmp_path,), "*", language) == ()


def test_the_development_file_serves_two_splits(tmp_path):
    file = write(tmp_path / "copa/copa-dev.xml", "")
    find = load_card("copa").find
    assert find((tmp_path,), "train", "en") == find((tmp_path,), "validation", "en") == (file,)
    assert find((tmp_path,), "test", "en") == ()


def test_translations_into_english_and_english_are_not_xcopa(tmp_path):
    write(tmp_path / "xcopa/data-gmt/et/test.et.jsonl", "")
    write(tmp_path / "xcopa/test-en.jsonl", "")
    card = load_card("xcopa")
    assert "en" not in card.languages
    assert all(card.find((tmp_path,), "test", code) == () for code in (*card.languages, "en"))
