"""CCG supertags: the Parallel Meaning Bank's terms, CCGbank's derivations."""

import time

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.ccg import REPEATED, read_ccg

SENTENCE = r"""ccg(1,
 ba(s:q,
  fa(s:q,
   t((s:q/(s:b\np))/np, 'Can', [lemma:'can', from:0, to:3]),
   lx(np, n,
    t(n, 'I\'m (a, t(n', [lemma:'\"]', from:4, to:5]))),
  t(s:q\s:q, '\"', [lemma:'?', from:27, to:28]))).
"""
WORDS = [("Can", r"(s:q/(s:b\np))/np"), ("I'm (a, t(n", "n"), ('"', r"s:q\s:q")]
SIDES = ("src", "trg")


def term(number, *words):
    leaves = [f"t(np, '{word}', [from:{n}])" for n, word in enumerate(words)]
    return f"ccg({number},\n fa(s,\n  " + ",\n  ".join(leaves) + ")).\n\n"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())
    return path


def words(example):
    return list(zip(example.tokens, example.tags, strict=True))


def test_terms(tmp_path):
    path = write(tmp_path / "dev.deu-eng.trg.gold.parse.tags", SENTENCE + "\n" + term(2, "a"))
    first, second = read_ccg((path,), "validation", "de").examples
    assert words(first) == WORDS
    assert first.id == first.document == "pmb-dev-1"
    assert words(second) == [("a", "np")]
    assert (second.id, second.language) == ("pmb-dev-2", "de")


def test_line_ends_and_blanks_do_not_matter(tmp_path):
    content = SENTENCE.replace("\n", "\r\n").replace("/np,", " / np ,")
    path = write(tmp_path / "dev.deu-eng.trg.gold.parse.tags", content)
    assert words(read_ccg((path,), "validation", "de").examples[0]) == WORDS


def test_english_sentences_of_several_pairs_are_taken_once(tmp_path):
    pairs = [
        term(1, "a", "b") + term(2, "c") + term(3, "c"),
        term(1, "a", "b") + term(2, "d") + term(4, "c"),
    ]
    files = tuple(
        write(tmp_path / f"test.{pair}-eng.src.gold.parse.tags", content)
        for pair, content in zip(("deu", "ita"), pairs, strict=True)
    )
    reading = read_ccg(files, "test", "en")
    assert [(e.id, e.tokens) for e in reading.examples] == [
        ("pmb-test-1", ("a", "b")),
        ("pmb-test-2", ("c",)),
        ("pmb-test-3", ("c",)),
        ("pmb-test-2/ita-eng", ("d",)),
    ]
    assert reading.dropped == {REPEATED: 2}
    assert reading.examples[3].document == "pmb-test-2"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ccg(1", "cg(1", r"parse\.tags:1: 'cg' in the place of 'ccg'"),
        ("ccg(1", "ccg(x", "'x' in the place of the sentence's number"),
        ("ccg(1", "ccg(٣", "in the place of the sentence's number"),
        ("'Can'", "Can", "'Can' in the place of a word with its category"),
        ("'Can'", "' '", "in the place of a word"),
        ("'Can'", "[]", r"parse\.tags:4: '\[' in the place of a word with its category"),
        ("np, 'Can'", "np 'Can'", r"parse\.tags:4: \"'Can'\" in a category"),
        ("'Can'", r"'C\an'", "an unknown escape in"),
        ("'?'", "'?", "a quote that is not closed"),
        ("))/np, 'Can'", ")/np, 'Can'", r"parse\.tags:4: ',' in a category"),
        ("(s:q/", "s:q/", r"'\)' that closes nothing"),
        ("t(n, ", "t(, ", "in the place of a word with its category"),
        (")).\n", ")\n", "the end of the file"),
        (")).\n", "))\n", "'the end' in the place of '.'"),
        (")).\n", ")]).\n", r"'\]' that closes nothing"),
        (")).\n", "))).\n", r"'\)' in the place of '.'"),
        ("[lemma:'can'", "lemma:'can'", r"in the place of '\['"),
    ],
)
def test_term_errors(tmp_path, old, new, message):
    path = write(tmp_path / "dev.deu-eng.trg.gold.parse.tags", SENTENCE.replace(old, new))
    with pytest.raises(DataError, match=message) as error:
        read_ccg((path,), "validation", "de")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (" \n", "no sentences"),
        ("ccg(1, ba(s:q, lx(np, n))).", "sentence 1 without words"),
        (term(1, "a") + term(1, "b"), "'1' in the place of the sentence's number"),
    ],
)
def test_files_of_terms(tmp_path, content, message):
    path = write(tmp_path / "dev.deu-eng.trg.gold.parse.tags", content)
    with pytest.raises(DataError, match=message):
        read_ccg((path,), "validation", "de")


@pytest.mark.parametrize("content", ["ccg(1," + "(" * 400_000, "ccg(1, t(" + "(a" * 200_000])
def test_deep_terms_take_linear_time_and_no_stack(tmp_path, content):
    path = write(tmp_path / "dev.deu-eng.trg.gold.parse.tags", content)
    start = time.perf_counter()
    with pytest.raises(DataError, match="the end of the file"):
        read_ccg((path,), "validation", "de")
    assert time.perf_counter() - start < 10


