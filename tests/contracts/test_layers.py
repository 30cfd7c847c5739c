"""Imports go downwards only, never in a circle, and planning stays free of torch."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

SOURCE = Path(find_spec("midway").origin).parent

LAYERS = (
    ("__init__", "errors", "canonical", "stats"),
    ("languages", "store", "tasks", "families", "metrics", "encoders"),
    ("train", "graph"),
    ("stages",),
    ("studies", "advice", "analysis", "claims", "report"),
    ("cli", "__main__"),
)
LAYER = {name: level for level, names in enumerate(LAYERS) for name in names}

# These plan, read and report; a laptop without an accelerator's libraries must do.
LIGHT = (
    *("tasks", "metrics", "languages", "analysis", "advice", "claims", "report"),
    *("studies", "store", "graph", "cli"),
)
HEAVY = ("torch", "transformers")


def part_of(module):
    """``midway.store.local`` → ``store``; ``midway`` → ``__init__``."""
    return [*module.split("."), "__init__"][1]


@cache
def sources():
    """Syntax trees by module name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("midway", *path.relative_to(SOURCE).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def typing_only(tree):
    """Nodes below ``if TYPE_CHECKING:``, which are never executed."""
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for branch in node.body
        for inner in ast.walk(branch)
    }


def targets(node):
    """First-party modules that an import statement names."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative import"
        deeper = [f"{node.module}.{alias.name}" for alias in node.names]
        names = [name if name in sources() else node.module for name in deeper]
    else:
        return []
    return [name for name in names if name.split(".")[0] == "midway"]


def imports(module, *, top_only=False):
    """First-party modules that `module` imports, with line numbers."""
    tree = sources()[module]
    skipped = typing_only(tree)
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) not in skipped and not (top_only and id(node) in inner):
            yield from ((target, node.lineno) for target in targets(node))


def test_every_module_has_a_layer():
    assert {part_of(module) for module in sources()} == set(LAYER)


@pytest.mark.parametrize("module", sorted(sources()))
def test_imports_go_downwards(module):
    level = LAYER[part_of(module)]
    upwards = [
        f"{module}:{line} (layer {level}) imports {target} (layer {LAYER[part_of(target)]})"
        for target, line in imports(module)
        if LAYER[part_of(target)] > level
    ]
    assert not upwards


def test_no_circles_between_modules_nor_between_packages():
    modules, packages = {}, {}
    for module in sources():
        below = {target for target, _ in imports(module, top_only=True)} - {module}
        modules[module] = below
        parts = {part_of(target) for target in below} - {part_of(module)}
        packages.setdefault(part_of(module), set()).update(parts)
    assert len(modules) > 50
    TopologicalSorter(modules).prepare()  # raises CycleError, which shows the circle
    TopologicalSorter(packages).prepare()


def test_first_party_imports_stand_at_the_top_outside_the_command_line():
    hidden = [
        f"{module}:{line} imports {target} inside a function"
        for module in sources()
        if LAYER[part_of(module)] < LAYER["cli"]
        for target, line in set(imports(module)) - set(imports(module, top_only=True))
    ]
    assert not hidden


def test_store_and_graph_know_no_language_processing():
    for module in sources():
        if part_of(module) in ("store", "graph"):
            known = {part_of(target) for target, _ in imports(module)}
            assert known <= {"__init__", "errors", "canonical", "store", "graph"}, module


def test_planning_reading_and_reporting_load_no_torch():
    light = [module for module in sources() if part_of(module) in LIGHT]
    code = (
        "import importlib, sys\n"
        f"for name in {light!r}:\n"
        "    importlib.import_module(name)\n"
        f"    heavy = [part for part in {HEAVY!r} if part in sys.modules]\n"
        "    assert not heavy, f'{name} loads {heavy}'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-400:]
