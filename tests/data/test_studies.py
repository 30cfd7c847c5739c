"""Every study file of the repository is planned on the data at hand, or says which are missing."""

import os
from pathlib import Path

import pytest

from midway.errors import DataError, StudyError
from midway.store.local import Store
from midway.studies.session import open_session
from midway.tasks.sources import parse_folders

STUDIES = sorted((Path(__file__).parents[2] / "studies").rglob("*.toml"))

# The paper's own runs need complete training sets, which no folder of ours has.
LACKING = {
    "phang2020-best": "mnli has no validation data at hand in en",
    "phang2020-english": "mnli has no validation data at hand in en",
    "phang2020-mlm": r"no files of xnli \(test\) in language 'ur'; at hand: ar bg",
    "phang2020-multitask": r"no files of qqp \(train\) in .*; give their folder with --data",
    "phang2020-multitask-draft": r"no files of qqp \(train\) in .*; give their folder with --data",
    "phang2020-translated": r"no files of xnli \(train\) in language 'bg'; at hand: ar en es sw",
}


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_it_can_be_planned(path, tmp_path):
    data = parse_folders(os.environ["MIDWAY_DATA"])
    if path.stem in LACKING:
        with pytest.raises((DataError, StudyError), match=LACKING[path.stem]):
            open_session(path, Store(tmp_path), data)
        return
    session = open_session(path, Store(tmp_path), data)
    targets = {cell.target for cell in session.expansion.cells}
    assert targets == {target.label for target in session.study.target}
    computed = [s for s in session.plan.stages if s.kind.name in ("features", "train", "predict")]
    assert all(stage.estimate["tokens"] > 0 for stage in computed)
