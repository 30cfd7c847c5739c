"""Rows of the hub's labelled texts and pairs → examples, as from the publishers' files."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from midway.tasks.examples import LabelledText, Reading
from midway.tasks.hub.rows import Row
from midway.tasks.readers.labelled import BLANK, NO_LABEL, UNQUOTED, undo_quoting
from midway.tasks.readers.nli import HYPOTHESES
from midway.tasks.readers.nli import LABELS as NLI
from midway.tasks.readers.paraphrases import PAWSX_LABELS, QQP_LABELS, UNTRANSLATED
from midway.tasks.readers.single_texts import SENTIMENTS, TOPICS

Labelled = LabelledText | str


def xnli(row: Row) -> Labelled:
    """XNLI: ``premise hypothesis label``; three hypotheses follow one another for a premise."""
    size = 1 if row.split == "train" else HYPOTHESES
    return _inference(row, str(row.number + 1), str(row.number // size + 1))


def mnli(row: Row) -> Labelled:
    """MultiNLI: ``promptID pairID premise hypothesis label``."""
    return _inference(row, row.text("pairID"), str(row.integer("promptID")))


def snli(row: Row) -> Labelled:
    """SNLI: ``premise hypothesis label``."""
    return _inference(row, str(row.number + 1), row.line("premise"))


def anli(row: Row) -> Labelled:
    """ANLI: ``uid premise hypothesis label``, a split for each round (``train_r1``)."""
    identity = f"{row.part.rpartition('_')[2]}-{row.text('uid')}"
    return _inference(row, identity, row.line("premise"))


def _inference(row: Row, identity: str, document: str) -> Labelled:
    return _labelled(row, identity, document, ("premise", "hypothesis"), NLI)


def pawsx(row: Row) -> Labelled:
    """PAWS-X: ``sentence1 sentence2 label``."""
    columns = ("sentence1", "sentence2")
    if row.split == "train" and any(_untranslated(row.line(column)) for column in columns):
        return UNTRANSLATED
    number = str(row.number + 1)
    return _labelled(row, number, number, columns, PAWSX_LABELS)


def _untranslated(text: str) -> bool:
    return text.strip().upper() == "NS"


def finish_pawsx(reading: Reading, split: str) -> None:
    """Undo CSV quoting as in the publisher's files, and warn of untranslated sentences."""
    pairs = [each for each in reading.examples if isinstance(each, LabelledText)]
    cells = [{"text": each.text, "pair": each.pair} for each in pairs]
    if changed := undo_quoting(cells):
        reading.repaired[UNQUOTED] += changed
        reading.examples = [
            replace(each, text=both["text"], pair=both["pair"])
            for each, both in zip(pairs, cells, strict=True)
        ]
    kept = sum(any(map(_untranslated, both.values())) for both in cells)
    if kept:
        reading.warnings.append(
            f"pawsx {split}: NS stands in place of a sentence that was not translated in {kept} "
            "rows, which are kept because published scores count them."
        )


def qqp(row: Row) -> Labelled:
    """Quora Question Pairs in GLUE: ``question1 question2 label idx``."""
    document = row.line("question1").casefold()
    identity = str(row.integer("idx"))
    return _labelled(
        row, identity, document, ("question1", "question2"), tuple(QQP_LABELS.values())
    )


def afrisenti(row: Row) -> Labelled:
    """AfriSenti: ``tweet label``."""
    return _labelled(row, str(row.number + 1), row.line("tweet"), ("tweet",), SENTIMENTS)


def sib200(row: Row) -> Labelled:
    """SIB-200: ``index_id category text``; the index is the same sentence in all varieties."""
    index = str(row.integer("index_id"))
    return _labelled(row, index, index, ("text",), TOPICS, label="category")


def _labelled(
    row: Row,
    identity: str,
    document: str,
    columns: tuple[str, ...],
    labels: Mapping[str, str] | tuple[str, ...],
    *,
    label: str = "label",
) -> Labelled:
    """Return the example, or that the row has no label or a blank text."""
    found = row.label(label, labels)
    if found is None:
        return NO_LABEL
    texts = [row.line(column) for column in columns]
    if not all(text.strip() for text in texts):
        return BLANK
    return LabelledText(
        id=identity,
        language=row.language,
        document=document,
        text=texts[0],
        pair=texts[1] if len(texts) > 1 else "",
        label=found,
    )


def finish_xnli(reading: Reading, split: str) -> None:
    """Warn if hypotheses of one document have different premises: rows may be missing."""
    premises = defaultdict(set)
    for example in reading.examples:
        if isinstance(example, LabelledText):
            premises[example.document].add(example.text)
    changed = sum(len(texts) > 1 for texts in premises.values())
    if changed:
        reading.warnings.append(
            f"xnli {split}: {changed} premises change within three rows, expected three hypotheses "
            "for each; rows may be missing, and the languages out of step."
        )
