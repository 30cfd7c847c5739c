"""Part-of-speech files: CoNLL-U and the two-column layouts."""

import gzip

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers.conllu import TEXT_REMOVED, UPOS, read_pos


def word(identity, form, tag="NOUN"):
    return "\t".join([str(identity), form, "_", tag, *"______"])


def write(path, *lines, end="\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join([*lines, ""]).encode())
    return (path,)


def tokens(reading):
    return [list(zip(e.tokens, e.tags, strict=True)) for e in reading.examples]


def test_ranges_and_empty_nodes_are_skipped(tmp_path):
    files = write(
        tmp_path / "fr_x-ud-test.conllu",
        *("# sent_id = s1", "# text = du pain"),
        *(word("1-2", "du", "_"), word(1, "de", "ADP"), word(2, "le", "DET")),
        *(word("2.1", "mangé", "VERB"), word(3, "pain"), ""),
    )
    reading = read_pos(files, "test", "fr")
    assert tokens(reading) == [[("de", "ADP"), ("le", "DET"), ("pain", "NOUN")]]
    assert reading.examples[0].id == "fr_x-ud-test/s1"


def test_marathi_words_take_the_form_of_their_range(tmp_path):
    files = write(
        tmp_path / "mr_ufal-ud-test.conllu",
        *(word(1, "तो"), word("2-3", "त्याच्या", "_"), word(2, "_", "PRON"), word(3, "_", "ADP")),
        *(word(4, "_", "SYM"), ""),
    )
    assert tokens(read_pos(files, "test", "mr")) == [
        [("तो", "NOUN"), ("त्याच्या", "PRON"), ("त्याच्या", "ADP"), ("_", "SYM")]
    ]


def test_sentences_without_text_are_counted_and_underscores_kept(tmp_path):
    files = write(
        tmp_path / "ar_nyuad-ud-test.conllu",
        *(word(1, "_"), word(2, "_"), ""),
        *(word(1, "a"), word(2, "_", "PUNCT"), ""),
    )
    reading = read_pos(files, "test", "ar")
    assert tokens(reading) == [[("a", "NOUN"), ("_", "PUNCT")]]
    assert reading.dropped == {TEXT_REMOVED: 1}


def test_documents(tmp_path):
    files = write(
        tmp_path / "en_x-ud-test.conllu",
        *("# sent_id = a", word(1, "no"), ""),
        *("# newdoc id = d1", "# sent_id = b", word(1, "one"), ""),
        *("# sent_id = b", word(1, "two"), ""),
    )
    examples = read_pos(files, "test", "en").examples
    assert [e.document for e in examples] == [
        "en_x-ud-test/a",
        "en_x-ud-test/d1",
        "en_x-ud-test/d1",
    ]
    assert [e.id for e in examples] == ["en_x-ud-test/a", "en_x-ud-test/b", "en_x-ud-test/#3"]


def test_pud_documents_are_the_same_in_all_languages(tmp_path):
    documents = []
    for language in ("hi", "th"):
        files = write(
            tmp_path / f"{language}_pud-ud-test.conllu", "# sent_id = n01001013", word(1, "x"), ""
        )
        documents.append(read_pos(files, "test", language).examples[0].document)
    assert documents == ["pud/n01001"] * 2


def test_windows_line_ends_mark_and_odd_separators(tmp_path):
    path = tmp_path / "ug_x-ud-test.conllu.gz"
    lines = [word(1, "a\x1cb"), word(2, "two words", "PROPN"), "", word(1, "c")]
    path.write_bytes(gzip.compress(("\ufeff# text = x\r\n" + "\r\n".join(lines)).encode()))
    assert tokens(read_pos((path,), "test", "ug")) == [
        [("a\x1cb", "NOUN"), ("two words", "PROPN")],
        [("c", "NOUN")],
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["# x", word(1, "a"), word(2, "b", "NUON")], r":3: tag 'NUON' .*Did you mean 'NOUN'"),
        ([word(1, "a", "_")], ":1: tag '_' is not one of the 17"),
        ([word(1, "a", "noun")], ":1: tag 'noun'"),
        ([word(1, "a"), "2\tb\tNOUN"], ":2: 3 columns, expected 10 separated by tabs"),
        ([word(1, "a") + "\tmore"], ":1: 11 columns"),
        ([word(1, "a"), word(3, "b")], ":2: word id '3', expected 2"),
        ([word("x", "a")], ":1: word id 'x', expected 1"),
        ([word("2-3", "ab", "_"), word(1, "a")], ":1: range 2-3 is out of order"),
        ([word(1, "")], ":1: the word is blank"),
        ([word("1-2", "ab", "_")], ":1: a sentence without words"),
        (["# only a comment"], ": no sentences"),
    ],
)
def test_malformed_lines_name_file_and_line(tmp_path, lines, message):
    files = write(tmp_path / "en_x-ud-test.conllu", *lines, "")
    with pytest.raises(DataError, match=r"en_x-ud-test\.conllu" + message):
        read_pos(files, "test", "en")


