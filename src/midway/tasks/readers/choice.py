"""English multiple-choice tasks: HellaSwag, Cosmos QA, CommonsenseQA, Social IQa.

1. The choices keep the order of the file or of their letters, and the gold one is matched by its
   name (``0``, ``A``, ``1``).
2. An item with a blank text is dropped and counted. Whatever is missing or of another type is a
   DataError that names file and line.
3. An item without gold is a DataError: the publishers keep the gold of their test files back.
4. Ids are the publisher's where there are any, else ``<language>-<n>``, n being the item's place
   in the file, from 0.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from midway.errors import DataError
from midway.tasks.examples import ChoiceExample, Reading
from midway.tasks.sources import read_lines
from midway.tasks.tables import json_rows, named_csv_rows, one_of, text_cell

BLANK = "item with a blank text"
LETTERS = ("A", "B", "C", "D", "E")
ENDINGS = ("0", "1", "2", "3")
ITEM_LINES = 6  # of HellaSwag's text layout: context, gold, four endings

Item = tuple[int, str, list[str], str, int]  # line, document, texts, activity, gold


def read_hellaswag(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read contexts and their endings from JSON Lines or from the text layout.

    Raises:
        DataError: an item is not complete, or a JSON file has no labels.
    """
    reading = Reading([])
    count = 0
    for path in files:
        items = _hellaswag_json(path, split) if ".jsonl" in path.suffixes else _hellaswag_text(path)
        for number, document, texts, activity, gold in items:
            context, *endings = texts
            example = ChoiceExample(
                id=f"{language}-{count}",
                language=language,
                document=document or context,
                context=f"{activity}: {context}" if activity else context,
                question="",
                choices=tuple(endings),
                label=gold,
            )
            keep(reading, f"{path}:{number}", example, set(), blank=not all(texts))
            count += 1
    return complete(reading, files)


def _hellaswag_json(path: Path, split: str) -> Iterator[Item]:
    """Items of the publisher's files (``ctx``) and of samples that call it ``context``."""
    for number, row in json_rows(path):
        if row.get("label") in (None, ""):
            raise DataError(
                f"{path}:{number}: no label; HellaSwag's test file has none, put "
                f"hellaswag_train.jsonl or hellaswag_val.jsonl in its place for {split}"
            )
        key = "ctx" if "ctx" in row else "context"
        endings = row.get("endings")
        if not isinstance(endings, list) or len(endings) != len(ENDINGS):
            raise DataError(
                f"{path}:{number}: 'endings' is not a list of {len(ENDINGS)} texts; fetch it again"
            )
        parts = [{"ending": ending} for ending in endings]
        texts = [text(path, number, row, key)]
        texts += [text(path, number, part, "ending") for part in parts]
        document = text_cell(path, number, row, "source_id") if "source_id" in row else ""
        activity = text_cell(path, number, row, "activity_label")
        yield number, document, texts, activity, gold_of(path, number, row["label"], ENDINGS)


def _hellaswag_text(path: Path) -> Iterator[Item]:
    """Items of six lines; the activity already stands before the context."""
    lines = read_lines(path)
    if len(lines) % ITEM_LINES:
        raise DataError(
            f"{path}:{len(lines)}: {len(lines)} lines, expected {ITEM_LINES} an item (context, "
            "gold, four endings); fetch it again"
        )
    for start in range(0, len(lines), ITEM_LINES):
        context, gold, *endings = lines[start : start + ITEM_LINES]
        texts = [each if each.strip() else "" for each in (context, *endings)]
        yield start + 1, "", texts, "", gold_of(path, start + 2, gold, ENDINGS)


