"""Print every message that the package can raise, with where it stands, to be read as a user would.

``python scripts/error_messages.py`` prints a line each: file, line, class, message. What is filled
in when the error occurs is shown in braces. Messages are found by reading the source, so none can
be left out: every call of a class of the tree in ``errors.py``, raised at once or returned.
"""

import argparse
import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
ROOT = "MidwayError"


@dataclass(frozen=True)
class Message:
    """One error that the source makes.

    Attributes:
        place: ``midway/…/file.py:line``.
        kind: the class.
        text: the message with its placeholders, e.g. ``{path}: the file is empty``; only
            placeholders where the text comes from elsewhere.
    """

    place: str
    kind: str
    text: str

    @property
    def skeleton(self) -> str:
        """The text with ``{}`` for each placeholder."""
        text, depth = "", 0
        for sign in self.text:
            depth += (sign == "{") - (sign == "}")
            if not depth:
                text += "{}" if sign == "}" else sign
        return text

    @property
    def passed_on(self) -> bool:
        """Whether nothing of the text stands here: it was made elsewhere."""
        return self.skeleton == "{}"


def error_classes(trees: dict[Path, ast.Module]) -> set[str]:
    """Return the names of all classes below the root error, in whichever file they are."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {ROOT}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def messages(source: Path = SOURCE) -> list[Message]:
    """Return every message, ordered by file and line."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(source.rglob("*.py"))}
    classes = error_classes(trees)
    return [
        Message(f"{path.relative_to(source)}:{call.lineno}", call.func.id, text)
        for path, tree in trees.items()
        for call in _calls(tree)
        if isinstance(call.func, ast.Name) and call.func.id in classes
        for text in _render(call.args[0] if call.args else None, _constants(tree))
    ]


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    yield from sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the values that the module's top level gives to names: messages used twice."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _render(node: ast.expr | None, known: dict[str, ast.expr]) -> list[str]:
    """Return the texts that an expression can have; more than one where it chooses."""
    match node:
        case None:
            return [""]
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            text = "".join(
                str(part.value)
                if isinstance(part, ast.Constant)
                else f"{{{ast.unparse(part.value)}}}"
                if isinstance(part, ast.FormattedValue)
                else ast.unparse(part)
                for part in parts
            )
            return [text]
        case ast.IfExp(body=first, orelse=second):
            return [*_render(first, known), *_render(second, known)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [a + b for a in _render(left, known) for b in _render(right, known)]
        case ast.Name(id=name) if name in known:
            return _render(known[name], known)
        case ast.Call(func=ast.Attribute(value=ast.expr() as value, attr="format")):
            return _render(value, known)
        case _:
            return [f"{{{ast.unparse(node)}}}"]


def main() -> None:
    """Print them all."""
    parser = argparse.ArgumentParser(description="Print every message that the package can raise.")
    parser.add_argument("--words", action="store_true", help="only the messages, without places")
    words = parser.parse_args().words
    found = messages()
    for message in found:
        print(message.text if words else f"{message.place}  {message.kind}\n    {message.text}")
    here = sum(not message.passed_on for message in found)
    if not words:
        print(f"{here} messages, and {len(found) - here} places that pass one on")


if __name__ == "__main__":
    main()
