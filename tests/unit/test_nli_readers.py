"""Inference in many languages and in English: layouts, labels by name, what is parallel."""

import json

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.labelled import BLANK, NO_LABEL
from midway.tasks.readers.nli import OTHER_LANGUAGE

ROWS = (
    ("He left.", "He went.", "entailment"),
    ("He left.", "He stayed.", "contradiction"),
    ("He left.", "He is sad.", "neutral"),
    ("It rains.", "It is wet.", "entailment"),
)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8", errors="surrogatepass"))
    return path


def table(path, *rows, end="\n"):
    return write(path, "".join("\t".join(row) + end for row in rows))


def objects(path, *rows):
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


def read(name, *files, split="validation", language="en"):
    return load_card(name).read(files, split, language)


def plain(reading):
    return [(e.text, e.pair, e.label) for e in reading.examples]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_xnli_as_xtreme_prepares_it(tmp_path, end):
    reading = read("xnli", table(tmp_path / "dev-sw.tsv", *ROWS, end=end), language="sw")
    assert plain(reading) == list(ROWS)
    assert [e.id for e in reading.examples] == ["1", "2", "3", "4"]
    assert [e.document for e in reading.examples] == ["1", "1", "1", "2"]
    assert {e.language for e in reading.examples} == {"sw"}
    assert not (reading.dropped or reading.repaired or reading.warnings)


def test_xnli_training_data_have_a_header_and_another_spelling(tmp_path):
    rows = [*ROWS[:1], ("He left.", "He stayed.", "contradictory")]
    path = table(tmp_path / "multinli.train.sw.tsv", ("premise", "hypo", "label"), *rows)
    reading = read("xnli", path, split="train", language="sw")
    assert plain(reading) == list(ROWS[:2])
    assert [(e.id, e.document) for e in reading.examples] == [("1", "1"), ("2", "2")]


XNLI_HEADER = (
    *("language", "gold_label", "sentence1_binary_parse", "sentence1", "sentence2"),
    *("promptID", "pairID", "genre", "label1"),
)


def publisher(language, row):
    return (language, row[2], "( x )", row[0], row[1], "1", "2", "fiction", row[2])


@pytest.mark.parametrize("extension", ["tsv", "jsonl"])
def test_xnli_as_published_gives_the_same_as_xtremes(tmp_path, extension):
    rows = [publisher(code, row) for code in ("ar", "sw") for row in ROWS]
    path = tmp_path / f"xnli.dev.{extension}"
    if extension == "tsv":
        table(path, XNLI_HEADER, *rows)
    else:
        objects(path, *(dict(zip(XNLI_HEADER, row, strict=True)) for row in rows))
    reading = read("xnli", path, language="sw")
    prepared = read("xnli", table(tmp_path / "dev-sw.tsv", *ROWS), language="sw")
    assert reading.examples == prepared.examples
    assert reading.dropped == {OTHER_LANGUAGE: 4}
    with pytest.raises(DataError, match=r"no examples \(row in another language: 8\)"):
        read("xnli", path, language="bg")


def test_croatian_and_burmese(tmp_path):
    text = (
        'premise,hypo,promptID,pairID,genre,label\n"Rekao je ""da"", i ode.",Ode.,1,1,x,neutral\n'
    )
    (croatian,) = read("xnli", write(tmp_path / "xnli.dev.hr.csv", text), language="hr").examples
    assert (croatian.text, croatian.pair) == ('Rekao je "da", i ode.', "Ode.")
    header = ("genre", "label", "sentence1_en", "sentence2_en", "sentence1_my", "sentence2_my")
    row = ("x", "neutral", "He left.", "He is sad.", "သူ", "ဝမ်း")
    path = table(tmp_path / "my.genre.dev.tsv", header, row)
    (burmese,) = read("xnli", path, language="my").examples
    assert (burmese.text, burmese.pair, burmese.id) == ("သူ", "ဝမ်း", "1")


def test_a_control_character_ends_no_line(tmp_path):
    row = ("Ein\x1dSatz\u2028hier.", "Ja\x85.", "neutral")
    assert plain(read("xnli", table(tmp_path / "test-el.tsv", row))) == [row]


def test_missing_rows_are_warned_of_where_premises_show_it(tmp_path):
    reading = read("xnli", table(tmp_path / "dev-sw.tsv", *ROWS[1:]), language="sw")
    (warning,) = reading.warnings
    assert "1 premises change within three rows" in warning
    assert "dev-sw.tsv" in warning


