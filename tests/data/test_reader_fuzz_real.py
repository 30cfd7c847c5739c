"""Real files, truncated, shuffled and corrupted: a reader gives examples or one clear error.

For every card the smallest files at hand are cut down to some dozens of rows that it still reads.
Then hypothesis damages them. Whatever comes out, nothing may be lost in silence: letters put into
a line leave the number of rows read and rows counted as dropped as it was, or raise.
"""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reliability.cut import CARDS as CASES
from reliability.cut import base, written

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.files import read_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def read(name, folder, contents):
    """The total of rows read and counted, or None for an error that names a file in one line."""
    split, language, _ = base(name)
    paths = written(folder, contents)
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
