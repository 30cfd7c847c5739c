"""Gettext catalogues as sentence pairs."""

import importlib.util

import pytest

from midway.errors import DataError
from midway.tasks import load_card
from midway.tasks.readers import django_catalogue as reader

HEADER = '# Translators:\nmsgid ""\nmsgstr ""\n"Language: xx\\n"\n'


def write(path, text):
    path.write_text(HEADER + "\n" + text, encoding="utf-8")
    return path


def test_po_grammar(tmp_path):
    path = write(
        tmp_path / "a.po",
        '#: x.py:1\nmsgctxt "menu"\nmsgid "Say \\"hi\\"\\n"\n"to them"\nmsgstr "Grüß\\\\\\t"\n\n'
        '#, fuzzy, python-format\nmsgid "b"\nmsgstr ""\n"B"\n'
        '#~ msgid "old"\n#~ msgstr "alt"\n'
        'msgid "one"\nmsgid_plural "many"\nmsgstr[0] "eins"\nmsgstr[1] "viele"\n',
    )
    header, *messages = reader.parse_po(path)
    assert (header.english, header.translation) == ("", "Language: xx\n")
    assert [(m.line, m.english, m.translation, m.fuzzy, m.plural) for m in messages] == [
        (8, 'Say "hi"\nto them', "Grüß\\\t", False, False),
        (13, "b", "B", True, False),
        (18, "one", "eins", False, True),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("msgid 'a'\n", ":6: .* is not gettext"),
        ('msgid "a\nmsgstr "b"\n', ":6: .* is not gettext"),
        ('msgid "a"b"\nmsgstr "b"\n', ":6: .* cannot stand in a string"),
        (r'msgid "a\q"' + "\n", r":6: .* cannot stand in a string"),
        ('"a"\n', ":6: a string without msgid"),
        ('msgid "a"\n\nmsgstr "b"\n', ":6: an entry with msgid; expected"),
        ('msgstr "b"\n', ":6: an entry with msgstr; expected"),
        ('msgid "a"\nmsgid "b"\nmsgstr "c"\n', ":7: a second msgid"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr "c"\n', ":6: an entry with"),
    ],
)
def test_malformed_catalogues_name_file_and_line(tmp_path, text, message):
    path = write(tmp_path / "a.po", text)
    with pytest.raises(DataError, match=r"a\.po" + message):
        list(reader.parse_po(path))


def test_only_whole_translated_messages_are_pairs(tmp_path):
    path = write(
        tmp_path / "a.po",
        'msgid "Please sign in first."\nmsgstr "Bitte erst\\n  anmelden."\n\n'
        'msgid "All of it is good."\nmsgstr "Alles ist gut."\n\n'
        'msgid "Too short now"\nmsgstr "Zu kurz"\n\n'
        'msgid "There are %d new ones."\nmsgstr "Es gibt %d neue."\n\n'
        'msgid "This has a {name} inside."\nmsgstr "Mit {name} drin."\n\n'
        'msgid "This has <b>marks</b> inside."\nmsgstr "Mit <b>Zeichen</b>."\n\n'
        'msgid "This one has no translation."\nmsgstr ""\n\n'
        'msgid "This stayed as it was."\nmsgstr "This stayed as it was."\n\n'
        '#, fuzzy\nmsgid "This one is not sure."\nmsgstr "Unsicher."\n\n'
        'msgid "One of those there is."\nmsgid_plural "Many of those there are."\n'
        'msgstr[0] "Eins."\nmsgstr[1] "Viele."\n\n'
        'msgctxt "again"\nmsgid "All of it is good."\nmsgstr "Alles gut."\n\n'
        'msgid "All of it is well."\nmsgstr "Alles ist gut."\n',
    )
    reading = reader.read_catalogues((path,), "test", "de")
    assert [(e.english, e.sentence) for e in reading.examples] == [
        ("All of it is good.", "Alles ist gut."),
        ("Please sign in first.", "Bitte erst anmelden."),
    ]
    assert reading.dropped == {
        reader.SHORT: 1,
        reader.PLACEHOLDER: 3,
        reader.UNTRANSLATED: 1,
        reader.SAME: 1,
        reader.FUZZY: 1,
        reader.PLURAL: 1,
        reader.TWICE_ENGLISH: 1,
        reader.TWICE_TRANSLATION: 1,
    }
    assert len({e.id for e in reading.examples}) == 2


def test_without_django_there_are_no_files(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert reader.locale_folders() == {}
    assert load_card("django-messages").find((), "test", "de") == ()


def test_installed_django_gives_ninety_languages_of_twenty_messages():
    pytest.importorskip("django")
    card = load_card("django-messages")
    assert len(card.languages) >= 90
    assert not any(code.split("-")[0] == "en" for code in card.languages)
    sizes: dict[str, int] = {}
    english: dict[str, str] = {}
    for code in card.languages:
        examples = card.read(card.find((), "test", code), "test", code).examples
        sizes[code] = len(examples)
        assert len({e.sentence for e in examples}) == len({e.english for e in examples})
        assert [e.english for e in examples] == sorted({e.english for e in examples})
        # An id means the same message in every language.
        assert all(english.setdefault(e.id, e.english) == e.english for e in examples)
    # Other versions of Django have other numbers; the smallest languages may fall below 20.
    assert sum(size >= 20 for size in sizes.values()) >= 88
    assert {"ky", "ug", "hsb", "tg", "sw", "ne", "cy", "sr-latn", "zh-hans"} <= set(sizes)
    assert max(sizes.values()) >= 130


def test_django_is_not_imported():
    import subprocess
    import sys

    code = (
        "import sys; from midway.tasks import load_card; card = load_card('django-messages');"
        "card.find((), 'test', 'de'); sys.exit('django' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
