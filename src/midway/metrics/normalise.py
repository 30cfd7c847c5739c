"""Normal forms of an answer: what two strings may differ in and still be the same answer.

Three rules, each a function of text (and language):

1. ``official``: SQuAD v1.1's rule, made for English and used by XQuAD and TyDiQA in *every*
   language. Lower case; delete ASCII punctuation; delete the words a, an, the; squeeze white space.
2. ``mlqa``: MLQA's rule for its seven languages. Punctuation is that of all scripts, articles are
   those of the language, every Chinese character is a token.
3. ``clean``: ours, for any language; see `clean_normaliser`.

In all of them tokens are separated by one space, so ``normal_form.split()`` gives the tokens.
"""

import re
import string
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Literal

from midway.errors import DataError

Normaliser = Callable[[str], str]
AnswerProfile = Literal["official", "mlqa", "clean"]

_DELETE_ASCII = str.maketrans("", "", string.punctuation)
_ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b")

# MLQA's lists (Lewis et al. 2020, the published evaluation script). For Vietnamese they are
# classifiers and particles; Hindi and Chinese have none.
_MLQA_ARTICLES: dict[str, re.Pattern[str] | None] = {
    "en": _ENGLISH_ARTICLES,
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "ar": re.compile("ال"),  # wherever it stands, inside words too
    "hi": None,
    "zh": None,
}

# Free-standing articles, by ISO 639-1. Languages without an entry have none, or only affixes.
_ARTICLES: dict[str, str] = {
    "ca": "el la els les un una uns unes",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "el": "ο η το οι τα τον την τη του της των τους τις ένας ένα ενός μία μια μίας μιας",
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "fr": "un une des le la les du",
    "gl": "o a os as un unha uns unhas",
    "hu": "a az egy",
    "it": "il lo la i gli le un uno una",
    "nl": "de het een",
    "pt": "o a os as um uma uns umas",
    "ro": "un o niște",
}
_ELIDED: dict[str, str] = {  # articles that lose their vowel and lean on the next word
    "ca": "l",
    "fr": "l",
    "it": "l|un|gl",
}
_SHORT_CODES = {
    "ara": "ar",
    "arb": "ar",
    "cat": "ca",
    "deu": "de",
    "ell": "el",
    "eng": "en",
    "fra": "fr",
    "glg": "gl",
    "hun": "hu",
    "ita": "it",
    "nld": "nl",
    "por": "pt",
    "ron": "ro",
    "spa": "es",
}

# Scripts that do not put spaces between words: Thai, Lao, Tibetan, Myanmar, Khmer, kana, Han.
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\uaa60-\uaa7f\ua9e0-\ua9ff"
    "\u3040-\u30ff\u31f0-\u31ff\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


def normaliser(profile: AnswerProfile, language: str) -> Normaliser:
    """Return the function that brings an answer into its normal form.

    Args:
        profile: ``official``, ``mlqa`` or ``clean``.
        language: the benchmark's code; it has no effect on ``official``.

    Raises:
        DataError: MLQA's rule is asked for a language that MLQA does not have.
    """
    if profile == "official":
        return squad_normal_form
    return mlqa_normaliser(language) if profile == "mlqa" else clean_normaliser(language)


def squad_normal_form(text: str) -> str:
    """Return `text` in lower case, without ASCII punctuation and English articles.

    Source: the SQuAD v1.1 evaluation script (Rajpurkar et al. 2016), used by XTREME for XQuAD and
    TyDiQA in all languages.
    """
    text = _ENGLISH_ARTICLES.sub(" ", text.lower().translate(_DELETE_ASCII))
    return " ".join(text.split())


@cache
def _is_punctuation(character: str) -> bool:
    """Whether a character is of Unicode category P or ASCII punctuation (which has some S)."""
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def _without_punctuation(text: str) -> str:
    return "".join(character for character in text if not _is_punctuation(character))


@cache
def mlqa_normaliser(language: str) -> Normaliser:
    """Return MLQA's normaliser for one of its seven languages.

    Source: MLQA's evaluation script (Lewis et al. 2020). Its Arabic rule deletes the letters of the
    definite article wherever they stand, inside words too; Chinese is split at each character of
    U+4E00-9FA5.

    Raises:
        DataError: MLQA has no rule for `language`.
    """
    if language not in _MLQA_ARTICLES:
        known = " ".join(sorted(_MLQA_ARTICLES))
        raise DataError(
            f"MLQA's normaliser has no rule for {language!r}; it has rules for {known}."
            " Use the clean profile for other languages"
        )
    articles = _MLQA_ARTICLES[language]

    def normal_form(text: str) -> str:
        text = _without_punctuation(text.lower())
        if articles is not None:
            text = articles.sub(" ", text)
        if language == "zh":
            text = re.sub("([\u4e00-\u9fa5])", r" \1 ", text)
        return " ".join(text.split())

    return normal_form


@cache
def clean_normaliser(language: str) -> Normaliser:
    """Return our normaliser for any language.

    In this order: compatibility composition (NFKC) and lower case; elided articles (fr, it, ca
    ``l'``) go; punctuation of every script (category P, and ASCII punctuation) goes;
    each character of a script written without spaces (Han, kana, Thai, Lao, Khmer, Myanmar,
    Tibetan) becomes a token of its own together with its combining marks; the language's
    free-standing articles go, unless nothing would be left; in Arabic the prefix ``ال`` goes from
    the front of words of four letters or more. Languages without a list keep all their words.

    Args:
        language: an ISO 639 code; what follows ``-`` or ``_`` is not looked at.
    """
    code = re.split("[-_]", language.lower())[0]
    code = _SHORT_CODES.get(code, code)
    articles = frozenset(_ARTICLES.get(code, "").split())
    elided = re.compile(rf"\b(?:{_ELIDED[code]})['’ʼ]") if code in _ELIDED else None

    def normal_form(text: str) -> str:
        text = unicodedata.normalize("NFKC", text).lower()
        if elided is not None:
            text = elided.sub(" ", text)
        tokens = _space_characters(_without_punctuation(text)).split()
        if code == "ar":
            tokens = [_strip_arabic_article(token) for token in tokens]
        kept = [token for token in tokens if token not in articles]
        return " ".join(kept or tokens)

    return normal_form


def _strip_arabic_article(token: str) -> str:
    return token[2:] if token.startswith("ال") and len(token) >= 4 else token


def _space_characters(text: str) -> str:
    """Put spaces around characters of scripts without spaces; combining marks stay attached."""
    if not _NO_SPACES.search(text):
        return text
    spaced: list[str] = []
    open_cluster = False
    for character in text:
        is_mark = unicodedata.category(character).startswith("M")
        starts = bool(_NO_SPACES.match(character)) and not is_mark
        if starts or (open_cluster and not is_mark):
            spaced.append(" ")
        spaced.append(character)
        open_cluster = starts or (open_cluster and is_mark)
    return "".join(spaced)