def test_ids_stay_in_step_after_a_dropped_row(tmp_path):
    rows = [ROWS[0], (" ", "He stayed.", "neutral"), ("He left.", "x", "-"), ROWS[3]]
    reading = read("xnli", table(tmp_path / "dev-sw.tsv", *rows), language="sw")
    assert [(e.id, e.document) for e in reading.examples] == [("1", "1"), ("4", "2")]
    assert reading.dropped == {BLANK: 1, NO_LABEL: 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\n", r"test-de\.tsv:1: 2 columns and no label; .*XNLI-1\.0"),
        ("a\tb\t\nc\td\t-\n", r"test-de\.tsv: none of 2 rows has a label; .*XNLI-1\.0"),
        ("a\tb\tneutral\na\tb\n", r"test-de\.tsv:2: 2 columns, expected 3 separated by tabs"),
        ("a\tb\tneutral\n\n", r"test-de\.tsv:2: 1 columns"),
        ("a\tb\tnutral\n", r"test-de\.tsv:1: label 'nutral' is unknown\. Did you mean 'neutral'"),
        ("a\tb\t1\n", r":1: label '1' is unknown"),
        ("premise\thypo\n", r"test-de\.tsv:1: no column 'label'\. .*XNLI-1\.0"),
        ("premise\thypo\tlabel\n", r"no examples \(no rows\)"),
        ("\t\tneutral\n", r"no examples \(row with a blank text: 1\)"),
        ("", "the file is empty"),
    ],
)
def test_xnli_errors(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read("xnli", write(tmp_path / "test-de.tsv", content), split="test", language="de")


AMERICAS = ("id", "language", "premise", "hypothesis", "label")


def americas(tmp_path, *rows):
    return table(tmp_path / "gn.tsv", AMERICAS, *rows)


def test_americasnli_shares_xnlis_documents(tmp_path):
    rows = [(str(12_451 + n), "gn", *row) for n, row in enumerate(ROWS)]
    reading = read("americasnli", americas(tmp_path, *rows[1:]), language="gn")
    assert [e.id for e in reading.examples] == ["12452", "12453", "12454"]
    assert [e.document for e in reading.examples] == ["1", "1", "2"]
    rows = [("25051", "gn", *ROWS[0]), ("30060", "gn", *ROWS[1])]
    reading = read("americasnli", americas(tmp_path, *rows), split="test", language="gn")
    assert [e.document for e in reading.examples] == ["1", "1670"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ("12450", "gn", *ROWS[0]),
            r"gn\.tsv:2: id '12450', expected a number from 12451 to 14940",
        ),
        (("14941", "gn", *ROWS[0]), "id '14941'"),
        (("x", "gn", *ROWS[0]), "id 'x'"),
        (("12451", "quy", *ROWS[0]), r"gn\.tsv:2: language 'quy' is unknown.* Expected: gn"),
        (("12451", "gn", "a", "b", ""), "none of 1 rows has a label"),
        (("12451", "gn", "a", "b"), "4 columns, expected 5"),
    ],
)
def test_americasnli_errors(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        read("americasnli", americas(tmp_path, row), language="gn")


def inference(row, **more):
    return {"sentence1": row[0], "sentence2": row[1], "gold_label": row[2], **more}


def test_mnli_as_published(tmp_path):
    rows = [inference(row, pairID=f"{n}e", promptID="31193") for n, row in enumerate(ROWS)]
    rows.append(inference(("a", "b", "-"), pairID="9n", promptID="9"))
    reading = read("mnli", objects(tmp_path / "multinli_1.0_dev_matched.jsonl", *rows))
    assert plain(reading) == list(ROWS)
    assert [e.id for e in reading.examples] == ["0e", "1e", "2e", "3e"]
    assert {e.document for e in reading.examples} == {"31193"}
    assert reading.dropped == {NO_LABEL: 1}


def test_mnli_as_table_and_as_xtreme_prepares_it(tmp_path):
    header = ("premise", "hypo", "label")
    path = table(tmp_path / "multinli.train.en.tsv", header, *ROWS[:1], ("x", "y", "contradictory"))
    first, second = read("mnli", path, split="train").examples
    assert (first.id, first.document, second.label) == ("1", "He left.", "contradiction")
    assert plain(read("mnli", table(tmp_path / "train-en.tsv", *ROWS))) == list(ROWS)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (inference(ROWS[0], pairID="1"), r"dev_matched\.jsonl:1: 'promptID' is missing"),
        (inference(ROWS[0], pairID=7, promptID="1"), "'pairID' is of type int"),
        (inference(ROWS[0], pairID=" ", promptID="1"), "the id is blank"),
        (inference(("\ud800", "b", "neutral"), pairID="1", promptID="1"), "half a surrogate pair"),
        (inference(("a", "b", "hidden"), pairID="1", promptID="1"), "label 'hidden' is unknown"),
        ([1], "expected a JSON object"),
    ],
)
def test_mnli_errors(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        read("mnli", objects(tmp_path / "multinli_1.0_dev_matched.jsonl", row))


def sides(tmp_path, *rows, end=" \n"):
    return [
        write(tmp_path / f"{side}.dev", "".join(row[n] + end for row in rows))
        for n, side in enumerate(("s1", "s2", "labels"))
    ]


def test_snli_in_three_files_and_as_published(tmp_path):
    files = sides(tmp_path, *ROWS)
    files[2].write_text("".join(row[2] + "\n" for row in ROWS), encoding="utf-8")
    reading = read("snli", *files)
    assert plain(reading) == list(ROWS)
    assert [e.id for e in reading.examples] == ["1", "2", "3", "4"]
    assert [e.document for e in reading.examples] == [row[0] for row in ROWS]
    rows = [inference(row, pairID="1.jpg#2r1e") for row in (*ROWS, ("a", "b", "-"))]
    other = read("snli", objects(tmp_path / "snli_1.0_dev.jsonl", *rows))
    assert plain(other) == list(ROWS)
    assert [e.id.removeprefix("1.jpg#2r1e") for e in other.examples] == ["", "#2", "#3", "#4"]
    assert other.dropped == {NO_LABEL: 1}


def test_snli_errors(tmp_path):
    files = sides(tmp_path, *ROWS, end="\n")
    with pytest.raises(DataError, match=r"expected three files of one split, s1, s2, labels"):
        read("snli", *files[:2])
    files[1].write_text("one\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"s1\.dev: 4 lines, but 1 hypotheses and 4 labels"):
        read("snli", *files)
    files = sides(tmp_path, ("a", "b", "no"), end="\n")
    with pytest.raises(DataError, match=r"labels\.dev:1: label 'no' is unknown"):
        read("snli", *files)


def adversarial(tmp_path, number, *rows):
    path = tmp_path / "anli_v1.0" / f"R{number}" / "dev.jsonl"
    keys = ("uid", "context", "hypothesis", "label")
    return objects(path, *(dict(zip(keys, row, strict=True)) for row in rows))


CSV = (
    "context,statement,reason,gold_label,tags,uid\r\n"
    '"A ""b"".\r\nC, d.",He went.,x,c,t,u9\r\nOther.,Yes.,x,e,t,u8\r\n'
)


def test_anli_joins_its_rounds(tmp_path):
    first = adversarial(tmp_path, 1, ("u1", "He left.", "He went.", "e"))
    second = write(tmp_path / "ANLI_analysis_r2_dev.csv", CSV)
    third = adversarial(tmp_path, 3, ("u1", "He left.", "He went.", "n"))
    reading = read("anli", first, second, third)
    assert [e.id for e in reading.examples] == ["r1-u1", "r2-u9", "r2-u8", "r3-u1"]
    assert [e.label for e in reading.examples] == [
        *("entailment", "contradiction", "entailment", "neutral"),
    ]
    assert reading.examples[1].text == 'A "b".\nC, d.'
    assert reading.examples[0].document == reading.examples[3].document
    assert not reading.warnings
    (warning,) = read("anli", first, third).warnings
    assert "no file of round r2 is at hand" in warning


def test_anli_errors(tmp_path):
    path = adversarial(tmp_path, 1, ("u1", "a", "b", "entailment"))
    with pytest.raises(DataError, match=r"dev\.jsonl:1: label 'entailment' is unknown"):
        read("anli", path)
    with pytest.raises(DataError, match="the name does not tell the round"):
        read("anli", write(tmp_path / "dev.csv", CSV))


def test_anli_plus_says_what_is_missing(tmp_path):
    card = load_card("anli-plus")
    adversarial(tmp_path, 1, ("u1", "a", "b", "e"))
    published = inference(ROWS[0], pairID="1e", promptID="1")
    objects(tmp_path / "multinli_1.0" / "multinli_1.0_dev_matched.jsonl", published)
    files = card.find((tmp_path,), "validation", "en")
    reading = card.read(files, "validation", "en")
    assert [e.id for e in reading.examples] == ["anli-r1-u1", "mnli-1e"]
    assert [w.split(": ")[1].split(" is")[0] for w in reading.warnings] == [
        *("no file of round r2", "no file of round r3", "no file of snli"),
    ]
    objects(
        tmp_path / "snli_1.0" / "snli_1.0_dev.jsonl",
        published,
        inference(("a", "b", "-"), pairID="2"),
    )
    reading = card.read(card.find((tmp_path,), "validation", "en"), "validation", "en")
    assert [e.id for e in reading.examples] == ["anli-r1-u1", "mnli-1e", "snli-1e"]
    assert reading.dropped == {NO_LABEL: 1}
    with pytest.raises(DataError, match="no files; expected those of anli, mnli, snli"):
        card.read((), "validation", "en")
