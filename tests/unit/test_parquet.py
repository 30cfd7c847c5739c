"""The hub's Parquet files, and what is wrong with some."""

import json

import pyarrow as pa
import pytest
from hub_files import NLI, hub, label, labelled, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midway.errors import DataError
from midway.tasks.examples import TaggedSentence
from midway.tasks.readers import parquet
from midway.tasks.readers.parquet import label_names, read_parquet

COLUMNS = {"premise": ["a", "b", "c", "d"], "label": [1, 0, -1, 2]}


def read(*paths, source=None, split="validation", language="de"):
    return read_parquet(source or hub(), paths, split, language)


def test_labels_are_names(tmp_path):
    path = write(tmp_path / "x.parquet", COLUMNS, features={"label": label(*NLI)})
    reading = read(path)
    assert [e.label for e in reading.examples] == ["neutral", "entailment", "contradiction"]
    assert [e.id for e in reading.examples] == ["0", "1", "3"]  # rows keep their numbers
    assert reading.dropped == {"no label": 1}
    other = write(tmp_path / "y.parquet", COLUMNS, features={"label": label(*NLI[::-1])})
    assert [e.label for e in read(other).examples] == ["neutral", "contradiction", "entailment"]


def test_without_names_the_order_is_not_guessed(tmp_path):
    path = write(tmp_path / "x.parquet", COLUMNS)
    with pytest.raises(DataError, match=r"x.parquet:1: 'label' is 1 and the file does not name"):
        read(path)


def test_labels_may_be_text(tmp_path):
    path = write(tmp_path / "x.parquet", {"premise": ["a"], "label": ["neutral"]})
    assert read(path).examples[0].label == "neutral"


def tagged(row):
    tags = row.labels("tags", ("O", "B-PER"))
    return TaggedSentence(str(row.number), row.language, "", row.texts("tokens"), tags)


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": label("O", "B-PER"), "length": -1, "_type": "Sequence"},
        {"feature": label("O", "B-PER"), "_type": "List"},
        [label("O", "B-PER")],
    ],
)
def test_lists_of_labels(tmp_path, feature):
    columns = {"tokens": [["a", "b"], ["c"]], "tags": [[0, 1], [0]]}
    path = write(tmp_path / "x.parquet", columns, features={"tags": feature})
    first, second = read(path, source=hub(tagged)).examples
    assert (first.tags, second.tags) == (("O", "B-PER"), ("O",))


def test_shards_are_numbered_through(tmp_path):
    paths = [
        write(tmp_path / f"{n}.parquet", {"premise": ["a", "b"], "label": ["neutral", "neutral"]})
        for n in range(3)
    ]
    assert [e.id for e in read(*paths).examples] == list("012345")


def test_batches_are_numbered_through(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_ROWS", 3)
    columns = {"premise": ["a"] * 8, "label": ["neutral"] * 7 + ["what"]}
    path = write(tmp_path / "x.parquet", columns, row_group_size=4)
    with pytest.raises(DataError, match=r"x.parquet:8: 'label' 'what' is unknown"):
        read(path)


def test_the_split_on_the_hub_is_told(tmp_path):
    path = write(tmp_path / "plain/test_b/0000.parquet", {"a": [1]})
    source = hub(lambda row: row.part)
    with pytest.raises(DataError, match="1 test_b"):
        read(path, source=source)


def test_columns(tmp_path):
    path = write(tmp_path / "x.parquet", {"text": ["a"], "label": ["neutral"]})
    with pytest.raises(DataError, match=r"x.parquet:1: no column 'premise'\..*Found: text, label"):
        read(path)


def test_a_label_out_of_range(tmp_path):
    columns = {"premise": ["a", "b"], "label": [0, 3]}
    path = write(tmp_path / "x.parquet", columns, features={"label": label(*NLI)})
    with pytest.raises(DataError, match=r"x.parquet:2: 'label' is 3, expected 0 to 2 \(ent"):
        read(path)


def test_ids_are_unique(tmp_path):
    path = write(tmp_path / "x.parquet", {"premise": ["a", "b"], "label": ["neutral"] * 2})

    def same(row):
        row.number = 7
        return labelled(row)

    with pytest.raises(DataError, match=r"x.parquet:2: the id '7' occurs twice"):
        read(path, source=hub(same))


def test_no_example_at_all(tmp_path):
    path = write(tmp_path / "x.parquet", COLUMNS)
    with pytest.raises(DataError, match=r"x.parquet: none of 4 rows .*'de' \(4 why\)"):
        read(path, source=hub(lambda _: "why"))
    empty = write(tmp_path / "y.parquet", {"premise": pa.array([], pa.string())})
    with pytest.raises(DataError, match=r"y.parquet: none of 0 rows"):
        read(empty)


def test_damaged_files(tmp_path):
    path = write(tmp_path / "x.parquet", COLUMNS, features={"label": label(*NLI)})
    data = path.read_bytes()
    for content in (b"", b"PAR1", data[:-30], data[: len(data) // 2], b"\x1f\x8b" + data):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"x\.parquet: not readable as Parquet .*data fetch"):
            read(path)
    path.unlink()
    with pytest.raises(DataError, match=r"x\.parquet: no such file"):
        read(path)


def test_text_that_is_not_unicode(tmp_path):
    raw = pa.array([b"a", b"\xff"], pa.binary()).view(pa.string())
    path = write(tmp_path / "x.parquet", {"premise": raw, "label": ["neutral"] * 2})
    with pytest.raises(DataError, match=r"x\.parquet: not readable as Parquet"):
        read(path)


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "{", '{"info": 1}', '{"info": {"features": []}}', "[" * 5000),
        '{"info": {"features": {"label": 1, "x": {"names": []}, "y": {"names": [1]}}}}',
        '{"info": {"features": {"label": {"feature": null}, "z": [{}, {}]}}}',
    ],
)
def test_metadata_that_name_nothing(text):
    assert label_names({b"huggingface": text.encode()}) == {}


def test_metadata():
    assert label_names({}) == {}
    features = {"a": label("x"), "b": {"feature": label("y")}, "c": {"dtype": "string"}}
    text = json.dumps({"info": {"features": features}}).encode()
    assert label_names({b"huggingface": text}) == {"a": (["x"], False), "b": (["y"], True)}


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), min_size=1, max_size=3)
)
def test_whatever_the_bytes(tmp_path, cuts):
    path = write(tmp_path / "x.parquet", COLUMNS, features={"label": label(*NLI)})
    data = path.read_bytes()
    for position, inserted in cuts:
        start = position % len(data)
        data = data[:start] + inserted + data[start + len(inserted) :]
    path.write_bytes(data)
    try:
        reading = read(path)
    except DataError as error:
        assert "\n" not in str(error)
        assert "x.parquet" in str(error)
    else:
        assert len(reading.examples) + reading.dropped.total() > 0
