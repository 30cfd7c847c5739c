"""One tiny study, computed once without any disturbance; tests copy it."""

import shutil
from types import SimpleNamespace

import pytest
import tiny_study

CALM = {"OMP_NUM_THREADS": "1", "MIDWAY_CHECKPOINT_SECONDS": "3600"}


@pytest.fixture(scope="session")
def origin(tmp_path_factory):
    """The study after one run: its folder, and what the command line said."""
    folder = tmp_path_factory.mktemp("origin")
    study = tiny_study.make(folder)
    said = tiny_study.spawn(
        "run", study, "--data", folder / "data", "--store", folder / "store", cwd=folder, **CALM
    )
    assert said.code == 0, said.err
    return SimpleNamespace(folder=folder, said=said)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the study's data and encoder, for the studies of one module."""
    folder = tmp_path_factory.mktemp("folder")
    tiny_study.write_data(folder / "data")
    tiny_study.write_encoder(folder / "encoder")
    return folder


def view(folder, said=None):
    """Paths of a study folder, and the options that name them."""
    data, store, out = folder / "data", folder / "store", folder / "runs/tiny"
    return SimpleNamespace(
        folder=folder,
        study=folder / "tiny.toml",
        data=data,
        store=store,
        out=out,
        options=("--data", data, "--store", store),
        run_options=("--data", data, "--store", store, "--out", out),
        said=said,
    )


@pytest.fixture
def tiny(origin, tmp_path):
    """A copy of the computed study."""
    shutil.copytree(origin.folder, tmp_path / "study")
    return view(tmp_path / "study", origin.said)


@pytest.fixture
def fresh(origin, tmp_path):
    """A copy of the study with nothing computed."""
    skip = shutil.ignore_patterns("store", "runs")
    shutil.copytree(origin.folder, tmp_path / "fresh", ignore=skip)
    return view(tmp_path / "fresh")
