"""English sentences by rule."""

import time

import pytest

from midway.tasks.readers.sentences import join_across, sentence_spans


def sentences(text):
    return [text[begin:end] for begin, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "Yes." She left.', ['He said "Yes."', "She left."]),
        ("(It rained.) “Yes…” He went.", ["(It rained.)", "“Yes…”", "He went."]),
        ("It fell 2.5 m. 12 men saw it.", ["It fell 2.5 m.", "12 men saw it."]),
        ("Dr. Who met J. Smith in St. Louis. Ok.", ["Dr. Who met J. Smith in St. Louis.", "Ok."]),
        ("The U.S. Army came on Jan. 5. It won.", ["The U.S. Army came on Jan. 5.", "It won."]),
        ("He ran. and fell. (Twice.)", ["He ran. and fell.", "(Twice.)"]),
        ("  One.\n\nTwo.  ", ["One.", "Two."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("", []),
        (" \n", []),
    ],
)
def test_where_sentences_end(text, expected):
    assert sentences(text) == expected


def test_every_letter_is_in_one_sentence():
    text = ' A. B? "C." d e.g. F (G). 9 h! "I'
    spans = sentence_spans(text)
    covered = [place for begin, end in spans for place in range(begin, end)]
    assert len(set(covered)) == len(covered)
    assert {i for i, letter in enumerate(text) if not letter.isspace()} <= set(covered)


def test_answers_are_never_cut():
    spans = [(0, 4), (5, 9), (10, 14), (15, 19)]
    assert join_across(spans, [(2, 7)]) == [(0, 9), (10, 14), (15, 19)]
    assert join_across(spans, [(2, 7), (6, 12)]) == [(0, 14), (15, 19)]
    assert join_across(spans, [(0, 4), (10, 14)]) == spans


@pytest.mark.parametrize("text", ["." * 50_000, ".”" * 25_000, " " * 50_000, "a." * 25_000])
def test_long_runs_take_no_time(text):
    start = time.perf_counter()
    sentence_spans(text)
    assert time.perf_counter() - start < 2
