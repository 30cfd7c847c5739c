"""What several test modules begin with."""

import pytest
from tiny import artefact, tiny_model


@pytest.fixture(scope="module")
def model():
    """A random BERT; modules may have another."""
    return tiny_model("bert")


@pytest.fixture(scope="module")
def encoder(model, tmp_path_factory):
    """The artefact that the import stage makes of it."""
    return artefact(model, tmp_path_factory.mktemp("encoder"))
