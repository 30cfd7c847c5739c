"""The one line that every error is."""

import pickle

import pytest

from midway import errors
from midway.errors import DataError, MidwayError, one_line


@pytest.mark.parametrize("text", ["", "plain", "ünï ਪੰਜਾਬੀ 中文 ελ", "x" * 1500])
def test_ordinary_text_stays(text):
    assert one_line(text) == text


def test_lines_become_one():
    assert str(DataError("a\nb\n  c\td\r")) == "a b   c d "


def test_what_a_terminal_would_obey_is_written_out():
    assert str(DataError("\x1b[2J gone \x07 \u202e turned \ud800")) == (
        "\\x1b[2J gone \\x07 \\u202e turned \\ud800"
    )


def test_a_long_message_keeps_beginning_and_end():
    text = str(DataError("file.txt:3: " + "x" * 10**6 + "; fetch it again"))
    assert len(text) < 1600
    assert text.startswith("file.txt:3: xxx")
    assert text.endswith("x; fetch it again")


@pytest.mark.parametrize(
    "kind", [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, MidwayError)]
)
def test_errors_travel_between_processes(kind):
    error = pickle.loads(pickle.dumps(kind("a\nb")))
    assert type(error) is kind
    assert str(error) == "a b"
