"""Rows of the hub's multiple-choice sets → examples, as from the publishers' files."""

from hashlib import sha256

from midway.errors import DataError
from midway.tasks.examples import ChoiceExample, Reading
from midway.tasks.hub.rows import Row
from midway.tasks.readers.choice import BLANK, ENDINGS, LETTERS
from midway.tasks.readers.copa import FEWEST, ITEMS, QUESTIONS

Chosen = ChoiceExample | str


def hellaswag(row: Row) -> Chosen:
    """HellaSwag: ``activity_label ctx endings source_id label``."""
    endings, context = row.texts("endings"), row.line("ctx")
    if len(endings) != len(ENDINGS):
        raise DataError(f"{len(endings)} endings, expected {len(ENDINGS)}")
    example = ChoiceExample(
        id=f"{row.language}-{row.number}",
        language=row.language,
        document=row.text("source_id"),
        context=f"{row.text('activity_label')}: {context}",
        question="",
        choices=endings,
        label=ENDINGS.index(_gold(row, "label", ENDINGS)),
    )
    return _unless_blank(example, context)


def cosmosqa(row: Row) -> Chosen:
    """Cosmos QA: ``id context question answer0 … answer3 label``."""
    context = row.line("context")
    example = ChoiceExample(
        id=row.text("id"),
        language=row.language,
        document=sha256(context.encode("utf-8")).hexdigest()[:16],
        context=context,
        question=row.line("question"),
        choices=tuple(row.line(f"answer{place}") for place in ENDINGS),
        label=row.index("label", len(ENDINGS)),
    )
    return _unless_blank(example, context, example.question)


def csqa(row: Row) -> Chosen:
    """CommonsenseQA: ``id question question_concept choices{label, text} answerKey``."""
    letters, texts = row.texts("choices.label"), row.texts("choices.text")
    if sorted(letters) != list(LETTERS) or len(texts) != len(letters):
        raise DataError(f"choices {' '.join(letters):.40}, expected each of A to E once")
    by_letter = dict(zip(letters, texts, strict=True))
    example = ChoiceExample(
        id=row.text("id"),
        language=row.language,
        document=row.text("question_concept"),
        context="",
        question=row.line("question"),
        choices=tuple(by_letter[letter] for letter in LETTERS),
        label=LETTERS.index(_gold(row, "answerKey", LETTERS)),
    )
    return _unless_blank(example, example.question)


def siqa(row: Row) -> Chosen:
    """Social IQa: ``context question answerA answerB answerC label``, labels from 1."""
    places = ("1", "2", "3")
    context = row.line("context")
    example = ChoiceExample(
        id=f"{row.language}-{row.number}",
        language=row.language,
        document=context,
        context=context,
        question=row.line("question"),
        choices=tuple(row.line(f"answer{letter}") for letter in LETTERS[:3]),
        label=places.index(_gold(row, "label", places)),
    )
    return _unless_blank(example, context, example.question)


def xcopa(row: Row) -> Chosen:
    """XCOPA: ``premise choice1 choice2 question label idx``."""
    first, last = ITEMS[row.split]
    index = row.index("idx", last - first + 1)
    example = ChoiceExample(
        id=str(index),
        language=row.language,
        document=f"copa-{first + index}",
        context=row.line("premise"),
        question=QUESTIONS[_gold(row, "question", tuple(QUESTIONS))],
        choices=(row.line("choice1"), row.line("choice2")),
        label=row.index("label", 2),
    )
    return _unless_blank(example, example.context)


def one_question(reading: Reading, split: str) -> None:
    """Warn if all rows of XCOPA ask for the same, which some languages' files do by mistake."""
    kinds = {each.question for each in reading.examples if isinstance(each, ChoiceExample)}
    if len(kinds) == 1 and len(reading.examples) >= FEWEST:
        reading.warnings.append(
            f"xcopa {split}: all {len(reading.examples):,} rows ask {kinds.pop()!r}, while about "
            "half of COPA's items ask for the other; the prompt is wrong for those"
        )


def _gold(row: Row, column: str, known: tuple[str, ...]) -> str:
    """Return one of `known`; the hub's test sets have none."""
    found = row.label(column, known)
    if not found:
        raise DataError(f"{column!r} is missing, expected {' '.join(known)}")
    return found


def _unless_blank(example: ChoiceExample, *texts: str) -> Chosen:
    """Return the example, or that one of its texts or choices is blank."""
    whole = all(text.strip() for text in (*texts, *example.choices))
    return example if whole else BLANK