AUTO = (
    "ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1\n"
    r"(<T S[dcl] 0 1> (<T S[dcl] 1 2> (<L NP/N DT DT the NP[nb]_12/N_12>) "
    r"(<L S[dcl]\NP VBZ VBZ -LRB- S[dcl]\NP_3>) ) ) "
    "\nID=wsj_0001.2 PARSER=GOLD NUMPARSE=1\n(<L N NNP NNP Ms. N>)\n"
)


def test_derivations(tmp_path):
    path = write(tmp_path / "00/wsj_0001.auto", AUTO)
    first, second = read_ccg((path,), "validation", "en").examples
    assert words(first) == [("the", "NP/N"), ("-LRB-", r"S[dcl]\NP")]
    assert (first.id, first.document) == ("wsj_0001.1", "wsj_0001")
    assert words(second) == [("Ms.", "N")]
    assert second.id == "wsj_0001.2"


def test_sentences_that_recur_in_ccgbank_are_kept(tmp_path):
    files = (
        write(tmp_path / "wsj_0001.auto", AUTO),
        write(tmp_path / "wsj_0002.auto", AUTO.replace("wsj_0001", "wsj_0002")),
    )
    reading = read_ccg(files, "train", "en")
    assert len(reading.examples) == 4
    assert not reading.dropped


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ID=wsj_0001.2", "ID=wsj_0001.1", "sentence wsj_0001.1 occurs twice"),
        ("ID=wsj_0001.2", "ID=2", r"auto:3: 'ID=2 .*, expected ID=wsj_NNNN\.N as in CCGbank"),
        ("(<L N NNP NNP Ms. N>)\n", "", "ends after wsj_0001.2, expected its derivation"),
        ("(<L N NNP NNP Ms. N>)\n", "ID=wsj_0001.3\n", r"auto:4: .* expected a derivation"),
        ("(<L N NNP NNP Ms. N>)", "(<L N NNP Ms. N>)", r"auto:4: '\(<L N NNP' is no node"),
        ("(<L N NNP NNP Ms. N>)", "(<L N NNP NNP Ms. N>", "is no node"),
        ("(<L N NNP NNP Ms. N>)", "(<L N A A a N>) (<L N A A b N>)", "brackets do not match"),
        (") ) ) ", ") ) ", r"auto:2: brackets do not match"),
        (") ) ) ", ") ) ) ) ", r"auto:2: '\)' is no node"),
        ("(<T S[dcl] 0 1>", "(<T S[dcl] 0>", "is no node"),
        ("(<L N NNP NNP Ms. N>)", "(<T N 0 1> )", r"auto:4: brackets do not match"),
    ],
)
def test_derivation_errors(tmp_path, old, new, message):
    path = write(tmp_path / "wsj_0001.auto", AUTO.replace(old, new))
    with pytest.raises(DataError, match=message):
        read_ccg((path,), "train", "en")


def test_an_auto_file_without_sentences(tmp_path):
    with pytest.raises(DataError, match="no sentences"):
        read_ccg((write(tmp_path / "wsj_0001.auto", "\n"),), "train", "en")


def test_ccgbank_by_sections(tmp_path):
    card = load_card("ccg")
    files = {
        section: write(tmp_path / f"ccgbank/AUTO/{section}/wsj_{section}01.auto", AUTO)
        for section in ("00", "01", "02", "21", "22", "23")
    }
    assert card.find((tmp_path,), "train", "en") == (files["02"], files["21"])
    assert card.find((tmp_path,), "validation", "en") == (files["00"],)
    assert card.find((tmp_path,), "test", "en") == (files["23"],)
    assert card.find((tmp_path,), "train", "de") == ()
    (warning,) = card.read((files["02"],), "train", "en").warnings
    assert "train is without the sections 03, 04" in warning
    assert warning.endswith("20, 21")
    assert not card.read((files["00"],), "validation", "en").warnings


def test_pairs(tmp_path):
    card = load_card("ccg")
    names = [f"dev.{code}-eng.{side}.gold.parse.tags" for code in ("deu", "nld") for side in SIDES]
    files = {name: write(tmp_path / "ccg-pmb" / name, term(1, "a")) for name in names}
    english = tuple(file for name, file in files.items() if ".src." in name)
    assert card.find((tmp_path,), "validation", "en") == english
    assert card.find((tmp_path,), "validation", "nl") == (files["dev.nld-eng.trg.gold.parse.tags"],)
    for split, language in (("validation", "it"), ("test", "en"), ("train", "en"), ("*", "de")):
        assert card.find((tmp_path,), split, language) == ()
    assert card.find((tmp_path,), "validation", "*") == ()
    assert not card.read(english, "validation", "en").warnings
    bank = write(tmp_path / "ccgbank/data/AUTO/00/wsj_0001.auto", AUTO)
    assert card.find((tmp_path,), "validation", "en") == (bank,)
