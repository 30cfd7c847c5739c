"""The committed language table is what the sources say."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cosine

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


@pytest.mark.parametrize(
    ("first", "second"), [("sw", "en"), ("te", "ta"), ("quy", "fi"), ("sr", "hr")]
)
def test_distance_in_syntax_is_uriels(data, first, second):
    with np.load(data / "langinfo/uriel/feature_predictions.npz", allow_pickle=False) as file:
        syntactic = np.array([name.startswith("S_") for name in file["feats"]])
        codes, table = file["langs"].tolist(), file["data"][:, syntactic, 0].astype(float)
    one, other = (table[codes.index(languages.lookup(c).iso639_3)] for c in (first, second))
    assert languages.syntactic_distance(first, second) == pytest.approx(cosine(one, other))
