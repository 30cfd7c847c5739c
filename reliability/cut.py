"""Small whole pieces of real benchmark files, for readers to be fed damaged copies of.

For every card the smallest files under ``MIDWAY_DATA`` are cut down to some dozens of rows that it
still reads.
"""

import json
import os
from functools import cache
from pathlib import Path

from midway.tasks import card_names, load_card
from midway.tasks.files import find_files
from midway.tasks.select import present
from midway.tasks.sources import parse_folders, read_bytes

LINES = 48  # of a table; enough for the traps, few enough for thousands of cases
PACKED = (".gz", ".bz2")
CARDS = sorted(name for name in card_names() if not name.startswith(("sampler", "django")))


@cache
def smallest(name):
    """(split, language, files) of the least data of a card; None if it has none."""
    folders = parse_folders(os.environ.get("MIDWAY_DATA"))
    card = load_card(name)
    found = [
        (split, language, find_files(card, folders, split, language))
        for split, languages in present(card, folders).items()
        for language in languages
    ]
    if not found:
        return None
    return min(found, key=lambda part: (sum(path.stat().st_size for path in part[2]), part[1]))


def shorten(path):
    """The beginning of a file that is still whole: articles, an XML tree, or lines."""
    content = read_bytes(path)
    text = content.decode("utf-8", errors="surrogateescape")
    if text.lstrip().startswith("{") and '"paragraphs"' in text:
        document = json.loads(text)
        document["data"] = document["data"][:3]
        for article in document["data"]:
            article["paragraphs"] = article["paragraphs"][:2]
        return json.dumps(document, ensure_ascii=False).encode("utf-8")
    lines = text.split("\n")
    if "<copa-corpus" in text:
        items = [n for n, line in enumerate(lines) if "</item>" in line]
        return "\n".join([*lines[: items[11] + 1], "</copa-corpus>", ""]).encode("utf-8")
    if path.suffix == ".parquet":
        return content
    whole = lines[:LINES]
    if not text.endswith("\n") or len(lines) > LINES:
        blanks = [n for n, line in enumerate(whole) if not line.strip()]
        sentences = bool(blanks) and len(blanks) > 1
        whole = whole[: blanks[-1] + 1] if sentences else whole
    return ("\n".join(whole) + "\n").encode("utf-8", errors="surrogateescape")


@cache
def base(name):
    """(split, language, {file name: content}) that the card reads, or None."""
    found = smallest(name)
    if found is None:
        return None
    split, language, files = found
    contents = {}
    for path in files:
        plain = path.with_suffix("") if path.suffix in PACKED else path
        contents[f"{path.parent.name}/{plain.name}"] = shorten(path)
    gold = next((n for n in contents if n.endswith(".gold")), None)
    if gold:  # bitext: keep gold pairs whose sentences were kept
        contents = bitext(files, contents, gold)
    return split, language, contents


def bitext(files, contents, gold):
    """Some gold pairs with their sentences."""
    sides = [name for name in contents if name != gold]
    pairs = read_bytes(files[-1]).decode().split("\n")[:12]
    wanted = {part for pair in pairs for part in pair.split("\t")}
    for name, path in zip(sides, files, strict=False):
        lines = read_bytes(path).decode().split("\n")
        kept = [line for n, line in enumerate(lines) if n < 20 or line.split("\t")[0] in wanted]
        contents[name] = ("\n".join(line for line in kept if line) + "\n").encode()
    return contents | {gold: ("\n".join(pairs) + "\n").encode()}


def written(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write files below a folder; return their paths."""
    paths = []
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths
