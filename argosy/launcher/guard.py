"""Fails a step that reads project code or files which its key does not cover, or writes where only others may.

A hook in the step's process sees every import and every open from Python. A file of the project (one that git does
not ignore) outside the closure and the declared `reads` would make the key lie, so touching it is an error. Opens from
C and C++ are not seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.errors import Mistake
from argosy.launcher.closure import Roots, is_launcher

FIRST_PARTY_HINT = (
    "is not in the step's source closure, so a change of it would not re-run the step; "
    "import it with a plain import statement, or declare the file in `reads`"
)
# MLflow loads our artifact repository by its entry point in every process that imports mlflow.
PLUGINS = frozenset({"argosy.registry", "argosy.registry.source"})


@dataclass(frozen=True)
class Allowed:
    """What a step may touch of the project."""

    project: Path
    modules: frozenset[str]
    files: frozenset[Path]
    reads: tuple[Path, ...]
    outside: tuple[Path, ...]
    """Folders inside the project that are none of it: scratch, store, environment."""
    store: Path | None = None


def install_guard(allowed: Allowed) -> list[Mistake]:
    """Watch this process from now on (a hook cannot be removed); return the list that violations are added to."""
    roots = Roots(allowed.project)
    passed: set[tuple[str, bool]] = set()
    violations: list[Mistake] = []

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "import":
            name = str(args[0])
        elif event == "open" and not isinstance(args[0], int):
            name = _absolute(os.fsdecode(args[0]))
        else:
            return
        writes = event == "open" and bool(args[2] & os.O_ACCMODE)
        if (name, writes) in passed:
            return
        try:
            CHECKS[event](name, allowed, roots)
            if writes:
                _check_write(Path(name), allowed)
        except Mistake as violation:
            violations.append(violation)
            raise
        passed.add((name, writes))

    sys.addaudithook(hook)
    return violations


def is_hidden(path: Path, place: Path) -> bool:
    """Say whether a path below a declared folder is one of those that tools leave there, which no key holds."""
    return any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(place).parts)


def _check_import(module: str, allowed: Allowed, roots: Roots) -> None:
    if module in allowed.modules or module in PLUGINS or is_launcher(module):
        return
    if roots.find(module) is not None:
        raise Mistake(f"import of {module}: it {FIRST_PARTY_HINT}")


def _check_open(name: str, allowed: Allowed, roots: Roots) -> None:
    path = Path(name)
    if path.parent.name == "__pycache__":
        # What Python compiled stands for its source.
        path = path.parent.parent / f"{path.name.split('.', 1)[0]}.py"
    if not path.is_relative_to(allowed.project) or path in allowed.files or not path.is_file():
        return
    if any(path.is_relative_to(place) for place in allowed.outside) or path in map(roots.find, PLUGINS):
        return
    if any(path.is_relative_to(place) and not is_hidden(path, place) for place in allowed.reads):
        return
    if not _is_ignored(path, allowed.project):
        raise Mistake(f"open of {path.relative_to(allowed.project)}: it {FIRST_PARTY_HINT}")


def _check_write(path: Path, allowed: Allowed) -> None:
    """Refuse what a step may read but never change; its other ways to write are not seen here."""
    if allowed.store is not None and path.is_relative_to(allowed.store):
        raise Mistake(f"open of {path} for writing: the store is written by the launcher alone; write to an output")
    if path in allowed.files or any(path.is_relative_to(place) for place in allowed.reads):
        raise Mistake(f"open of {path} for writing: it is the step's source or what it reads; write to an output")


def _absolute(name: str) -> str:
    try:
        return os.path.abspath(name)  # noqa: PTH100 - `Path.absolute` would keep `..`
    except FileNotFoundError:
        # The working folder is gone, so that the open will fail by itself.
        return name


CHECKS = {"import": _check_import, "open": _check_open}


def _is_ignored(path: Path, project: Path) -> bool:
    """Ask git; where there is no repository, only the declared folders are outside the project."""
    try:
        answer = subprocess.run(["git", "-C", str(project), "check-ignore", "-q", str(path)], capture_output=True)
    except FileNotFoundError:
        # An image without git holds no repository either.
        return False
    return answer.returncode == 0
