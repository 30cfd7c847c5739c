"""Tatoeba's aligned sentences: line i of two files is a pair.

1. The files are those of LASER, ``tatoeba.deu-eng.deu`` and ``tatoeba.deu-eng.eng``.
2. Their codes are ISO 639-3 with a few macro-languages; where XTREME has a two-letter code
   the benchmark uses that, otherwise the file's own.
3. A pair's document is its English sentence: the same sentence occurs in many languages, and
   all its translations belong to one fold.
"""

from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import Reading, SentencePair
from midway.tasks.sources import read_lines

BLANK = "blank sentence"

# XTREME and XTREME-R; every other language keeps the code of its file.
FILE_CODES = {
    "af": "afr", "ar": "ara", "az": "aze", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell",
    "es": "spa", "et": "est", "eu": "eus", "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb",
    "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "jv": "jav", "ka": "kat",
    "kk": "kaz", "ko": "kor", "lt": "lit", "ml": "mal", "mr": "mar", "nl": "nld", "pl": "pol",
    "pt": "por", "ro": "ron", "ru": "rus", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha",
    "tl": "tgl", "tr": "tur", "uk": "ukr", "ur": "urd", "vi": "vie", "zh": "cmn",
}  # fmt: skip


def read_tatoeba(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the sentence pairs of one language, in file order.

    Args:
        files: the foreign side and the English side.
        split: not used, Tatoeba has one split.
        language: the benchmark's code, given to every pair.

    Returns:
        Pairs with ids ``<language>-<line from 0>``; pairs with a blank side are counted.

    Raises:
        DataError: the sides differ in length, a side is missing, or the English side was sorted
            by XTREME's preparation, which loses the pairs.
    """
    if len(files) != 2:
        names = ", ".join(map(str, files)) or "nothing"
        raise DataError(f"tatoeba {language}: found {names}, expected two files, one per side")
    foreign, english = files
    if not foreign.name.startswith("tatoeba."):
        raise DataError(
            f"{english}: XTREME's preparation sorts the English side, so the pairs are lost; "
            "put LASER's data/tatoeba/v1 files under tatoeba/v1/"
        )
    left, right = read_lines(foreign), read_lines(english)
    if len(left) != len(right):
        raise DataError(
            f"{foreign}: {len(left)} lines, but {english.name} has {len(right)}; line i of both "
            "must be a pair, fetch both again"
        )
    reading = Reading([])
    for number, (sentence, translation) in enumerate(zip(left, right, strict=True)):
        if not sentence.strip() or not translation.strip():
            reading.dropped[BLANK] += 1
            continue
        reading.examples.append(
            SentencePair(
                id=f"{language}-{number}",
                language=language,
                document=translation,
                sentence=sentence,
                english=translation,
            )
        )
    if not reading.examples:
        raise DataError(f"{foreign}: no sentences, expected one a line")
    return reading
