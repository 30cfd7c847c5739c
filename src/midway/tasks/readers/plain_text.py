r"""Plain text: one text a line, for masked language modelling.

1. A text is a line, with white space at both ends cut; blank lines are dropped and counted.
2. Several files of one language are joined in sorted order.
"""

from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import PlainText, Reading
from midway.tasks.sources import read_lines, stem

BLANK = "blank line"


def read_plain_text(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the texts of one language, in file order.

    Args:
        files: text files with different stems.
        split: not used, there is one layout.
        language: given to every text.

    Returns:
        Texts with ids ``<file stem>-<line from 1>``; each is its own document.

    Raises:
        DataError: a file is damaged, or holds blank lines only.
    """
    del split
    reading = Reading([])
    for path in files:
        before = len(reading.examples)
        for number, line in enumerate(read_lines(path), start=1):
            text = line.strip()
            if not text:
                reading.dropped[BLANK] += 1
                continue
            name = f"{stem(path)}-{number}"
            reading.examples.append(PlainText(id=name, language=language, document=name, text=text))
        if len(reading.examples) == before:
            raise DataError(f"{path}: blank lines only, expected one text a line")
    return reading
