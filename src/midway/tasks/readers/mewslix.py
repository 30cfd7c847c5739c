"""Mewsli-X: find the entity that a mention in the news stands for, by its description.

1. ``wikinews_mentions-{dev,test}.jsonl`` has an article a line with its mentions; XTREME-R's
   preparation cuts it into a file per language and blanks the entities of the test mentions.
   ``candidate_set_entities.jsonl`` has an entity a line with a description in one of 50 languages.
2. A query is XTREME-R's: ``mention: sentence with the { mention } marked``. Braces that a sentence
   has already become parentheses. A mention over several sentences takes them all (counted).
3. A candidate is an entity's description, sentence by sentence, under the entity's id; its
   language is that of the description. Each language thus has its own part of the candidates, and
   a search over all languages has every one of them once.
4. ``wikipedia_pairs-train.jsonl`` has an English mention and its entity a line. An entity that is
   mentioned several times is one candidate.
5. A document is an entity: the publisher splits by entity too, and folds keep a mention and its
   entity together.

The candidates' file is long and read once per language, so a line of another language is only
looked at as far as its language; it is read as a whole, and found wrong if it is, with its own.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.tasks.examples import RankedText, Reading
from midway.tasks.readers.json_fields import field
from midway.tasks.readers.squad_json import nearest
from midway.tasks.sources import read_bytes
from midway.tasks.tables import json_object, json_rows, one_of

MENTION_LANGUAGES = ("ar", "de", "en", "es", "fa", "ja", "pl", "ro", "ta", "tr", "uk")
_MORE = (
    "af az bg bn el et eu fi fr gu he hi ht hu id it jv ka kk ko lt ml mr ms my nl pa pt qu ru sw "
    "te th tl ur vi wo yo zh"
)
LANGUAGES = (*MENTION_LANGUAGES, *_MORE.split())
CANDIDATES = "candidate_set_entities"

OTHER_MENTION = "mention in another language"
OTHER_ENTITY = "entity described in another language"
NO_ENTITY = "mention without an entity"
NO_DESCRIPTION = "entity without a description"
NO_CANDIDATE = "mention of an entity without a description"
ACROSS = "mention across sentences"
REFOUND = "mention offset re-found"

Span = tuple[int, int]
_KEY = b'"description_language"'
_CODES = {code.encode(): code for code in LANGUAGES}
_LANGUAGE = re.compile(rb'"description_language":\s*"([a-z]+)"')
_ENTITY = re.compile(rb'"entity_id":\s*"([^"\\]+)"')
_BRACES = re.compile(r"\{([^{}]*)\}")


def read_mewslix(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the mentions in one language and the entities described in it.

    Args:
        files: ``train``: the file of pairs. Otherwise the file of mentions, if there are any in
            the language, and that of the candidates.
        split: ``train``, ``validation`` or ``test``.
        language: the benchmark's code, given to every example.

    Returns:
        Queries with the publisher's ids and candidates with their entities' ids, in file order;
        those of other languages are counted as dropped. A warning if mentions stand for entities
        that are no candidates in any language.

    Raises:
        DataError: a file is damaged, has no article texts or no entities, or is missing.
    """
    reading = Reading([])
    if split == "train":
        for path in files:
            _pairs(reading, path, language)
        return reading
    lists = [path for path in files if path.name.startswith(CANDIDATES)]
    mentions = [path for path in files if path not in lists]
    if not lists:
        names = ", ".join(map(str, mentions)) or f"mewslix {language}"
        raise DataError(f"{names}: no {CANDIDATES}.jsonl beside it; both are needed, get it too")
    for path in mentions:
        _mentions(reading, path, language)
    wanted = [e.document for e in reading.examples]
    known: set[bytes] = set()
    for path in lists:
        known |= _candidates(reading, path, language, remember=bool(wanted))
    lost = sum(key.encode() not in known for key in wanted)
    if lost:
        reading.warnings.append(
            f"{lists[0]}: {lost} of {len(wanted)} mentions in {language} stand for entities that "
            "are not in it, so they count as not found; get both files from one release"
        )
    return reading


def _mentions(reading: Reading, path: Path, language: str) -> None:
    """Append the mentions of a file of articles."""
    seen: set[str] = set()
    blank = 0
    for number, row in json_rows(path):
        place = f"{path}:{number}"
        context: dict[str, Any] = field(place, row, "context", dict)
        code = one_of(path, number, context.get("language"), MENTION_LANGUAGES, "language")
        mentions: list[Any] = field(place, row, "mentions", list)
        if code != language:
            reading.dropped[OTHER_MENTION] += len(mentions)
            continue
        for mention in mentions:
            query = _query(reading, place, context, mention, language)
            if query.id in seen:
                raise DataError(
                    f"{place}: the example_id {query.id!r:.40} occurs twice; fetch the file again"
                )
            seen.add(query.id)
            if query.document:
                reading.examples.append(query)
            else:
                blank += 1
    if blank and blank == len(seen):
        raise DataError(
            f"{path}: all {blank} mentions in {language} are without their entity; XTREME-R's "
            "preparation removes those of its test files, put the publisher's "
            "wikinews_mentions-test.jsonl in its place"
        )
    if not seen:
        raise DataError(f"{path}: no mention in {language!r}, expected an article a line")
    reading.dropped[NO_ENTITY] += blank
    reading.dropped = +reading.dropped  # only what happened


