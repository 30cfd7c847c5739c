"""Every error that the package can raise says what was found, where, and what to do next.

All of them, in one list, are printed by ``scripts/error_messages.py``; people read that list.
What a program can check of them is checked here.
"""

import re
import sys
from pathlib import Path

import pytest

import midway.errors

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from error_messages import error_classes, messages  # noqa: E402

# What tells a user what to do: a clause after a semicolon, what was expected, a command, an option,
# or what there is to choose from.
REMEDY = re.compile(
    r"; |\bexpected\b|\bExpected\b|`midway |--[a-z]|suggest\(|\bThere (are|is)\b|\bKnown\b|"
    r"\. (Train|Write|Use|Change|Set|Run|Put|Check)\b|\bAt hand\b|\bInstall it\b|"
    r"\{hint\}|\{advice\}|_message\(|_explain\("
)
# Why a message may stand without.
MADE_ELSEWHERE = {
    "midway/metrics/": "the file's score adds both file names and what to do",
    "midway/store/local.py": "the runner adds that it is computed again",
    "midway/store/manifest.py": "the runner adds that it is computed again",
}
FOUND = messages()
OWN = [message for message in FOUND if not message.passed_on]


def test_all_are_found():
    assert len(OWN) > 250
    assert len({message.place for message in FOUND}) > 250
    assert {"DataError", "StudyError", "StoreError", "DamagedError"} <= {m.kind for m in FOUND}


def test_the_tree_in_the_docstring_is_the_one_in_the_code():
    import ast

    path = ROOT / "src/midway/errors.py"
    classes = error_classes({path: ast.parse(path.read_text("utf-8"))})
    drawn = set(re.findall(r"\b[A-Z]\w+Error\b", midway.errors.__doc__ or ""))
    assert drawn == classes


@pytest.mark.parametrize("message", OWN, ids=lambda message: message.place)
def test_message(message):
    text, bare = message.text, message.skeleton
    assert "\n" not in text, "one line"
    assert not text.endswith((".", "!", " ", ":")), "no full stop: it stands after `midway: `"
    assert not re.search(r"\binvalid\b|\boops\b|\bplease\b|\bsorry\b", bare, re.IGNORECASE)
    forwarded = re.search(r"_message\(|_explain\(|\{error\}|\{found\}|\{message\}", text)
    assert len(bare.replace("{}", " {} ").split()) >= 4 or forwarded, "says too little"
    excused = any(message.place.startswith(place) for place in MADE_ELSEWHERE)
    assert REMEDY.search(text) or excused, "says nothing of what to do"


def test_excuses_are_needed():
    for place in MADE_ELSEWHERE:
        bare = [m for m in OWN if m.place.startswith(place) and not REMEDY.search(m.text)]
        assert bare, f"{place} has no message without a remedy; take its excuse away"


def test_what_is_filled_in_is_found():
    """A message without anything filled in cannot say what was found; these need not."""
    plain = [message.text for message in OWN if "{" not in message.text]
    assert len(plain) < 0.04 * len(OWN), plain
