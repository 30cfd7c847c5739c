"""Two-column tag files: PAN-X in both layouts, MasakhaNER, MasakhaPOS."""

import bz2

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.columns import BLANK_WORD, IOB2, NO_WORDS, read_columns


def write(path, *lines, end="\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join([*lines, ""]).encode())
    return (path,)


def tokens(reading):
    return [list(zip(e.tokens, e.tags, strict=True)) for e in reading.examples]


def read(files, **more):
    return read_columns(files, "sw", tags=IOB2, **more)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_sentences_are_between_blank_lines(tmp_path, end):
    lines = ("", "Juma B-PER", "yuko O", "", " ", "Kenya B-LOC ", "")
    reading = read(write(tmp_path / "dev.txt", *lines, end=end))
    assert tokens(reading) == [[("Juma", "B-PER"), ("yuko", "O")], [("Kenya", "B-LOC")]]
    assert [(e.id, e.language, e.document) for e in reading.examples] == [
        ("sw-0", "sw", "Juma yuko"),
        ("sw-1", "sw", "Kenya"),
    ]
    assert not reading.dropped
    assert not reading.repaired


def test_copies_of_a_sentence_share_a_document(tmp_path):
    examples = read(write(tmp_path / "dev.txt", "a O", "", "a O")).examples
    assert [e.id for e in examples] == ["sw-0", "sw-1"]
    assert examples[0].document == examples[1].document


def test_words_of_unusual_spaces_are_words(tmp_path):
    lines = ("\u2028\tO", "\xa0\tB-LOC", "a\u2028b\tO", "x\x1cy\tO", "New York\tB-LOC")
    reading = read(write(tmp_path / "dev.tsv", *lines), separator="\t")
    assert [word for word, _ in tokens(reading)[0]] == [
        *("\u2028", "\xa0", "a\u2028b", "x\x1cy", "New York")
    ]


def test_words_that_are_empty_are_left_out_and_counted(tmp_path):
    reading = read(write(tmp_path / "dev.txt", "a O", " O", "b O", "", " O", "", "c O"))
    assert tokens(reading) == [[("a", "O"), ("b", "O")], [("c", "O")]]
    assert [e.id for e in reading.examples] == ["sw-0", "sw-2"]
    assert reading.repaired == {BLANK_WORD: 1}
    assert reading.dropped == {NO_WORDS: 1}


def test_tags_without_a_beginning_are_kept(tmp_path):
    reading = read(write(tmp_path / "dev.txt", "a O", "b I-ORG", "c B-PER", "d I-LOC"))
    assert reading.examples[0].tags == ("O", "I-ORG", "B-PER", "I-LOC")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a O", "b"], r"dev\.txt:2: 'b' has no tag; fetch it again"),
        (["a O", "b "], r"dev\.txt:2: 'b' has no tag"),
        (["a O", "", "b B-PERS"], r"dev\.txt:3: tag 'B-PERS' is unknown\. Did you mean 'B-PER'"),
        (["a B-DATE"], "tag 'B-DATE' is unknown"),
        (["", " "], r"dev\.txt: no sentences"),
    ],
)
def test_errors(tmp_path, lines, message):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "dev.txt", *lines))


def test_only_the_language_is_cut_from_original_panx_files(tmp_path):
    files = write(tmp_path / "panx_dataset/sw/test", "sw:12:30\tO", "sw::\tO", "sw:Juma\tB-PER")
    reading = load_card("panx").read(files, "test", "sw")
    assert tokens(reading) == [[("12:30", "O"), (":", "O"), ("Juma", "B-PER")]]
    with pytest.raises(DataError, match=r"test:1: 'sw:12:30' does not begin with 'en:'"):
        load_card("panx").read(files, "test", "en")


def test_prepared_panx_files_have_no_prefix(tmp_path):
    files = write(tmp_path / "panx/dev-sw.tsv", "sw:x\tO", "12:30\tO")
    assert load_card("panx").read(files, "validation", "sw").examples[0].tokens == ("sw:x", "12:30")


