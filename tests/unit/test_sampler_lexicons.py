"""The sampler's languages as data: complete, and refused with one clear line when they are not."""

import json

import pytest

from midway.errors import DataError
from midway.tasks.sampler import lexicon as lexicons
from midway.tasks.sampler import world

LANGUAGES = lexicons.languages()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_statement_says_all_that_is_the_case(language):
    structure = lexicons.read_structure(lexicons.STRUCTURE)
    lexicon = lexicons.read_lexicon(lexicons.LEXICONS / f"{language}.json", structure)
    for name, template in lexicon.templates.items():
        slots = {part.name for part in template if isinstance(part, lexicons.Slot)}
        if name in lexicons.STATEMENTS:
            assert slots == set(world.SLOTS[name.removesuffix("_2")]), name
        else:
            english = lexicons.read_lexicon(lexicons.LEXICONS / "en.json", structure)
            parts = english.templates[name]
            assert slots == {p.name for p in parts if isinstance(p, lexicons.Slot)}, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_a_class_differ(language):
    structure = lexicons.read_structure(lexicons.STRUCTURE)
    lexicon = lexicons.read_lexicon(lexicons.LEXICONS / f"{language}.json", structure)
    for name, forms in lexicon.words.items():
        for form, words in forms.items():
            assert form == "verb" or len(set(words.values())) == len(words), (name, form)


def change(path, tmp_path, edit):
    raw = json.loads(path.read_text(encoding="utf-8"))
    edit(raw)
    copy = tmp_path / path.name
    copy.write_text(json.dumps(raw), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda raw: raw["place"].pop("lima"), r"en\.json: place: missing lima"),
        (lambda raw: raw["month"].update(nov="November"), r"month: .*unknown nov"),
        (lambda raw: raw.update(givn={}), "keys: missing none; unknown givn"),
        (lambda raw: raw.pop("script"), "keys: missing script"),
        (lambda raw: raw["questions"].pop("has_most"), "questions: missing has_most"),
        (lambda raw: raw["statements"].update(lives="{who}."), r"'lives' has the slot \{who\}"),
        (lambda raw: raw["thing"].update(book="a|b|c"), "thing 'book' has 3 forms, expected 2"),
    ],
)
def test_a_damaged_lexicon_is_refused(tmp_path, edit, message):
    structure = lexicons.read_structure(lexicons.STRUCTURE)
    path = change(lexicons.LEXICONS / "en.json", tmp_path, edit)
    with pytest.raises(DataError, match=message):
        lexicons.read_lexicon(path, structure)


def test_files_that_are_not_there_or_not_json(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        lexicons.read_structure(tmp_path / "structure.json")
    (tmp_path / "structure.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="not JSON"):
        lexicons.read_structure(tmp_path / "structure.json")
