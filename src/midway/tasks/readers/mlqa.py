"""MLQA: SQuAD's JSON, in which parallel questions share their ids but not their titles.

A question's document is the title of its article in the English file, which holds the ids of all
languages; so folds cut nothing in two and are the same in every language.
"""

from dataclasses import replace
from pathlib import Path

from midway.tasks.examples import QAExample, Reading
from midway.tasks.readers.squad_json import read_squad


def read_mlqa(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the questions of one language, in file order.

    Args:
        files: the language's file, then the English one (not needed for English).
        split: see `read_squad`.
        language: the benchmark's code, given to every example.

    Returns:
        Questions with the publisher's ids; a warning if some are not in the English file, which
        keep their own title as document.

    Raises:
        DataError: as `read_squad`, for either file.
    """
    reading = read_squad(files[:1], split, language)
    if language == "en":
        return reading
    english = read_squad(files[1:], "test", "en").examples if files[1:] else []
    titles = {example.id: example.document for example in english}
    alone = sum(example.id not in titles for example in reading.examples)
    reading.examples = [
        replace(example, document=titles.get(example.id, example.document))
        for example in reading.examples
        if isinstance(example, QAExample)
    ]
    if alone:
        reading.warnings.append(
            f"{files[0]}: {alone} of {len(reading.examples)} questions are not in the English "
            "file (context-en-question-en) beside it, so folds A and B may differ from those of "
            "other languages; get both files from one release"
        )
    return reading
