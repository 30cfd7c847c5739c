"""Small files, small functions, few positional parameters, a package one can read.

The package's limits are on lines of code: docstrings, comments and blank lines are not counted; the
catalogue's grows with its cards (docs/decisions/0005). A file's and a function's are on all lines.
"""

import ast
import io
import tokenize
from importlib.util import find_spec
from pathlib import Path

import pytest

from midway.tasks import card_names

SOURCE = Path(find_spec("midway").origin).parent
FILES = sorted(SOURCE.rglob("*.py"))
ENGINE_LINES, EVIDENCE_LINES, LINES_PER_CARD = 13_100, 5_200, 175
EVIDENCE = ("advice", "analysis", "claims", "report", "stats")
FILE_LINES, FUNCTION_LINES, PARAMETERS, CARD_LINES = 300, 60, 6, 80


def lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def code_lines(text):
    """Count lines that hold code."""
    marks = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    held = {
        number
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in marks | {tokenize.ENDMARKER}
        for number in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            held -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(held)


def test_code_lines():
    text = '"""Doc."""\n\n# why\nx = [\n    1,\n]\n\n\ndef f():\n    """More."""\n    return x\n'
    assert code_lines(text) == 5


def test_the_package_stays_small():
    assert len(FILES) > 50
    counts = {"engine": 0, "evidence": 0, "tasks": 0}
    for path in FILES:
        first = path.relative_to(SOURCE).parts[0]
        part = "tasks" if first == "tasks" else "evidence" if first in EVIDENCE else "engine"
        counts[part] += code_lines(path.read_text(encoding="utf-8"))
    assert counts["engine"] < ENGINE_LINES
    assert counts["evidence"] < EVIDENCE_LINES
    assert counts["tasks"] < LINES_PER_CARD * len(card_names())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_file(path):
    limit = CARD_LINES if path.parent.name == "catalogue" else FILE_LINES
    assert lines(path) <= limit, "too long: divide the file"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES, f"{node.name}: {length} lines"
            if not commands(node):
                count = len(node.args.posonlyargs) + len(node.args.args)
                assert count <= PARAMETERS, f"{node.name}: {count} positional parameters"


def commands(node):
    """A command of the command line is called by its options' names, never by position."""
    return any("typer" in ast.dump(argument) for argument in node.args.args if argument.annotation)