def read_cosmosqa(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read Cosmos QA's comma-separated files.

    Raises:
        DataError: a column is missing, a label is unknown, or an id occurs twice.
    """
    del split
    reading, seen = Reading([]), set[str]()
    names = ("context", "question", "answer0", "answer1", "answer2", "answer3")
    for path in files:
        for number, row in named_csv_rows(path, ("id", *names, "label")):
            texts = [text(path, number, row, name) for name in names]
            context, question, *answers = texts
            example = ChoiceExample(
                id=text_cell(path, number, row, "id"),
                language=language,
                document=sha256(context.encode("utf-8")).hexdigest()[:16],
                context=context,
                question=question,
                choices=tuple(answers),
                label=gold_of(path, number, row["label"], ENDINGS),
            )
            keep(reading, f"{path}:{number}", example, seen, blank=not all(texts))
    return complete(reading, files)


def read_csqa(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read CommonsenseQA's JSON Lines.

    Raises:
        DataError: an item has no answer (the test file), not the choices A to E, or an id that
            occurs twice.
    """
    reading, seen = Reading([]), set[str]()
    for path in files:
        for number, row in json_rows(path):
            if row.get("answerKey") in (None, ""):
                raise DataError(
                    f"{path}:{number}: no 'answerKey'; CommonsenseQA's test file has no answers, "
                    f"put train_rand_split.jsonl or dev_rand_split.jsonl in its place for {split}"
                )
            question = row.get("question")
            by_letter = _lettered(path, number, question)
            texts = [text(path, number, question, "stem"), *(by_letter[x] for x in LETTERS)]
            example = ChoiceExample(
                id=text_cell(path, number, row, "id"),
                language=language,
                document=text_cell(path, number, question, "question_concept"),
                context="",
                question=texts[0],
                choices=tuple(texts[1:]),
                label=gold_of(path, number, row["answerKey"], LETTERS),
            )
            keep(reading, f"{path}:{number}", example, seen, blank=not all(texts))
    return complete(reading, files)


def _lettered(path: Path, number: int, question: Any) -> dict[str, str]:
    """Return CommonsenseQA's choices by letter."""
    choices = question.get("choices") if isinstance(question, dict) else None
    if not isinstance(choices, list):
        raise DataError(f"{path}:{number}: no list 'question.choices'; fetch the file again")
    by_letter = {
        one_of(path, number, text_cell(path, number, choice, "label"), LETTERS, "choice"): text(
            path, number, choice, "text"
        )
        for choice in choices
    }
    if len(choices) != len(LETTERS) or len(by_letter) != len(LETTERS):
        raise DataError(
            f"{path}:{number}: {len(choices)} choices {' '.join(by_letter)}, expected each of "
            f"{' '.join(LETTERS)} once"
        )
    return by_letter


def read_siqa(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read Social IQa: questions with ``correct``, or questions and a file of labels.

    Args:
        files: a JSON Lines file and, where it has no ``correct``, the ``-labels.lst`` beside it.
        split: named in messages only.
        language: given to every example.

    Raises:
        DataError: the gold is missing, or the two files differ in length.
    """
    if len(files) not in (1, 2):
        found = ", ".join(map(str, files)) or "nothing"
        raise DataError(f"siqa {split}: found {found}, expected questions and their labels")
    path, *lists = files
    rows = list(json_rows(path))
    labels = [(each, line) for each in lists for line in enumerate(read_lines(each), start=1)]
    if lists and len(labels) != len(rows):
        raise DataError(
            f"{lists[0]}: {len(labels)} labels, but {path.name} has {len(rows)} questions; line i "
            "must be the label of question i, fetch both again"
        )
    reading, seen = Reading([]), set[str]()
    for count, (number, row) in enumerate(rows):
        if lists:
            source, (line, label) = labels[count]
            gold = gold_of(source, line, label, ("1", "2", "3"))
        elif "correct" in row:
            gold = gold_of(path, number, row["correct"], LETTERS[:3])
        else:
            raise DataError(
                f"{path}:{number}: no 'correct' and no file of labels; put the -labels.lst file "
                "of the same name beside it, or get socialIQa_v1.4"
            )
        names = ("context", "question", "answerA", "answerB", "answerC")
        texts = [text(path, number, row, name) for name in names]
        example = ChoiceExample(
            id=f"{language}-{count}",
            language=language,
            document=texts[0],
            context=texts[0],
            question=texts[1],
            choices=tuple(texts[2:]),
            label=gold,
        )
        keep(reading, f"{path}:{number}", example, seen, blank=not all(texts))
    return complete(reading, files)


def text(path: Path, number: int, row: Any, key: str) -> str:
    """Return ``row[key]``, and an empty string if it is blank.

    Raises:
        DataError: it is missing, of another type, or cannot be written as UTF-8.
    """
    if isinstance(row, dict) and isinstance(row.get(key), str) and not row[key].strip():
        return ""
    return text_cell(path, number, row, key)


def gold_of(path: Path, number: int, value: Any, names: Sequence[str]) -> int:
    """Return which of `names` the label is, from 0; ``1`` and ``"1"`` are the same.

    Raises:
        DataError: it is none of them.
    """
    known = str(value) if type(value) is int else value
    return names.index(one_of(path, number, known, names))


def keep(
    reading: Reading, place: str, example: ChoiceExample, seen: set[str], *, blank: bool
) -> None:
    """Append an example, or count it if one of its texts is blank.

    Raises:
        DataError: its id is one of those `seen`.
    """
    if example.id in seen:
        raise DataError(f"{place}: id {example.id!r:.80} occurs twice; fetch the file again")
    seen.add(example.id)
    if blank:
        reading.dropped[BLANK] += 1
    else:
        reading.examples.append(example)


def complete(reading: Reading, files: tuple[Path, ...]) -> Reading:
    """Return the reading if there is anything in it.

    Raises:
        DataError: there is not.
    """
    if not reading.examples:
        why = ", ".join(f"{count} dropped: {reason}" for reason, count in reading.dropped.items())
        raise DataError(
            f"{', '.join(map(str, files))}: no items{f' ({why})' if why else ''}, expected "
            "questions with their choices"
        )
    return reading
