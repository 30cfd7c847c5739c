"""Every study file of the repository can be planned on the data at hand."""

import os
from pathlib import Path

import pytest

from midway.store.local import Store
from midway.studies.session import open_session
from midway.tasks.sources import parse_folders

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif("MIDWAY_DATA" not in os.environ, reason="MIDWAY_DATA is not set"),
]

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_it_can_be_planned(path, tmp_path):
    session = open_session(path, Store(tmp_path), parse_folders(os.environ["MIDWAY_DATA"]))
    targets = {cell.target for cell in session.expansion.cells}
    assert targets == {target.name or target.task for target in session.study.target}
    assert all(stage.estimate["tokens"] > 0 for stage in session.plan.stages if stage.estimate)
