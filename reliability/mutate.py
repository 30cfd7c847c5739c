"""Damage to valid inputs: bytes cut out and put in, and whole values exchanged in a tree.

Everything is drawn from the generator that is passed in, so a case is told by its number.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

MOST_CUTS = 4
SNIPPETS = (
    *(b"", b"\n", b"\r", b"\t", b" ", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b",", b":", b"="),
    *(b"<", b"&x;", b"#", b"\x00", b"\xff", b"\xc3", b"\x1c", b"\x85", b"\xe2\x80\xa8", b"\n\n"),
    *(b"null", b"NaN", b"1e999", b"-1", b"9" * 400, b"9" * 5000, b"\\ud800", b"\xef\xbb\xbf"),
    *(b"[" * 3000, b'{"a":' * 3000, b"../", b"/etc/passwd", b"a.b.c", b"true", b"-", b"_"),
    "٣".encode(),
    "𝟘".encode(),
)
WORDS = (
    *("", " ", "en", "all", "targets", "none", "squad", "mlm", "tatoeba", "udpos", "A", "test"),
    *("train", "validation", "best", "last", "family:sw", "near:en:99999", "../x", "a/b", "\x00"),
    *("<script>alert(1)</script>", "é", "x" * 5000, ".", "..", "offline:x", "~", "%s{0}", "\u202e"),
)
NUMBERS = (0, 1, -1, 2, 7, 10**9, 10**30, 10**400, 0.0, 0.5, -0.5, 1e308, 5e-324, 2**63, True)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Cut pieces out of `content` and put others in, up to four times."""
    for _ in range(rng.randint(1, MOST_CUTS)):
        start = rng.randint(0, len(content))
        match rng.randrange(6):
            case 0:  # a flipped bit
                if start < len(content):
                    flipped = content[start] ^ (1 << rng.randrange(8))
                    content = content[:start] + bytes([flipped]) + content[start + 1 :]
            case 1:  # cut off
                if rng.random() < 0.3:
                    content = content[:start]
            case 2:  # a piece twice, somewhere else
                piece = content[start : start + rng.randint(1, 40)]
                place = rng.randint(0, len(content))
                content = content[:place] + piece + content[place:]
            case 3:
                foreign = rng.randbytes(rng.randint(1, 4))
                content = content[:start] + foreign + content[start + rng.randint(0, 4) :]
            case _:
                snippet = rng.choice(SNIPPETS)
                content = content[:start] + snippet + content[start + rng.randint(0, 20) :]
    return content


def any_value(rng: random.Random, depth: int = 0) -> Any:
    """Return a value of any type that JSON and TOML know; None is left to `json_value`."""
    kind = rng.randrange(5 if depth < 3 else 3)
    if kind == 0:
        return rng.choice(WORDS)
    if kind == 1:
        return rng.choice(NUMBERS)
    if kind == 2:
        return rng.random() < 0.5
    many = range(rng.randrange(4))
    if kind == 3:
        return [any_value(rng, depth + 1) for _ in many]
    return {rng.choice(WORDS): any_value(rng, depth + 1) for _ in many}


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value below a tree of dicts and lists."""
    if not isinstance(tree, dict | list):
        return
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*path, key)
        yield from places(value, (*path, key))


def rearranged(tree: Any, rng: random.Random) -> Any:
    """Return a copy of a tree in which some values are replaced, removed, doubled or renamed."""
    tree = json.loads(json.dumps(tree))
    for _ in range(rng.randint(1, 3)):
        paths = list(places(tree))
        if not paths:
            break
        *way, last = rng.choice(paths)
        holder = tree
        for key in way:
            holder = holder[key]
        match rng.randrange(5):
            case 0:
                del holder[last]
            case 1:  # a value from elsewhere in the tree
                *there, end = rng.choice(paths)
                other = tree
                try:
                    for key in (*there, end):
                        other = other[key]
                except (KeyError, IndexError, TypeError):
                    continue
                holder[last] = json.loads(json.dumps(other))
            case 2 if isinstance(holder, dict):
                holder[rng.choice((*WORDS, *map(str, holder)))] = holder.pop(last)
            case _:
                holder[last] = any_value(rng)
    return tree


def toml(tree: Any) -> str:
    """Return a tree as TOML, every value inline."""
    return "".join(f"{_quoted(key)} = {_inline(value)}\n" for key, value in tree.items())


def _quoted(text: str) -> str:
    """A TOML string is a JSON string, but for one sign that has to be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{_quoted(key)} = {_inline(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)
