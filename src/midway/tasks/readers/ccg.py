r"""CCG supertags: the Parallel Meaning Bank's Prolog terms and CCGbank's derivations.

1. In a ``.parse.tags`` file a sentence is ``ccg(7, DERIVATION).`` and each of its words a term
   ``t(Category, 'word', [...])`` in it; in words ``\'``, ``\"`` and ``\\`` are escaped. Nothing
   is evaluated: the file is cut into tokens by one regular expression and read once.
2. The bank pairs each language with English. Sentence n is the same in all languages of a split,
   so id and document are ``pmb-dev-7``. English stands in the files of several pairs; each of
   its sentences is taken once.
3. In a CCGbank ``.auto`` file a line ``ID=wsj_0001.1 ...`` is followed by a line of nodes;
   ``(<L NP/N DT DT the NP_12/N_12>)`` is a word with its category first. Its document is the
   article, ``wsj_0001``.
4. Categories are taken as they are written. The two notations differ (``s:dcl\np`` and
   ``S[dcl]\NP``).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from midway.errors import DataError
from midway.tasks.examples import Reading, TaggedSentence
from midway.tasks.sources import read_lines, read_text, stem

REPEATED = "sentence in another pair"

_TOKEN = re.compile(r"[ \t\r\n]+|'(?:[^'\\\n]|\\[^\n])*'|[(),\[\]]|[^ \t\r\n(),\[\]']+")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_ESCAPE = re.compile(r"\\(.)")
_PLAIN = ("'", '"', "\\")
_CLOSING = {")": "(", "]": "["}
_ID = re.compile(r"ID=((wsj_[0-9]{4})\.[0-9]{1,4})(?: .*)?")
_LEAF, _NODE = 5, 3  # fields after (<L and (<T

Word = tuple[str, str]  # word, category
Sentence = tuple[str, str, list[Word]]  # id, document, words


def read_ccg(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the supertagged sentences of CCGbank's or of the Parallel Meaning Bank's files.

    Args:
        files: ``.auto`` files, or ``.parse.tags`` files of one or more pairs.
        split: not used, the files are of one split.
        language: given to every sentence.

    Raises:
        DataError: a file is not in its layout, has no sentences, or gives an id twice.
    """
    del split
    reading = Reading([])
    seen: set[str] = set()
    earlier: set[tuple[str, ...]] = set()  # sentences of the pairs before
    for path in files:
        here: set[tuple[str, ...]] = set()
        count = 0
        pair = "" if ".auto" in path.suffixes else f"/{_part_and_pair(path)[1]}"
        for name, document, words in _meaning_bank(path) if pair else _ccgbank(path):
            count += 1
            tokens, tags = zip(*words, strict=True)
            if tokens in earlier:
                reading.dropped[REPEATED] += 1
                continue
            if pair:
                here.add(tokens)
            identity = f"{name}{pair}" if name in seen else name
            if identity in seen:
                raise DataError(f"{path}: sentence {identity} occurs twice; fetch the file again")
            seen.add(identity)
            reading.examples.append(
                TaggedSentence(
                    id=identity, language=language, document=document, tokens=tokens, tags=tags
                )
            )
        if not count:
            raise DataError(f"{path}: no sentences; expected words with CCG categories")
        earlier |= here
    return reading


def _part_and_pair(path: Path) -> tuple[str, str]:
    """Return ``dev`` and ``deu-eng`` of ``dev.deu-eng.src.gold.parse.tags``."""
    part, _, rest = stem(path).partition(".")
    return part, rest.split(".")[0]


