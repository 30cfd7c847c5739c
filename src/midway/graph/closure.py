"""Which first-party source a stage function runs: the code an artefact was made by.

The closure is found by reading import statements, also those inside functions, without importing
anything. Modules imported by a computed name (task cards) are not seen; they have versions.
"""

import ast
import functools
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from midway.canonical import digest, file_digest
from midway.graph.stage import Deferred
from midway.store.manifest import Code


def code_of(function: Callable[..., Any]) -> Code:
    """Return digest and files of the first-party import closure of the module of `function`.

    First-party means: of the same top-level package.
    """
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, Deferred):
        return _code_of_module(function.module)
    return _code_of_module(inspect.unwrap(function).__module__)


def changed_files(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return the modules whose source differs between two closures, in alphabetical order."""
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


@cache
def _code_of_module(module: str) -> Code:
    files: dict[str, str] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        path = _source(name)
        if path is None or name in files:
            continue
        files[name] = file_digest(path)
        pending += _imports(path, name.partition(".")[0])
        if "." in name:
            pending.append(name.rpartition(".")[0])  # importing a.b.c runs a and a.b first
    return Code(digest(files), files)


@cache
def _imports(path: Path, package: str) -> tuple[str, ...]:
    found = []
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from a import b`: b may be a module or a name; what is no module has no source.
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(name for name in found if name.partition(".")[0] == package)


@cache
def _source(module: str) -> Path | None:
    top, _, rest = module.partition(".")
    origin = _top_file(top)
    if origin is None or not rest:
        return origin
    base = origin.parent.joinpath(*rest.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _top_file(top: str) -> Path | None:
    loaded = getattr(sys.modules.get(top), "__file__", None)
    if loaded is None and top not in sys.modules:
        spec = importlib.util.find_spec(top)
        loaded = spec.origin if spec else None
    return Path(loaded) if loaded and loaded.endswith(".py") else None