def test_panx_test_files_without_tags_are_refused(tmp_path):
    files = write(tmp_path / "panx/test-sw.tsv", "Juma", "yuko", "")
    with pytest.raises(DataError, match=r"test-sw\.tsv:1: .*put the original files into panx_da"):
        load_card("panx").read(files, "test", "sw")


def test_compressed_panx_without_an_extension(tmp_path):
    (tmp_path / "panx_dataset/sw").mkdir(parents=True)
    path = tmp_path / "panx_dataset/sw/train.bz2"
    path.write_bytes(bz2.compress(b"sw:a\tO\n"))
    files = load_card("panx").find((tmp_path,), "train", "sw")
    assert files == (path,)
    assert tokens(load_card("panx").read(files, "train", "sw")) == [[("a", "O")]]


def test_masakhane_tag_sets(tmp_path):
    files = write(tmp_path / "train.txt", "Janairu B-DATE", "2020 I-DATE", "Abuja B-LOC")
    for name in ("masakhaner1", "masakhaner2"):
        assert load_card(name).read(files, "train", "hau").examples[0].tags[0] == "B-DATE"
    with pytest.raises(DataError, match="tag 'B-DATE' is unknown"):
        load_card("masakhapos").read(files, "train", "hau")
    files = write(tmp_path / "pos.txt", "Abuja PROPN", ". PUNCT")
    assert load_card("masakhapos").read(files, "train", "hau").examples[0].tags[1] == "PUNCT"


LAYOUTS = [
    ("panx", "train", "gu", "panx/train-gu.tsv.gz"),
    ("panx", "validation", "th", "panx/dev-th.tsv"),
    ("panx", "test", "qu", "panx_dataset/qu/test"),
    ("panx", "test", "qu", "panx/qu/test"),
    ("masakhaner1", "test", "amh", "masakhaner1/amh/test.txt.gz"),
    ("masakhaner1", "train", "luo", "masakhane-ner/data/luo/train.txt"),
    ("masakhaner2", "validation", "mos", "masakhaner2/mos/dev.txt.gz"),
    ("masakhaner2", "validation", "mos", "MasakhaNER2.0/data/mos/dev.txt"),
    ("masakhaner2", "train", "luo", "masakhane-ner/MasakhaNER2.0/data/luo/train.txt"),
    ("masakhapos", "train", "pcm", "masakhapos/pcm/train.txt.gz"),
    ("masakhapos", "test", "pcm", "masakhane-pos/data/pcm/test.txt"),
]


@pytest.mark.parametrize(("name", "split", "language", "path"), LAYOUTS)
def test_layouts(name, split, language, path, tmp_path):
    write(tmp_path / path)
    card = load_card(name)
    assert card.find((tmp_path / "nothing", tmp_path), split, language) == (tmp_path / path,)
    for other in {"train", "validation", "test"} - {split}:
        assert card.find((tmp_path,), other, language) == ()
    for wrong in ("*", "en", "xx"):
        assert card.find((tmp_path,), split, wrong) == ()
    assert card.find((tmp_path,), "*", language) == ()


def test_original_panx_files_win_over_prepared_ones(tmp_path):
    write(tmp_path / "panx/test-sw.tsv")
    files = write(tmp_path / "panx_dataset/sw/test")
    assert load_card("panx").find((tmp_path,), "test", "sw") == files


def test_languages_of_the_benchmarks():
    panx = load_card("panx").languages
    assert (len(panx), len(set(panx[:40]))) == (48, 40)
    assert set(panx[40:]) == {"qu", "pl", "uk", "az", "lt", "pa", "gu", "ro"}
    sizes = [len(load_card(f"masakha{name}").languages) for name in ("ner1", "ner2", "pos")]
    assert sizes == [10, 20, 20]