def _meaning_bank(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a ``.parse.tags`` file."""
    terms = _Terms(path)
    part, _ = _part_and_pair(path)
    numbers: set[str] = set()
    while terms.ahead:
        terms.expect("ccg", "(")
        number = terms.take()
        if not _NUMBER.fullmatch(number) or number in numbers:
            terms.fail(f"{number!r:.20} in the place of the sentence's number")
        numbers.add(number)
        terms.expect(",")
        words = terms.words()
        terms.expect(".")
        if not words:
            terms.fail(f"sentence {number} without words")
        yield f"pmb-{part}-{number}", f"pmb-{part}-{number}", words


class _Terms:
    """The tokens of a Prolog file, one at a time; `ahead` is the next one, empty at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = read_text(path)
        self._start = self._end = 0
        self.ahead = ""
        self._advance()

    def fail(self, found: str) -> NoReturn:
        line = self._content.count("\n", 0, self._start) + 1
        raise DataError(
            f"{self._path}:{line}: {found}; expected ccg(N, DERIVATION). with words as "
            "t(CATEGORY, 'WORD', [...]), fetch the file again"
        )

    def _advance(self) -> None:
        """Step to the next token that is not a blank."""
        while self._end < len(self._content):
            self._start = self._end
            match = _TOKEN.match(self._content, self._start)
            if match is None:
                self.fail("a quote that is not closed")
            self._end, self.ahead = match.end(), match[0]
            if self.ahead[0] not in " \t\r\n":
                return
        self.ahead = ""

    def take(self) -> str:
        """Return the next token and step over it."""
        token = self.ahead
        if not token:
            self.fail("the end of the file")
        self._advance()
        return token

    def expect(self, *tokens: str) -> None:
        """Step over `tokens`."""
        for token in tokens:
            if self.ahead != token:
                self.fail(f"{self.ahead or 'the end'!r:.30} in the place of {token!r}")
            self._advance()

    def words(self) -> list[Word]:
        """Return the words of a derivation and step over the bracket that closes its sentence."""
        words: list[Word] = []
        brackets = ["("]
        before = ","
        while brackets:
            term = self.take()
            if term == "t" and before in ("(", ",") and self.ahead == "(":
                words.append(self._word())
                before = ")"
            else:
                self._bracket(term, brackets)
                before = term
        return words

    def _bracket(self, token: str, brackets: list[str]) -> None:
        """Keep account of the brackets that are open."""
        if token in ("(", "["):
            brackets.append(token)
        elif token in _CLOSING and (not brackets or brackets.pop() != _CLOSING[token]):
            self.fail(f"{token!r} that closes nothing")

    def _word(self) -> Word:
        """Return word and category of a term ``t(...)``, whose ``t`` has been taken."""
        self.expect("(")
        category: list[str] = []
        brackets: list[str] = []
        while brackets or self.ahead != ",":
            if self.ahead in (",", "[", "]") or self.ahead.startswith("'"):
                self.fail(f"{self.ahead!r:.30} in a category")
            self._bracket(self.ahead, brackets)
            category.append(self.take())
        self.expect(",")
        quoted = self.take()
        escaped = [match[1] for match in _ESCAPE.finditer(quoted)]
        word = _ESCAPE.sub(r"\1", quoted[1:-1])
        if not quoted.startswith("'") or not word.strip() or not category:
            self.fail(f"{quoted!r:.30} in the place of a word with its category")
        if any(each not in _PLAIN for each in escaped):
            self.fail(f"an unknown escape in {quoted!r:.30}")
        self.expect(",", "[")
        brackets = ["["]
        while brackets:
            self._bracket(self.take(), brackets)
        self.expect(")")
        return word, "".join(category)


def _ccgbank(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of an ``.auto`` file."""
    header = None
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip(" \t"):
            continue
        match = _ID.fullmatch(line)
        if (match is None) is (header is None):
            expected = "ID=wsj_NNNN.N" if header is None else "a derivation"
            raise DataError(f"{path}:{number}: {line!r:.40}, expected {expected} as in CCGbank")
        if header is not None:
            yield header[1], header[2], _derivation(path, number, line)
        header = match
    if header is not None:
        raise DataError(f"{path}: ends after {header[1]}, expected its derivation; fetch it again")


def _derivation(path: Path, number: int, line: str) -> list[Word]:
    """Return the words of a line of nodes."""
    fields = [field for field in line.split(" ") if field]
    words: list[Word] = []
    depth = roots = place = 0
    while place < len(fields):
        size = {"(<L": _LEAF, "(<T": _NODE, ")": 0}.get(fields[place], -1)
        inside = fields[place + 1 : place + 1 + size]
        roots += depth == 0
        if size == _LEAF and len(inside) == size and inside[-1].endswith(">)"):
            words.append((inside[3], inside[0]))
        elif size == _NODE and len(inside) == size and inside[-1].endswith(">"):
            depth += 1
        elif size == 0 and depth:
            depth -= 1
        else:
            found = " ".join(fields[place : place + 3])
            raise DataError(
                f"{path}:{number}: {found!r:.40} is no node of a CCGbank derivation; fetch the "
                "file again"
            )
        place += 1 + size
    if depth or roots != 1 or not words:
        raise DataError(f"{path}:{number}: brackets do not match; fetch the file again")
    return words
