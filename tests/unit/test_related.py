"""Sets of related languages, on facts that can be looked up in Glottolog and WALS."""

from itertools import pairwise
from pathlib import Path

import pytest

from midway.errors import StudyError
from midway.tasks import load_card
from midway.tasks.related import is_selector, related
from midway.tasks.select import resolve_languages

XNLI = "ar bg de el en es fr hi ru sw th tr ur vi zh"
TAGGED = "af zu xh sw yo wo am mg fi et hu eu ka sr sr-latn hr ko ja zh zh-hant"
WHERE = "a task (test)"


def chosen(selector, here=XNLI):
    return " ".join(related(selector, here.split(), WHERE))


@pytest.mark.parametrize(
    ("selector", "here", "expected"),
    [
        ("family:ur", XNLI, "bg de el en es fr hi ru"),
        ("genus:ur", XNLI, "hi"),
        ("genus:ru", XNLI, "bg"),
        ("genus:pt", XNLI, "es fr"),  # the task need not have it
        ("script:sw", XNLI, "de en es fr tr vi"),
        ("script:bg", XNLI, "ru"),
        ("script:hi", XNLI + " mr", "mr"),
        ("family:swh_Latn", TAGGED, "zu xh yo wo"),
        ("genus:sw", TAGGED, "zu xh"),
        ("family:hu", TAGGED, "fi et"),
        ("family:hr", TAGGED, "af sr sr-latn"),
        ("family:sr", TAGGED, "af hr"),  # Serbian in the other script is Serbian
        ("script:sr", TAGGED + " ru", "ru"),
        ("near:fi:1", TAGGED, "et"),
        ("near:bg:3", XNLI, "de el tr"),
        ("near:xh:2", TAGGED, "af zu"),
        ("near:zh-hant:1", TAGGED, "ko"),
    ],
)
def test_sets(selector, here, expected):
    assert chosen(selector, here) == expected


def test_a_larger_neighbourhood_holds_the_smaller():
    sets = [set(chosen(f"near:sw:{number}").split()) for number in range(1, 15)]
    assert all(small < large for small, large in pairwise(sets))
    assert sets[-1] == set(XNLI.split()) - {"sw"}


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        (
            "family:sw",
            r"empty in a task \(test\): Swahili has family Atlantic-Congo. At hand: Afro",
        ),
        ("family:sw", r"Indo-European \(bg de el en es fr hi ru ur\), Sino-Tibetan \(zh\)"),
        ("family:eu", "Basque has no family that others share"),
        ("family:eo", "Esperanto has no family that others share"),
        ("genus:ht", "Haitian Creole has no genus that others share"),
        ("genus:ido", "Ido has no genus that others share"),
        ("script:ka", r"Georgian has script Geor. At hand: Arab \(ar ur\), Cyrl \(bg ru\)"),
        ("near:sw:15", r"asks for 15 languages, but a task \(test\) has 14 others at hand"),
        ("near:ido:2", "has 0 others at hand whose distance is known"),
        ("near:sw", "expected a language and a number: 'family:sw'"),
        ("near:sw:0", "expected a language and a number"),
        ("near:sw:-1", "expected a language and a number"),
        ("near:sw:five", "expected a language and a number"),
        ("famly:sw", "unknown selector 'famly:sw' in languages. Did you mean 'family'"),
        ("family:swx", "unknown language 'swx'. Did you mean"),
        ("family:", "unknown language ''"),
        ("family:sw:5", "unknown language 'sw:5'"),
    ],
)
def test_what_is_wrong_is_said(selector, message):
    with pytest.raises(StudyError, match=message):
        chosen(selector)


def test_constructed_languages_are_no_family_and_creoles_no_genus():
    with pytest.raises(StudyError, match="no family that others share"):
        chosen("family:epo", "fi ido ina")
    with pytest.raises(StudyError, match="no genus that others share"):
        chosen("genus:pcm", "en ht tpi")
    assert chosen("family:pcm", "en ht tpi sw") == "en ht tpi"


def test_a_selector_has_a_colon():
    assert is_selector("near:sw:5")
    assert not is_selector("swh_Latn")


@pytest.fixture
def folders(tmp_path):
    home = tmp_path / "xquad"
    home.mkdir()
    for code in ("ar", "de", "en", "es", "zh"):
        (home / f"xquad.{code}.json").write_text("{}", encoding="utf-8")
    return (tmp_path,)


def test_sets_stand_among_codes_and_only_files_at_hand_count(folders):
    def resolved(*languages):
        return resolve_languages(load_card("xquad"), languages, folders, "test")

    assert resolved("family:en") == ["de", "es"]  # el, hi, ro, ru are not at hand
    assert resolved("zh", "family:en", "de", "spa") == ["zh", "de", "es"]
    assert resolved("genus:af", "family:en", "near:fr:2") == ["de", "en", "es"]
    with pytest.raises(StudyError, match=r"empty in xquad \(test\)"):
        resolved("en", "family:sw")


def test_a_set_without_a_list_is_refused(folders):
    with pytest.raises(StudyError, match="'family:en', expected a list or"):
        resolve_languages(load_card("xquad"), "family:en", folders, "test")


def test_every_embedded_language_has_relatives_or_none_by_rule():
    card = load_card("sampler-qa")
    here = resolve_languages(card, "all", (Path("/nowhere"),), "train")
    sets = {}
    for code in here:
        try:
            sets[code] = related(f"family:{code}", here, WHERE)
        except StudyError:
            sets[code] = []
    for code, found in sets.items():
        assert code not in found
        assert all(code in sets[other] for other in found)  # kinship goes both ways
    assert sets["id"] == ["jv"]
    assert sets["te"] == []
