"""Part-of-speech files: CoNLL-U, ``token TAB tag`` (XTREME) and ``token SPACE tag``.

1. In CoNLL-U the syntactic words are the examples' tokens: ranges (``3-4``) and empty nodes
   (``5.1``) are skipped. A word with the form ``_`` inside a range takes the range's surface
   form (UD_Marathi-UFAL writes its words so).
2. A sentence whose every form is ``_`` has had its text removed for licence reasons; it is
   dropped and counted. A lone ``_`` among other words is a real underscore.
3. A document is what ``# newdoc`` says; in a PUD treebank, whose sentences are parallel across
   languages, the sentence ids say it; otherwise each sentence is its own document.
4. All files of a language are joined in sorted order, as XTREME does.

Format: https://universaldependencies.org/format.html
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from midway.errors import DataError, suggest
from midway.tasks.examples import Reading, TaggedSentence
from midway.tasks.readers.columns import Row, split_line
from midway.tasks.sources import read_lines, stem

UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
TEXT_REMOVED = "sentence without text (all forms are _)"
COLUMNS = 10

_WORD = re.compile(r"[1-9][0-9]{0,8}")
_RANGE = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_EMPTY = re.compile(r"[0-9]{1,9}\.[1-9][0-9]{0,8}")
_PUD = re.compile(r"[nw][0-9]{8}")  # source, language, document; the last three: sentence


def read_pos(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the tagged sentences of all `files`, in the order given.

    Args:
        files: ``.conllu``, ``.tsv`` (token TAB tag) or ``.token-tag`` (token SPACE tag) files.
        split: named in messages only.
        language: given to every sentence.

    Returns:
        Sentences with ids ``<file stem>/<sent_id>``, or ``<file stem>/#<n>`` where the file has
        no sentence ids or has one twice.

    Raises:
        DataError: a line has the wrong number of columns, an id out of order or a tag outside
            the 17 of UPOS, or a file has no sentences.
    """
    reading = Reading([])
    for path in files:
        before = len(reading.examples) + reading.dropped.total()
        seen: set[str] = set()
        document = ""
        for number, (comments, rows) in enumerate(_blocks(path), start=1):
            sent_id = _comment(comments, "sent_id")
            if any(line.startswith("# newdoc") for line in comments):
                document = f"{_source(path)}/{_comment(comments, 'newdoc id') or number}"
            pairs = _conllu(path, rows) if _is_conllu(path) else _columns(path, rows, split)
            # Ids that a treebank gives twice are replaced by the sentence's position.
            unique = sent_id if sent_id and sent_id not in seen else f"#{number}"
            seen.add(sent_id)
            name = f"{_source(path)}/{unique}"
            if all(form == "_" for form, _ in pairs):
                reading.dropped[TEXT_REMOVED] += 1
                continue
            parallel = "_pud-" in path.name and _PUD.fullmatch(sent_id)
            reading.examples.append(
                TaggedSentence(
                    id=name,
                    language=language,
                    document=f"pud/{sent_id[:-3]}" if parallel else document or name,
                    tokens=tuple(form for form, _ in pairs),
                    tags=tuple(tag for _, tag in pairs),
                )
            )
        if len(reading.examples) + reading.dropped.total() == before:
            raise DataError(f"{path}: no sentences; expected words with part-of-speech tags")
    return reading


def _is_conllu(path: Path) -> bool:
    return ".conllu" in path.suffixes


def _source(path: Path) -> str:
    """Return the file's stem, preceded by its folder where names repeat (``.token-tag``)."""
    folder = path.parent.name
    return f"{folder}/{stem(path)}" if folder.endswith(".token-tag") else stem(path)


def _comment(comments: Sequence[str], key: str) -> str:
    """Return the value of ``# key = value``, or an empty string."""
    for line in comments:
        name, _, value = line.lstrip("# ").partition("=")
        if name.strip() == key:
            return value.strip()
    return ""


def _blocks(path: Path) -> Iterator[tuple[list[str], list[Row]]]:
    """Yield (comment lines, numbered word lines) for each sentence.

    Only CoNLL-U has comments: elsewhere a ``#`` is a word.
    """
    comments: list[str] = []
    rows: list[Row] = []
    for number, line in enumerate([*read_lines(path), ""], start=1):
        if not line.strip(" \t"):
            if rows:
                yield comments, rows
                comments, rows = [], []
        elif line.startswith("#") and _is_conllu(path) and not rows:
            comments.append(line)
        else:
            rows.append((number, line))


def _conllu(path: Path, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return (form, tag) of the syntactic words of one sentence in CoNLL-U."""
    pairs: list[tuple[str, str]] = []
    surface, last = "", 0  # the surface form of the range that reaches to word `last`
    for number, line in rows:
        cells = line.split("\t")
        if len(cells) != COLUMNS:
            raise DataError(
                f"{path}:{number}: {len(cells)} columns, expected {COLUMNS} separated by tabs"
            )
        identity, form, tag = cells[0], cells[1], cells[3]
        if span := _RANGE.fullmatch(identity):
            surface, last = form, int(span[2])
            if int(span[1]) != len(pairs) + 1 or last < int(span[1]):
                raise DataError(
                    f"{path}:{number}: range {identity} is out of order, expected one from "
                    f"{len(pairs) + 1}"
                )
        elif not _EMPTY.fullmatch(identity):
            if not _WORD.fullmatch(identity) or int(identity) != len(pairs) + 1:
                raise DataError(
                    f"{path}:{number}: word id {identity!r:.20}, expected {len(pairs) + 1}"
                )
            if form == "_" and int(identity) <= last:
                form = surface
            pairs.append((_form(path, number, form), _tag(path, number, tag)))
    if not pairs:
        raise DataError(f"{path}:{rows[0][0]}: a sentence without words, expected one or more")
    return pairs


def _columns(path: Path, rows: Sequence[Row], split: str) -> list[tuple[str, str]]:
    """Return (token, tag) of one sentence in a two-column file.

    A token may itself hold spaces, so the tag is what follows the last separator.
    """
    separator = "\t" if ".tsv" in path.suffixes else " "
    advice = (
        "XTREME's preparation removes the tags of its test files, put the treebanks' own .conllu "
        f"files under ud/ for {split}"
    )
    pairs: list[tuple[str, str]] = []
    for number, line in rows:
        token, tag = split_line(path, (number, line), separator, advice)
        pairs.append((_form(path, number, token), _tag(path, number, tag)))
    return pairs


def _form(path: Path, number: int, form: str) -> str:
    """Return `form` if there is anything in it."""
    if not form.strip():
        raise DataError(f"{path}:{number}: the word is blank, expected a form (or _)")
    return form


def _tag(path: Path, number: int, tag: str) -> str:
    """Return `tag` if it is one of the 17."""
    if tag not in UPOS:
        raise DataError(
            f"{path}:{number}: tag {tag!r:.20} is not one of the 17 UPOS tags."
            f"{suggest(tag, UPOS)} Known: {' '.join(UPOS)}"
        )
    return tag
