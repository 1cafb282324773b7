"""Fingerprints: two that are equal were made from the same code, configuration, libraries and inputs."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import BaseModel

from lakehouse.project import JARS_LOCK, PROJECT, REQUIREMENTS_LOCK

PACKAGES = ("jobs", "lakehouse")
# Up to Python 3.11.7, two threads that parse at once fail now and then (python/cpython#106905).
PARSING = Lock()


def digest(value: Any) -> str:
    """Return a short hash of a value that JSON can hold; the order of keys does not show."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def of_code(path: Path) -> str:
    """Return the hash of a module and of all project modules that it imports.

    Comments, formatting, docstrings and what stands under ``if __name__ == "__main__"`` do not count.
    """
    return digest({str(file.relative_to(PROJECT)): _module(file)[0] for file in _reached([path.resolve()])})


def of_job(path: Path, settings: Mapping[str, Any], inputs: Mapping[str, str | None]) -> str:
    """Return the hash of everything that a job's output depends on; ``inputs`` are identities of versions."""
    return digest({"code": of_code(path), "settings": settings, "libraries": of_libraries(), "inputs": inputs})


@cache
def of_libraries() -> str:
    """Return the hash of the locks of Python packages and jars."""
    return digest([lock.read_text(encoding="utf-8") for lock in (REQUIREMENTS_LOCK, JARS_LOCK)])


def _reached(paths: Iterable[Path]) -> list[Path]:
    reached: set[Path] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += _module(path)[1]
    return sorted(reached)


@cache
def _module(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Return the hash of a module and the project's files that it imports."""
    with PARSING:
        module = ast.parse(path.read_text(encoding="utf-8"))
    module.body = [statement for statement in module.body if not _is_main_guard(statement)]
    imported: list[str] = []
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        elif isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    files = [_file(name) for name in imported if name.partition(".")[0] in PACKAGES]
    tree = hashlib.sha256(ast.dump(module).encode()).hexdigest()
    return tree, tuple(file for file in files if file is not None)


def _file(module: str) -> Path | None:
    path = PROJECT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
