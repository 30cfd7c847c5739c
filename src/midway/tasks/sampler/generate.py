"""Examples of the three tasks in one language.

`find_*` return the package's files that an example depends on, so that their digests are part of
its key; `read_*` generate. The files are, in this order: the structure, the language and, for
pairs, English.
"""

from pathlib import Path

from midway.tasks.card import DataFolders
from midway.tasks.examples import QAExample, Reading, SentencePair, TaggedSentence
from midway.tasks.sampler.lexicon import (
    LEXICONS,
    STRUCTURE,
    Lexicon,
    languages,
    read_lexicon,
    read_structure,
)
from midway.tasks.sampler.render import Span, join, render, tokenize, widen
from midway.tasks.sampler.world import SIZES, Problem, problems, sentences

LABELS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
_ENTITIES = {"person": "PER", "org": "ORG", "place": "LOC"}


def find_monolingual(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    """Return structure and lexicon of a language; `folders` are not used."""
    if split not in SIZES["qa"] or language not in languages():
        return ()
    return (STRUCTURE, LEXICONS / f"{language}.json")


def find_pairs(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    """Return structure, lexicon and English lexicon; English has no pairs."""
    if split not in SIZES["pair"] or language == "en" or language not in languages():
        return ()
    return (STRUCTURE, LEXICONS / f"{language}.json", LEXICONS / "en.json")


def read_qa(paths: tuple[Path, ...], split: str, language: str) -> Reading:
    """Return the questions of a split.

    Raises:
        DataError: a file is damaged; see `read_lexicon`.
    """
    structure = read_structure(paths[0])
    lexicon = read_lexicon(paths[1], structure)
    return Reading(
        [
            _qa(lexicon, problem, f"{i:04d}", split, language)
            for i, problem in enumerate(problems(structure, split))
        ]
    )


def read_ner(paths: tuple[Path, ...], split: str, language: str) -> Reading:
    """Return the tagged sentences of a split, IOB2.

    Raises:
        DataError: a file is damaged; see `read_lexicon`.
    """
    structure = read_structure(paths[0])
    lexicon = read_lexicon(paths[1], structure)
    reading = Reading([])
    for i, facts in enumerate(sentences(structure, "ner", split)):
        tokens: list[str] = []
        tags: list[str] = []
        for fact in facts:
            text, spans = render(lexicon, fact.template, dict(fact.values))
            for token, tag in tag_tokens(text, spans, spaced=lexicon.spaced):
                tokens.append(token)
                tags.append(tag)
        reading.examples.append(
            TaggedSentence(
                id=f"ner-{split}-{i:04d}",
                language=language,
                document=f"d-{split}-{i:04d}",
                tokens=tuple(tokens),
                tags=tuple(tags),
            )
        )
    return reading


def read_pairs(paths: tuple[Path, ...], split: str, language: str) -> Reading:
    """Return sentences with their English.

    Raises:
        DataError: a file is damaged; see `read_lexicon`.
    """
    structure = read_structure(paths[0])
    lexicon, english = (read_lexicon(path, structure) for path in paths[1:])
    return Reading(
        [
            SentencePair(
                id=f"pair-{split}-{i:04d}",
                language=language,
                document=f"d-{split}-{i:04d}",
                sentence=render(lexicon, fact.template, dict(fact.values))[0],
                english=render(english, fact.template, dict(fact.values))[0],
            )
            for i, (fact,) in enumerate(sentences(structure, "pair", split))
        ]
    )


def capability(identity: str) -> str:
    """Return what the question with this id tests, such as ``where``."""
    return identity.rpartition("-")[2]


def tag_tokens(text: str, spans: tuple[Span, ...], *, spaced: bool) -> list[tuple[str, str]]:
    """Return tokens with IOB2 tags: a token that an entity touches is part of it."""
    entities = [span for span in spans if span.slot in _ENTITIES]
    tagged = []
    last: Span | None = None
    for start, end in tokenize(text, spaced=spaced):
        here = next((span for span in entities if start < span.end and end > span.start), None)
        tag = "O"
        if here is not None:
            tag = ("I-" if here is last else "B-") + _ENTITIES[here.slot]
        tagged.append((text[start:end], tag))
        last = here
    return tagged


def _qa(lexicon: Lexicon, problem: Problem, number: str, split: str, language: str) -> QAExample:
    said = [render(lexicon, fact.template, dict(fact.values)) for fact in problem.facts]
    text, spans = said[problem.key]
    span = next(span for span in spans if span.slot == problem.answer)
    span = widen(text, span, spaced=lexicon.spaced)
    before = join(lexicon, [*(sentence for sentence, _ in said[: problem.key]), ""])
    values = dict(problem.facts[problem.key].values)
    return QAExample(
        id=f"qa-{split}-{number}-{problem.capability}",
        language=language,
        document=f"d-{split}-{number}",
        context=join(lexicon, (sentence for sentence, _ in said)),
        question=render(lexicon, problem.question, values)[0],
        answers=(text[span.start : span.end],),
        starts=(len(before) + span.start,),
    )