def test_two_columns(tmp_path):
    tabbed = write(tmp_path / "dev-vi.tsv", "# NUM", "hai từ\tNOUN".replace("#", ""), "", "x\tX")
    with pytest.raises(DataError, match=r"dev-vi\.tsv:1: '# NUM' has no tag"):
        read_pos(tabbed, "validation", "vi")
    tabbed = write(tmp_path / "dev-vi.tsv", "#\tSYM", "hai từ\tNOUN", "", "x\tX")
    reading = read_pos(tabbed, "validation", "vi")
    assert tokens(reading) == [[("#", "SYM"), ("hai từ", "NOUN")], [("x", "X")]]
    assert [e.id for e in reading.examples] == ["dev-vi/#1", "dev-vi/#2"]
    spaced = write(tmp_path / "UD_Arabic-PADT.token-tag/test.txt", "كوارث NOUN", "a b X")
    reading = read_pos(spaced, "test", "ar")
    assert tokens(reading) == [[("كوارث", "NOUN"), ("a b", "X")]]
    assert reading.examples[0].id == "UD_Arabic-PADT.token-tag/test/#1"


def test_test_files_without_tags_are_refused(tmp_path):
    files = write(tmp_path / "test-de.tsv", "Das", "ist", "")
    with pytest.raises(DataError, match=r"test-de\.tsv:1: 'Das' has no tag; XTREME's preparation"):
        read_pos(files, "test", "de")


def test_all_treebanks_of_a_language_are_joined_in_order(tmp_path):
    for name in ("UD_English-PUD/en_pud-ud-test", "UD_English-EWT/en_ewt-ud-test"):
        write(tmp_path / f"ud/{name}.conllu", word(1, name[-12:]), "")
    write(tmp_path / "ud/UD_English-EWT/en_ewt-ud-dev.conllu", word(1, "dev"), "")
    write(tmp_path / "ud/UD_Guarani-X/gun_x-ud-test.conllu", word(1, "gun"), "")
    write(tmp_path / "ud/UD_Arabic-PADT.token-tag/test.txt", "x X")
    write(tmp_path / "ud/UD_Arabic-PUD/ar_pud-ud-test.conllu", word(1, "y"), "")
    card = load_card("udpos")
    names = [path.name for path in card.find((tmp_path,), "test", "en")]
    assert names == ["en_ewt-ud-test.conllu", "en_pud-ud-test.conllu"]
    assert card.find((tmp_path,), "test", "gn") == ()
    arabic = card.read(card.find((tmp_path,), "test", "ar"), "test", "ar")
    assert tokens(arabic) == [[("x", "X")], [("y", "NOUN")]]
    assert len(UPOS) == 17


def test_xtremes_own_layout_is_found_where_there_are_no_treebanks(tmp_path):
    (prepared,) = write(tmp_path / "udpos/train-en.tsv", "a\tDET")
    assert load_card("udpos").find((tmp_path,), "train", "en") == (prepared,)
