"""Question answering: normal forms, exact match and F1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midway.errors import DataError
from midway.metrics import squad

WORDS = st.lists(st.sampled_from(["red", "blue", "the", "a", "12", "x."]), max_size=6).map(" ".join)
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
PROFILES = st.sampled_from(["official", "mlqa", "clean"])
LANGUAGES = st.sampled_from(["en", "de", "es", "ar", "hi", "vi", "zh"])


@pytest.mark.parametrize(
    ("profile", "language", "text", "expected"),
    [
        ("official", "en", "The U.S.  Army!", "us army"),
        (
            "official",
            "de",
            "Der Hund, the dog",
            "der hund dog",
        ),  # English articles in all languages
        ("official", "hi", "भारत।", "भारत।"),  # only ASCII punctuation
        ("official", "zh", "北京 大学", "北京 大学"),
        ("mlqa", "en", "«The dog»。", "dog"),
        ("mlqa", "de", "Der Hund eines Mannes", "hund mannes"),
        ("mlqa", "es", "La casa de los Reyes", "casa de reyes"),
        ("mlqa", "hi", "भारत।", "भारत"),
        ("mlqa", "zh", "在1999年，北京", "在 1999 年 北 京"),
        ("mlqa", "ar", "خالد الكبير", "خ د كبير"),  # deletes the letters inside words too
        ("clean", "ar", "خالد الكبير", "خالد كبير"),
        ("clean", "ar", "ال", "ال"),
        ("clean", "en", "The U.S.  Army!", "us army"),
        ("clean", "en", "The The", "the the"),  # articles stay if nothing else is there
        ("clean", "fr", "L’homme de la Mancha", "homme de mancha"),
        ("clean", "fra_Latn", "l'eau", "eau"),
        ("clean", "pt-br", "O rio Amazonas", "rio amazonas"),
        ("clean", "it", "un'isola", "isola"),
        ("clean", "fi", "The Beatles", "the beatles"),  # no articles in Finnish
        ("clean", "hi", "भारत।", "भारत"),
        ("clean", "zh", "在１９９９年，北京", "在 1999 年 北 京"),
        ("clean", "ja", "カフェ bar", "カ フ ェ bar"),
        ("clean", "th", "\u0e19\u0e49\u0e33", "\u0e19\u0e49\u0e4d \u0e32"),  # marks stay attached
        ("clean", "te", "హైదరాబాద్, 1591", "హైదరాబాద్ 1591"),
    ],
)
def test_normal_forms(profile, language, text, expected):
    assert squad.normalize_answer(text, language=language, profile=profile) == expected


def test_unknown_language_of_mlqa():
    with pytest.raises(DataError, match="no rule for 'fi'"):
        squad.per_question({"q": "x"}, {"q": ["x"]}, language="fi", profile="mlqa")


@pytest.mark.parametrize(
    ("prediction", "gold", "f1", "match"),
    [
        ("in the red house", "red house", 0.8, 0.0),  # precision 2/3, recall 1
        ("red red", "red", 2 / 3, 0.0),  # tokens are counted, not looked up
        ("house red", "red house", 1.0, 0.0),
        ("The house.", "house", 1.0, 1.0),
        ("tree", "house", 0.0, 0.0),
        ("", "house", 0.0, 0.0),
        ("a", "the", 0.0, 1.0),  # both empty: the script's F1 is 0, its exact match 1
    ],
)
def test_pairs_worked_by_hand(prediction, gold, f1, match):
    assert squad.f1(prediction, gold) == pytest.approx(f1)
    assert squad.exact_match(prediction, gold) == match


def test_best_answer_counts_and_each_metric_on_its_own():
    scores = squad.per_question(
        {"one": "the blue bird", "extra": "x"},
        {"one": ["bird", "blue", "blue bird sings"], "missing": ["x"]},
    )
    assert scores == {"one": (pytest.approx(0.8), 0.0), "missing": (0.0, 0.0)}
    summary = squad.summarise(scores.values())
    assert summary == {"f1": pytest.approx(40.0), "exact_match": 0.0}


def test_unanswerable_questions():
    scores = squad.per_question(
        {"a": "", "b": "something", "c": "..."}, {"a": [], "b": [], "c": []}
    )
    assert scores == {"a": (1.0, 1.0), "b": (0.0, 0.0), "c": (1.0, 1.0)}


def test_clean_profile_gives_partial_credit_in_scripts_without_spaces():
    official = squad.f1("在北京大学", "北京大学", language="zh")
    clean = squad.f1("在北京大学", "北京大学", language="zh", profile="clean")
    assert official == 0
    assert clean == pytest.approx(8 / 9)


def test_no_questions():
    assert squad.summarise([]) == {"f1": 0.0, "exact_match": 0.0}


@given(WORDS, WORDS, PROFILES, LANGUAGES)
def test_f1_is_symmetric_and_bounded(one, other, profile, language):
    there = squad.f1(one, other, profile=profile, language=language)
    back = squad.f1(other, one, profile=profile, language=language)
    assert there == pytest.approx(back)
    assert 0 <= there <= 1
    match = squad.exact_match(one, other, profile=profile, language=language)
    assert not match or there in (0.0, pytest.approx(1.0))


@given(TEXT, PROFILES, LANGUAGES)
def test_an_answer_equals_itself(text, profile, language):
    assert squad.exact_match(text, text, profile=profile, language=language) == 1.0
    normal = squad.normalize_answer(text, profile=profile, language=language)
    expected = 1.0 if normal or profile == "clean" else 0.0
    assert squad.f1(text, text, profile=profile, language=language) == pytest.approx(expected)
    assert normal == " ".join(normal.split())


@given(st.lists(WORDS, min_size=1, max_size=4), WORDS, st.randoms())
def test_order_of_accepted_answers_does_not_matter(golds, prediction, random):
    before = squad.per_question({"q": prediction}, {"q": golds})
    random.shuffle(golds)
    assert squad.per_question({"q": prediction}, {"q": golds}) == before
