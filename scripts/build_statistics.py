"""Write ``src/midway/tasks/statistics/<task>.json`` for every task that the data folders serve.

    python scripts/build_statistics.py [TASK…]      (reads MIDWAY_DATA)

Tasks without files at hand keep the statistics that they have.
"""

import json
import os
import sys
import time

from tokenizers import Tokenizer

from midway.encoders.offline import wheel_files
from midway.tasks import card_names, load_card
from midway.tasks.describe import describe_task
from midway.tasks.sources import parse_folders
from midway.tasks.statistics import FOLDER


def main() -> None:
    """Describe the named tasks, or all."""
    folders = parse_folders(os.environ.get("MIDWAY_DATA"))
    tokenizer = Tokenizer.from_file(str(wheel_files()[1]))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or card_names():
        began = time.monotonic()
        found = describe_task(load_card(name), folders, tokenizer)
        if not found:
            print(f"{name:16} no files")
            continue
        lines = [
            json.dumps(split)
            + ": {\n"
            + ",\n".join(
                f"  {json.dumps(language)}: {json.dumps(record, ensure_ascii=False)}"
                for language, record in languages.items()
            )
            + "\n }"
            for split, languages in found.items()
        ]
        text = "{\n " + ",\n ".join(lines) + "\n}\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
        languages = sum(map(len, found.values()))
        print(f"{name:16} {languages:4} splits and languages, {time.monotonic() - began:5.1f} s")


if __name__ == "__main__":
    main()
