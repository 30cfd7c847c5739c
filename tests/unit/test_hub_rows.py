"""A row of the hub: what is asked for is there, of the right type, or there is one clear error."""

from collections import Counter

import pytest

from midway.errors import DataError
from midway.tasks.hub.rows import Row

VALUES = {
    "text": "a",
    "blank": " ",
    "number": 3,
    "none": None,
    "inner": {"texts": ["a", "b"], "starts": [0, 2]},
    "label": "yes",
    "tags": ["yes", "no"],
    "codes": [0, 1],
    "mixed": ["a", None],
}


@pytest.fixture
def row():
    return Row(VALUES, "de", "test", 0)


def test_what_is_there(row):
    assert row.text("text") == row.line("text") == "a"
    assert row.line("blank") == " "
    assert row.integer("number") == 3
    assert row.texts("inner.texts") == ("a", "b")
    assert row.integers("inner.starts") == (0, 2)
    assert row.label("label", ("no", "yes")) == "yes"
    assert row.label("label", {"yes": "1", "no": "0"}) == "1"
    assert row.label("none", ("yes",)) is None
    assert row.labels("tags", {"yes": "Y", "no": "N"}) == ("Y", "N")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.text("txt"), r"no column 'txt'\. Did you mean 'text'\? Found: text, blank"),
        (lambda r: r.text("inner.text"), r"no column 'inner.text'\. Did you mean 'texts'"),
        (lambda r: r.text("text.more"), r"no column 'text.more'\. Found: nothing"),
        (lambda r: r.text("blank"), "'blank' is blank, expected text"),
        (lambda r: r.text("number"), "'number' is of type int, expected a string"),
        (lambda r: r.text("none"), "'none' is missing, expected a string"),
        (lambda r: r.integer("text"), "'text' is of type str, expected a whole number"),
        (lambda r: r.texts("text"), "'text' is of type str, expected a list"),
        (lambda r: r.texts("mixed"), "'mixed' is missing, expected strings only"),
        (lambda r: r.integers("tags"), "'tags' is of type str, expected whole numbers only"),
        (lambda r: r.label("label", ("yep", "no")), r"'label' 'yes' is unknown\..* Expected: yep"),
        (lambda r: r.label("number", ("yes",)), "'number' is 3 and the file does not name"),
        (lambda r: r.labels("codes", ("yes",)), "'codes' is 0 and the file does not name"),
        (lambda r: r.labels("mixed", ("a",)), "'mixed' None is unknown"),
    ],
)
def test_what_is_not(row, ask, message):
    with pytest.raises(DataError, match=message):
        ask(row)


def test_count():
    counts = Counter()
    row = Row({}, "de", "test", 0, repaired=counts)
    row.count("moved", 0)
    assert counts == {}
    row.count("moved", 2)
    assert counts == {"moved": 2}
