"""The committed statistics describe the files that they name."""

import os

import pytest
from tokenizers import Tokenizer

from midway.encoders.offline import wheel_files
from midway.tasks import card_names, load_card
from midway.tasks.describe import describe_split, digest_of
from midway.tasks.files import find_files
from midway.tasks.select import present
from midway.tasks.sources import parse_folders
from midway.tasks.statistics import load_statistics

REMEDY = "run: make statistics (with MIDWAY_DATA set), look at what changed, and commit it"


@pytest.fixture(scope="module")
def tokenizer():
    found = Tokenizer.from_file(str(wheel_files()[1]))
    found.no_truncation()
    found.no_padding()
    return found


@pytest.mark.parametrize("name", card_names())
def test_statistics(name, tokenizer):
    card = load_card(name)
    folders = parse_folders(os.environ["MIDWAY_DATA"])
    here = {split: found for split, found in present(card, folders).items() if found}
    if not here:
        pytest.skip("no files")
    committed = load_statistics(name)
    compared = 0
    for split, languages in here.items():
        for language in languages:
            record = committed.get(split, {}).get(language)
            assert record is not None, f"{name} {split} {language} has no statistics; {REMEDY}"
            if record["digest"] == digest_of(find_files(card, folders, split, language)):
                found = describe_split(card, folders, split, language, tokenizer)
                assert found == record, f"{name} {split} {language}; {REMEDY}"
                compared += 1
    assert compared, f"none of the statistics of {name} is about these files; {REMEDY}"
