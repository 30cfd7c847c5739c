"""Rows of the hub's tagging and retrieval sets → examples, as from the publishers' files."""

from collections.abc import Callable, Sequence

from midway.errors import DataError
from midway.tasks.examples import SentencePair, TaggedSentence
from midway.tasks.hub.rows import Row
from midway.tasks.readers.columns import BLANK_WORD, NO_WORDS
from midway.tasks.readers.tatoeba import BLANK


def entities(known: Sequence[str]) -> Callable[[Row], TaggedSentence | str]:
    """``tokens ner_tags`` (PAN-X, MasakhaNER), the tags being among `known`."""

    def example(row: Row) -> TaggedSentence | str:
        tokens, tags = row.texts("tokens"), row.labels("ner_tags", known)
        if len(tokens) != len(tags):
            raise DataError(f"{len(tokens)} tokens and {len(tags)} tags, expected as many of both")
        pairs = zip((token.strip(" \t") for token in tokens), tags, strict=True)
        kept = [(token, tag) for token, tag in pairs if token]
        if not kept:
            return NO_WORDS
        row.count(BLANK_WORD, len(tokens) - len(kept))
        words = tuple(token for token, _ in kept)
        return TaggedSentence(
            id=f"{row.language}-{row.number}",
            language=row.language,
            document=" ".join(words),
            tokens=words,
            tags=tuple(tag for _, tag in kept),
        )

    return example


def tatoeba(row: Row) -> SentencePair | str:
    """Tatoeba in XTREME: ``source_sentence target_sentence``, each with a line end."""
    foreign, english = (
        row.line(column).removesuffix("\n").removesuffix("\r")
        for column in ("source_sentence", "target_sentence")
    )
    if not foreign.strip() or not english.strip():
        return BLANK
    return SentencePair(
        id=f"{row.language}-{row.number}",
        language=row.language,
        document=english,
        sentence=foreign,
        english=english,
    )
