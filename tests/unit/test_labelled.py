"""What the readers of the classification tasks share."""

import pytest

from midway.errors import DataError
from midway.tasks.readers.labelled import (
    BLANK,
    BROKEN,
    NO_LABEL,
    UNQUOTED,
    Labelled,
    string_cell,
)

NAMES = {"text": "one", "pair": "two", "label": "label"}
BARE = ("text", "pair", "label")


def new(labels=("yes", "no")):
    return Labelled("en", {each: each for each in labels}, instead="get another file")


def rows(tmp_path, content, *, bare=BARE, lossy=False):
    path = tmp_path / "x.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = new()
    return found, found.rows(path, NAMES, bare=bare, lossy=lossy)


def add(found, tmp_path, text="a", label="yes", *, identity="1"):
    cells = {"text": text, "pair": "b", "label": label}
    return found.add(tmp_path / "x.tsv", 7, cells, identity=identity, document="d")


def test_with_and_without_header(tmp_path):
    _, bare = rows(tmp_path, "a\tb\tyes\nc\td\tno\n")
    assert bare[1] == (2, {"text": "c", "pair": "d", "label": "no"})
    _, headed = rows(tmp_path, "label\tmore\ttwo\tone\r\nyes\tx\tb\ta\r\n")
    assert headed == [(2, {"text": "a", "pair": "b", "label": "yes"})]


def test_lines_end_at_line_feeds_only(tmp_path):
    _, found = rows(tmp_path, "a\x1cb\tc\u2028d\tyes\n")
    assert found == [(1, {"text": "a\x1cb", "pair": "c\u2028d", "label": "yes"})]


@pytest.mark.parametrize(
    ("content", "texts", "count"),
    [
        ('"a ""b"" c"\td\tyes\ne\tf\tno\n', ["a", "b"], 1),
        ('"a ""b"""\t"""c"" d"\tyes\n', ['a "b"', '"c" d'], 1),
        ('"a ""b"""\t"c, without any"\tyes\n', ['a "b"', "c, without any"], 1),
        ('"a ""b"""\tc "d"\tyes\n', ['"a ""b"""', 'c "d"'], 0),
        ('"a"\t"b"\tyes\n', ['"a"', '"b"'], 0),
        ('"\t""\tyes\n', ['"', '""'], 0),
        ('"""a"" b"\t"\tyes\n', ['"""a"" b"', '"'], 0),
    ],
)
def test_csv_quoting_is_undone_in_files_that_have_it_throughout(tmp_path, content, texts, count):
    found, (first, *_) = rows(tmp_path, content)
    if len(texts[0]) > 1 or count == 0:
        assert [first[1]["text"], first[1]["pair"]] == texts
    else:
        assert first[1]["text"] == 'a "b" c'
    assert found.reading.repaired[UNQUOTED] == count


def test_quoting_is_undone_once(tmp_path):
    _, (row,) = rows(tmp_path, '"""a """"b"""" c"""\td\tyes\n')
    assert row[1]["text"] == '"a ""b"" c"'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\n", r"x\.tsv:1: 2 columns and no label; get another file"),
        ("a\tb\tyes\na\tb\n", r"x\.tsv:2: 2 columns, expected 3 separated by tabs"),
        ("a\n", r"x\.tsv:1: 1 columns, expected 3"),
        ("one\ttwo\tlabel\na\tb\n", r"x\.tsv:2: 2 columns, expected 3"),
        ("one\ttwo\na\tb\n", r"x\.tsv:1: no column 'label'\. Found: one, two.*get another file"),
        ("one\tlabel\n", r"x\.tsv:1: no column 'two'\. Found: one, label, expected a header line$"),
        ("one\ttwo\tlabels\n", r"no column 'label'\. Did you mean 'labels'\?.*header line$"),
        (b"a\xff\tb\tyes\n", "not valid UTF-8"),
    ],
)
def test_what_is_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        rows(tmp_path, content)


def test_a_file_that_always_has_a_header(tmp_path):
    with pytest.raises(DataError, match="no column 'one'"):
        rows(tmp_path, "a\tb\tyes\n", bare=())


def test_lossy_files(tmp_path):
    content = b"one\ttwo\tlabel\na\xe2\x80\tb\tyes\nc\n\td\tno\n"
    found, kept = rows(tmp_path, content, lossy=True)
    assert [cells["text"] for _, cells in kept] == ["a\ufffd", ""]
    assert found.reading.dropped == {BROKEN: 1}
    with pytest.raises(DataError, match="2 columns"):
        rows(tmp_path, b"a\tb\tyes\na\tb\n", lossy=True)


def test_examples_and_what_is_dropped(tmp_path):
    found = new()
    assert add(found, tmp_path)
    assert not add(found, tmp_path, " ")
    assert not add(found, tmp_path, label="-")
    assert not add(found, tmp_path, label="")
    reading = found.done([tmp_path])
    assert [(e.id, e.text, e.pair, e.label, e.language) for e in reading.examples] == [
        ("1", "a", "b", "yes", "en")
    ]
    assert reading.dropped == {BLANK: 1, NO_LABEL: 2}
    assert reading.repaired == {}


def test_ids_given_twice_get_the_line_number(tmp_path):
    found = new()
    for _ in range(3):
        add(found, tmp_path)
    assert [e.id for e in found.reading.examples] == ["1", "1#7", "1#7#7"]


def test_blank_ids_and_unknown_labels(tmp_path):
    with pytest.raises(DataError, match=r"x\.tsv:7: the id is blank"):
        add(new(), tmp_path, identity=" ")
    with pytest.raises(DataError, match=r"x\.tsv:7: label 'yess' is unknown\. Did you mean 'yes'"):
        add(new(), tmp_path, label="yess")


def test_nothing_left(tmp_path):
    found = new()
    add(found, tmp_path, label="-")
    with pytest.raises(DataError, match=r"x\.tsv: none of 1 rows has a label; get another file"):
        found.done([tmp_path / "x.tsv"])
    found = new()
    add(found, tmp_path, " ")
    with pytest.raises(DataError, match=r"no examples \(row with a blank text: 1\)"):
        found.done([tmp_path / "x.tsv"])
    with pytest.raises(DataError, match=r"no file: no examples \(no rows\)"):
        new().done([])


def test_strings_of_json(tmp_path):
    assert string_cell(tmp_path, 1, {"a": " "}, "a") == ""
    assert string_cell(tmp_path, 1, {"a": " b"}, "a") == " b"
    for row, message in (
        ({"a": 1}, "'a' is of type int"),
        ({}, "'a' is missing"),
        ({"a": "\ud800"}, "half a surrogate pair"),
    ):
        with pytest.raises(DataError, match=message):
            string_cell(tmp_path, 1, row, "a")
