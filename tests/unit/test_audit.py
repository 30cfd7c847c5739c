"""`make audit`: a vulnerability is an error, a machine without a network is not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from audit import verdict


@pytest.mark.parametrize(
    ("code", "said", "wanted", "words"),
    [
        (0, "No known vulnerabilities found", 0, "no known"),
        (1, "Found 1 known vulnerability in 1 package\nx 1.0 PYSEC-2024-1 1.1", 1, "known"),
        (1, "ConnectionError: HTTPSConnectionPool: Max retries exceeded", 0, "NOT AUDITED"),
        (1, "Temporary failure in name resolution", 0, "NOT AUDITED"),
        (2, "unrecognised arguments: --x", 1, "failed"),
    ],
)
def test_verdict(code, said, wanted, words):
    found, line = verdict(code, said)
    assert found == wanted
    assert words in line


def test_a_vulnerability_is_never_taken_for_a_missing_network():
    said = "urllib3 1.0 PYSEC-1: a ConnectionError may leak\nFound 1 known vulnerability"
    assert verdict(1, said)[0] == 1
