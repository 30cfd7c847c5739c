"""Tests on real data: marked, and skipped where there is none."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    absent = "MIDWAY_DATA" not in os.environ
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.data)
            if absent:
                item.add_marker(pytest.mark.skip(reason="MIDWAY_DATA is not set"))
