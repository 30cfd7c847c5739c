"""Whatever the bytes, a reader gives examples or a DataError, nothing else."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.django_catalogue import read_catalogues

QUESTION = {"id": "english-1-1", "question": "q?", "answers": [{"text": "c", "answer_start": 2}]}
SQUAD = json.dumps(
    {"data": [{"title": "t", "paragraphs": [{"context": "a c é", "qas": [QUESTION]}]}]},
    ensure_ascii=False,
).encode()
CONLLU = "# sent_id = s\n1-2\tab\t_\t_\t_\t_\t_\t_\t_\t_\n" + "".join(
    f"{i}\t_\t_\tNOUN\t_\t_\t_\t_\t_\t_\n" for i in (1, 2)
)
PO = 'msgid ""\nmsgstr ""\n\n#, fuzzy\nmsgid "one two three four"\nmsgstr "a \\"b\\" é"\n'
CASES = {
    "squad_v2.json": (load_card("squad-v2").read, SQUAD, 1),
    "tydiqa.json": (load_card("tydiqa").read, SQUAD, 1),
    "xx-ud-test.conllu": (load_card("udpos").read, CONLLU.encode(), 1),
    "test-xx.tsv": (load_card("udpos").read, "a b\tX\né\tADJ\n\nc\tX\n".encode(), 1),
    "tatoeba.deu-eng.deu": (load_card("tatoeba").read, "é\nb\n".encode(), 2),
    "django.po": (read_catalogues, PO.encode(), 1),
}


def mangle(content, cuts):
    """Cut pieces out and put foreign bytes in."""
    for position, length, inserted in cuts:
        start = position % (len(content) + 1)
        content = content[:start] + inserted + content[start + length :]
    return content


def read(path, reader, content, number):
    path.write_bytes(content)
    try:
        reading = reader((path,) * number, "train", "en")
    except DataError as error:
        assert "\n" not in str(error)
        assert path.name in str(error)
        return None
    for example in reading.examples:
        assert example.language == "en"
        assert example.id
    return reading


INTERESTING = st.sampled_from(
    [
        *(b"", b"\n", b"\r", b"\t", b'"', b"\\", b"{", b"]", b"\x00", b"\xff", b"\xc3", b"\x1c"),
        *(b"null", b"1e999", b"-1", b"9" * 5000, b"\\ud800", b"_", b"# newdoc\n", b"\xef\xbb\xbf"),
        "٣".encode(),
    ]
)
CUTS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 12), INTERESTING | st.binary(max_size=4)),
    min_size=1,
    max_size=4,
)
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("name", sorted(CASES))
@SETTINGS
@given(cuts=CUTS)
def test_mangled_text(tmp_path: Path, name, cuts):
    reader, content, number = CASES[name]
    read(tmp_path / name, reader, mangle(content, cuts), number)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_text_itself_is_read(tmp_path, name):
    reader, content, number = CASES[name]
    assert read(tmp_path / name, reader, content, number) is not None


@SETTINGS
@given(cuts=CUTS)
def test_mangled_archive(tmp_path: Path, cuts):
    content = mangle(gzip.compress(SQUAD, mtime=0), cuts)
    read(tmp_path / "squad_v2.json.gz", CASES["squad_v2.json"][0], content, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "paragraphs", "qas", "answers", "context", "id", "text"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@SETTINGS
@given(where=st.integers(0, 6), value=JSON)
def test_any_json_in_place_of_a_part(tmp_path: Path, where, value):
    document = json.loads(SQUAD)
    paragraph = document["data"][0]["paragraphs"][0]
    holders = [
        *((document, "data"), (document["data"], 0), (document["data"][0], "paragraphs")),
        *((paragraph, "qas"), (paragraph["qas"], 0), (paragraph["qas"][0], "answers")),
        (paragraph["qas"][0]["answers"], 0),
    ]
    holder, key = holders[where]
    holder[key] = value
    content = json.dumps(document).encode("utf-8", errors="surrogatepass")
    read(tmp_path / "x.json", CASES["squad_v2.json"][0], content, 1)
