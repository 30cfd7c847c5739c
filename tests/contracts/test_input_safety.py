"""What SECURITY.md promises of the source: nothing in it can run what it was given as data."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

SOURCE = Path(find_spec("midway").origin).parent
ROOT = Path(__file__).parents[2]
TREES = {
    path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(SOURCE.rglob("*.py"))
}

# Formats that run code or build any object when they are read; archives, which midway never
# unpacks; other programs; parsers of XML that expand entities.
MODULES = {
    *("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"),
    *("yaml", "ruamel", "tarfile", "zipfile", "zipimport", "rarfile", "py7zr"),
    *("subprocess", "pty", "code", "codeop", "runpy", "telnetlib", "ftplib", "xmlrpc"),
    *("xml.etree", "xml.dom", "xml.sax", "lxml"),
}  # fmt: skip
CALLS = {
    *("eval", "exec", "compile", "__import__", "input", "breakpoint"),
    *("os.system", "os.popen", "os.execv", "os.spawnv", "os.startfile", "shutil.unpack_archive"),
    *("torch.load", "torch.save", "np.load", "numpy.load", "torch.hub.load", "tempfile.mktemp"),
}  # fmt: skip
# Python's own processes speak pickle to one another through pipes that nobody else can write to:
# these are the modules that may open one.
PIPES = {
    "graph/children.py": "starts the processes and owns their pipes",
    "graph/engines/local.py": "workers on this machine",
    "train/processes.py": "processes that share a training stage",
}
# Modules are named by the code, never by data.
IMPORTS = {
    "__init__.py": "public names, lazily, from a table in the same file",
    "graph/stage.py": "a stage function by the name that its kind was defined with",
    "tasks/__init__.py": "a card of the catalogue, its name checked against those there are",
}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree):
    """(name as it is written, call) of every call of a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func), node


def below(name, modules):
    return any(name == module or name.startswith(module + ".") for module in modules)


@pytest.mark.parametrize("path", TREES)
def test_nothing_that_runs_what_it_reads(path):
    tree = TREES[path]
    assert not [name for name in imported(tree) if below(name, MODULES)]
    assert not [name for name, _ in calls(tree) if name in CALLS]


def test_processes_are_started_only_where_it_is_said():
    starting = {
        path
        for path, tree in TREES.items()
        if any(below(name, {"multiprocessing"}) for name in imported(tree))
        and any(name.startswith("multiprocessing.connection") or "SpawnProcess" in name
                or "get_context" in name or name == "multiprocessing.connection"
                for name in imported(tree))
    }  # fmt: skip
    assert starting == PIPES.keys()
    for path in PIPES:
        text = (SOURCE / path).read_text(encoding="utf-8")
        assert not re.search(r"connection\.(Listener|Client)", text), "a socket others can reach"


def test_modules_are_imported_by_name_only_where_it_is_said():
    importing = {
        path
        for path, tree in TREES.items()
        if any(name.endswith("import_module") for name, _ in calls(tree))
    }
    assert importing <= IMPORTS.keys()
    assert importing


def test_nothing_is_run_in_a_shell():
    for path, tree in TREES.items():
        for name, call in calls(tree):
            shell = [key for key in call.keywords if key.arg == "shell"]
            assert not shell, f"{path}: {name}(shell=…)"


def test_transformers_is_never_left_to_ask_whether_to_run_code():
    """Left out, `trust_remote_code` is a question on the terminal."""
    found = 0
    for path, tree in TREES.items():
        for name, call in calls(tree):
            given = {key.arg: key.value for key in call.keywords}
            trust = given.get("trust_remote_code")
            assert trust is None or (isinstance(trust, ast.Constant) and trust.value is False)
            if name.endswith(".from_pretrained"):
                found += 1
                assert trust is not None, f"{path}: {name} without trust_remote_code=False"
                local = given.get("local_files_only")
                assert isinstance(local, ast.Constant), path
                assert local.value is True, path
            if name == "AutoModel.from_pretrained":
                assert {"use_safetensors", "config"} <= given.keys()
    assert found >= 4


def test_pages_are_escaped_by_default():
    """One environment, with autoescape; nothing is marked as safe that data can reach."""
    made = [
        (path, {key.arg: key.value for key in call.keywords})
        for path, tree in TREES.items()
        for name, call in calls(tree)
        if name.split(".")[-1] in ("Environment", "Template")
    ]
    assert len(made) >= 1
    for path, given in made:
        auto = given.get("autoescape")
        assert isinstance(auto, ast.Constant), path
        assert auto.value is True, path
    for path in SOURCE.rglob("*.j2"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"autoescape\s+false", text), path
        marked = re.findall(r"(\S+)\s*\|\s*safe\b", text)
        assert all(token.endswith(("'", '"')) for token in marked), f"{path}: safe without quotes"
    for path, tree in TREES.items():
        for name, call in calls(tree):
            if name == "Markup" and call.args:
                constant = isinstance(call.args[0], ast.Constant)
                assert constant, f"{path}:{call.lineno}: Markup of what is no constant"


def test_the_linter_holds_the_same():
    """ruff's S rules are bandit's; exceptions stand on their line, with a reason, and are few."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^\s*"S",', settings, re.MULTILINE)
    assert not re.search(r'"src/midway[^"]*" = \[[^\]]*"S', settings)
    excused = [
        (path, line)
        for path in SOURCE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"noqa:.*\bS\d", line)
    ]
    assert not excused


def test_security_promises_are_written_down():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for word in ("pickle", "trust_remote_code", "archive", "escaped", "token", "memory", "Report"):
        assert word in text, word
