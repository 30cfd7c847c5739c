"""Real files, truncated, shuffled and corrupted: a reader gives examples or one clear error.

For every card the smallest files at hand are cut down to some dozens of rows that it still reads.
Then hypothesis damages them. Whatever comes out, nothing may be lost in silence: letters put into
a line leave the number of rows read and rows counted as dropped as it was, or raise.
"""

import contextlib
import json
import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midway.errors import DataError
from midway.tasks import card_names, load_card
from midway.tasks.files import find_files, read_files
from midway.tasks.select import present
from midway.tasks.sources import parse_folders, read_bytes

LINES = 48  # of a table; enough for the traps, few enough for thousands of cases
PACKED = (".gz", ".bz2")
NOT_OURS = {name for name in card_names() if name.startswith(("sampler", "django"))}
CASES = sorted(set(card_names()) - NOT_OURS)


@cache
def smallest(name):
    """(split, language, files) of the least data of a card; None if it has none."""
    folders = parse_folders(os.environ["MIDWAY_DATA"])
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


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


def read(name, folder, contents):
    """The total of rows read and counted, or None for an error that names a file in one line."""
    split, language, _ = base(name)
    paths = []
    for file, content in contents.items():
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    try:
        reading = read_files(load_card(name), tuple(paths), split, language)
    except DataError as error:
        assert "\n" not in str(error)
        assert any(path.name in str(error) for path in paths), error
        return None
    identities = [(getattr(e, "side", ""), e.id) for e in reading.examples]
    assert len(set(identities)) == len(identities)
    assert all(example.language == language for example in reading.examples)
    assert all(count > 0 for count in reading.dropped.values())
    return len(reading.examples) + reading.dropped.total()


DAMAGE = st.sampled_from(
    [
        *(b"", b"\n", b"\r", b"\t", b" ", b'"', b"\\", b"{", b"]", b"<", b"&x;", b"\x00", b"\xff"),
        *(b"\xc3", b"\x1c", b"\xe2\x80\xa8", b"null", b"9" * 400, b"\\ud800", b"\n\n", b"- ", b"#"),
    ]
)
SETTINGS = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def present_only(name):
    if base(name) is None:
        pytest.skip("no files")


@pytest.mark.parametrize("name", CASES)
def test_the_base_is_read(name, folder):
    present_only(name)
    assert read(name, folder, base(name)[2]) > 0


@pytest.mark.parametrize("name", CASES)
@SETTINGS
@given(data=st.data())
def test_damaged_bytes(name, folder, data):
    present_only(name)
    contents = dict(base(name)[2])
    for _ in range(data.draw(st.integers(1, 3))):
        file = data.draw(st.sampled_from(sorted(contents)))
        content = contents[file]
        start = data.draw(st.integers(0, len(content)))
        size = data.draw(st.integers(0, 20))
        contents[file] = content[:start] + data.draw(DAMAGE) + content[start + size :]
    read(name, folder, contents)


@pytest.mark.parametrize("name", CASES)
@SETTINGS
@given(data=st.data())
def test_truncated_files(name, folder, data):
    present_only(name)
    contents = dict(base(name)[2])
    file = data.draw(st.sampled_from(sorted(contents)))
    contents[file] = contents[file][: data.draw(st.integers(0, len(contents[file])))]
    whole = read(name, folder, base(name)[2])
    total = read(name, folder, contents)
    assert total is None or total <= whole


@pytest.mark.parametrize("name", CASES)
@SETTINGS
@given(data=st.data())
def test_shuffled_lines(name, folder, data):
    present_only(name)
    contents = dict(base(name)[2])
    file = data.draw(st.sampled_from(sorted(contents)))
    lines = contents[file].split(b"\n")
    contents[file] = b"\n".join(data.draw(st.permutations(lines)))
    read(name, folder, contents)


@pytest.mark.parametrize("name", CASES)
@SETTINGS
@given(data=st.data())
def test_letters_in_a_line_never_make_a_row_disappear(name, folder, data):
    present_only(name)
    contents = dict(base(name)[2])
    whole = read(name, folder, contents)
    file = data.draw(st.sampled_from(sorted(contents)))
    lines = contents[file].split(b"\n")
    full = [n for n, line in enumerate(lines) if line.strip()]
    number = data.draw(st.sampled_from(full))
    line = lines[number]
    place = data.draw(st.integers(0, len(line)))
    with contextlib.suppress(UnicodeDecodeError):
        line[:place].decode("utf-8")  # letters go between characters only
        letters = data.draw(st.sampled_from([b"x", b"Zq", b"id", b"O"]))
        lines[number] = line[:place] + letters + line[place:]
    total = read(name, folder, contents | {file: b"\n".join(lines)})
    assert total is None or total == whole


def test_every_reader_is_here():
    assert len(CASES) > 20
    assert all(Path(name).name == name for name in CASES)