def _candidates(reading: Reading, path: Path, language: str, *, remember: bool) -> set[bytes]:
    """Append the entities described in a language; return the ids of all if `remember`."""
    known: set[bytes] = set()
    seen: set[str] = set()
    rows = 0
    for number, line in _lines(path):
        rows += 1
        if remember and (entity := _ENTITY.search(line)):
            known.add(entity[1])
        found = _LANGUAGE.search(line, max(line.find(_KEY), 0))
        if found and _CODES.get(found[1], language) != language:
            reading.dropped[OTHER_ENTITY] += 1
            continue
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{path}:{number}: not UTF-8 ({error.reason}); fetch it again") from (
                error
            )
        row = json_object(path, number, text)
        candidate = _entity(f"{path}:{number}", row, language)
        code = one_of(path, number, row.get("description_language"), LANGUAGES, "language")
        if code != language:  # written in an uncommon way, such as "d\u0065"
            reading.dropped[OTHER_ENTITY] += 1
            continue
        if candidate.id in seen:
            raise DataError(
                f"{path}:{number}: the entity_id {candidate.id!r:.40} occurs twice; fetch the file "
                "again"
            )
        seen.add(candidate.id)
        if candidate.text:
            reading.examples.append(candidate)
        else:
            reading.dropped[NO_DESCRIPTION] += 1
    if not rows:
        raise DataError(f"{path}: no entities, expected one JSON object a line")
    return known


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number, bytes) of the lines that are not blank; the file is half a gigabyte."""
    content = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(BytesIO(content), start=1):
        if line.strip():
            yield number, line


def _pairs(reading: Reading, path: Path, language: str) -> None:
    """Append the queries of a file of pairs, each entity behind its first mention."""
    seen: set[str] = set()
    entities: set[str] = set()
    for number, row in json_rows(path):
        place = f"{path}:{number}"
        both: dict[str, Any] = field(place, row, "contextual_mention", dict)
        context: dict[str, Any] = field(place, both, "context", dict)
        one_of(path, number, context.get("language"), (language,), "language")
        query = _query(reading, place, context, both.get("mention"), language)
        entity = _entity(place, row.get("entity"), language)
        if query.id in seen:
            raise DataError(
                f"{place}: the example_id {query.id!r:.40} occurs twice; fetch the file again"
            )
        seen.add(query.id)
        if query.document != entity.document:
            raise DataError(
                f"{place}: the mention stands for {query.document!r:.20}, the entity is "
                f"{entity.document!r:.20}; expected the same, fetch the file again"
            )
        if not entity.text:
            reading.dropped[NO_CANDIDATE] += 1
            continue
        reading.examples.append(query)
        if entity.id not in entities:
            entities.add(entity.id)
            reading.examples.append(entity)
    if not seen:
        raise DataError(f"{path}: no pairs, expected one JSON object a line")


def _query(
    reading: Reading, place: str, context: dict[str, Any], mention: Any, language: str
) -> RankedText:
    """Return a mention in its sentence, marked; without keys if its entity was taken out."""
    identity = _filled(place, mention, "example_id")
    entity = field(place, mention, "entity_id", str).strip()
    text = field(place, context, "text", str)
    if not text.strip():
        raise DataError(
            f"{place}: the article has no text, as in the published files; run the publisher's "
            "get-mewsli-x.sh, which fills it in"
        )
    said: dict[str, Any] = field(place, mention, "mention_span", dict)
    name = _filled(place, said, "text")
    given = field(place, said, "start", int)
    begin = nearest(text, name, given)
    if begin < 0:
        raise DataError(
            f"{place}: the mention {name!r:.40} is not in its article; the text is that of another "
            "version, run the publisher's get-mewsli-x.sh again"
        )
    reading.repaired.update([REFOUND] if begin != given else [])
    end = begin + len(name)
    sentences = _spans(place, context, text)
    left, right = next((s for s in sentences if s[0] <= begin and end <= s[1]), (-1, -1))
    if left < 0:
        touched = [s for s in sentences if s[0] < end and begin < s[1]]
        left = min([begin, *(s[0] for s in touched)])
        right = max([end, *(s[1] for s in touched)])
        reading.repaired[ACROSS] += 1
    before, after = (_BRACES.sub(r"(\1)", part) for part in (text[left:begin], text[end:right]))
    return RankedText(
        id=identity,
        language=language,
        document=entity,
        side="query",
        text=" ".join(f"{name}: {before} {{ {name} }} {after}".split()),
        context="",
        keys=(entity,) if entity else (),
    )


def _entity(place: str, row: Any, language: str) -> RankedText:
    """Return an entity's description; the text is empty if there is none."""
    entity = _filled(place, row, "entity_id")
    text = field(place, row, "description", str)
    sentences = " ".join(text[begin:end] for begin, end in _spans(place, row, text))
    return RankedText(
        id=entity,
        language=language,
        document=entity,
        side="candidate",
        text=" ".join(sentences.split()),
        context="",
        keys=(entity,),
    )


def _filled(place: str, parent: Any, key: str) -> str:
    value = field(place, parent, key, str).strip()
    if not value:
        raise DataError(f"{place}: {key!r} is blank, expected text; fetch the file again")
    return value


def _spans(place: str, parent: Any, text: str) -> list[Span]:
    """Return the sentences of a text, as begins and ends."""
    spans: list[Span] = []
    for number, span in enumerate(field(place, parent, "sentence_spans", list)):
        where = f"{place}: sentence_spans[{number}]"
        begin, end = field(where, span, "start", int), field(where, span, "end", int)
        if not 0 <= begin < end <= len(text):
            raise DataError(
                f"{where} is {begin} to {end}, expected a part of the {len(text)} characters; "
                "fetch the file again"
            )
        spans.append((begin, end))
    return spans
