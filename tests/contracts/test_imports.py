"""Starting is fast, and every module says what it is."""

import ast
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

SOURCE = Path(find_spec("midway").origin).parent
HELP_SECONDS = 0.3


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_midway_loads_nothing_heavy():
    loaded = set(python("import midway, sys; print(*sys.modules)").split())
    assert "midway" in loaded
    heavy = {"torch", "transformers", "tokenizers", "numpy", "pyarrow", "pydantic", "typer", "rich"}
    assert not loaded & heavy


def test_help_is_fast():
    program = Path(sys.executable).with_name("midway")
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        done = subprocess.run([program, "--help"], capture_output=True, text=True)
        times.append(time.perf_counter() - begin)
        assert done.returncode == 0
        assert "run" in done.stdout
    assert min(times) < HELP_SECONDS, times


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "midway", "--version"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert (
        done.stdout.strip() == python("import midway; print('midway', midway.__version__)").strip()
    )


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix()
)
def test_every_module_says_what_it_is(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text
    assert text.split("\n")[0].rstrip().endswith((".", ":", "?"))
