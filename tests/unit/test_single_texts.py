"""AfriSenti and SIB-200."""

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.labelled import UNQUOTED

SIB = "index_id\tcategory\ttext\n"


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="")
    return path


def read(name, folder, split, language):
    card = load_card(name)
    files = card.find((folder,), split, language)
    assert files
    return card.read(files, split, language)


def shape(reading):
    return [(e.id, e.document, e.text, e.pair, e.label) for e in reading.examples]


@pytest.mark.parametrize(
    ("name", "split", "language", "path"),
    [
        ("afrisenti", "train", "hau", "afrisenti/hau/train.tsv"),
        ("afrisenti", "validation", "hau", "afrisenti/data/hau/dev.tsv"),
        ("afrisenti", "test", "hau", "afrisent-semeval-2023/data/hau/test.tsv.gz"),
        ("sib200", "train", "ace_Latn", "sib200/ace_Latn/train.tsv.gz"),
        ("sib200", "validation", "ace_Latn", "sib-200/data/annotated/ace_Latn/dev.tsv"),
    ],
)
def test_layouts(name, split, language, path, tmp_path):
    file = write(tmp_path, path, "x")
    card = load_card(name)
    assert card.find((tmp_path / "nothing", tmp_path), split, language) == (file,)
    assert card.find((tmp_path,), split, "*") == ()
    assert card.find((tmp_path,), "nonsense", language) == ()
    others = {"train", "validation", "test"} - {split}
    assert all(card.find((tmp_path,), other, language) == () for other in others)


@pytest.mark.parametrize(
    "content",
    [
        "tweet\tlabel\n@user a\tneutral\nb\tpositive\n@user a\tnegative\n",
        "ID\ttweet\tlabel\r\n3\t@user a\tneutral\r\n4\tb\tpositive\r\n5\t@user a\tnegative\r\n",
    ],
)
def test_tweets(tmp_path, content):
    write(tmp_path, "afrisenti/orm/dev.tsv", content)
    assert shape(read("afrisenti", tmp_path, "validation", "orm")) == [
        ("1", "@user a", "@user a", "", "neutral"),
        ("2", "b", "b", "", "positive"),
        ("3", "@user a", "@user a", "", "negative"),
    ]


def test_tweets_that_went_through_a_csv_writer(tmp_path):
    rows = 'tweet\tlabel\n"a ""b"""\tneutral\nc\tneutral\n'
    write(tmp_path, "afrisenti/por/test.tsv", rows)
    reading = read("afrisenti", tmp_path, "test", "por")
    assert [e.text for e in reading.examples] == ['a "b"', "c"]
    assert reading.repaired == {UNQUOTED: 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ID\ttweet\n1\ta\n", r"no column 'label'.*labelled file of AfriSenti's repository"),
        ("tweet\tlabel\na\tmixed\n", r"test\.tsv:2: label 'mixed' is unknown.*Expected: positive"),
        ("tweet\tlabel\na\t\n", "none of 1 rows has a label"),
        ("tweet\tlabel\na\n", r"test\.tsv:2: 1 columns, expected 2"),
        ("tweet\tlabel\n", r"no examples \(no rows\)"),
    ],
)
def test_damaged_tweets(tmp_path, content, message):
    write(tmp_path, "afrisenti/por/test.tsv", content)
    with pytest.raises(DataError, match=message):
        read("afrisenti", tmp_path, "test", "por")


def test_topics(tmp_path):
    rows = '548\tscience/technology\t"a ""b"""\n12\ttravel\tc\n'
    write(tmp_path, "sib200/ace_Latn/dev.tsv", SIB + rows)
    reading = read("sib200", tmp_path, "validation", "ace_Latn")
    assert shape(reading) == [
        ("548", "548", 'a "b"', "", "science/technology"),
        ("12", "12", "c", "", "travel"),
    ]
    assert reading.repaired == {UNQUOTED: 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{SIB}1\tmusic\ta\n", r"dev\.tsv:2: label 'music' is unknown"),
        (f"{SIB}\ttravel\ta\n", r"dev\.tsv:2: the id is blank"),
        ("index_id\ttext\n1\ta\n", r"no column 'category'.*annotated files of SIB-200"),
    ],
)
def test_damaged_topics(tmp_path, content, message):
    write(tmp_path, "sib200/ace_Latn/dev.tsv", content)
    with pytest.raises(DataError, match=message):
        read("sib200", tmp_path, "validation", "ace_Latn")


def test_sizes_of_the_benchmarks():
    assert len(load_card("sib200").languages) == 205
    assert len(load_card("sib200").labels) == 7
    assert len(load_card("afrisenti").languages) == 14
    assert load_card("afrisenti").rule == "weighted_f1"
