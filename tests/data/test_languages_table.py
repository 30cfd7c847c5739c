"""The committed language table is what the sources say."""

import importlib.util
import os
from pathlib import Path

import pytest

from midway import languages


@pytest.fixture(scope="module")
def data():
    return Path(os.environ["MIDWAY_DATA"])


def test_building_again_gives_the_committed_file(data):
    script = Path(__file__).parents[2] / "scripts" / "build_languages.py"
    spec = importlib.util.spec_from_file_location("build_languages", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.build(data) == languages.TABLE.read_text(encoding="utf-8")


def test_every_language_with_data_is_known_and_none_is_merged(data):
    for folder in ("sib200", "masakhaner2", "masakhapos", "afrisenti", "afriqa/gold_passages"):
        codes = [path.name for path in (data / folder).iterdir() if path.is_dir()]
        found = [languages.lookup(code) for code in codes]
        assert codes
        assert None not in found
        assert len(set(found)) == len(codes)
