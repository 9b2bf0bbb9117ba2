"""Fails a step that reads project code or files which its key does not cover.

A hook in the step's process sees every import and every open from Python. A file of the project (one that git does
not ignore) outside the closure and the declared `reads` would make the key lie, so touching it is an error. Opens from
C and C++ are not seen.
"""

from __future__ import annotations

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


def install_guard(allowed: Allowed) -> None:
    """Watch this process from now on; a hook cannot be removed."""
    roots = Roots(allowed.project)
    checked: set[str] = set()

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "import":
            _check_import(str(args[0]), allowed, roots, checked)
        elif event == "open" and isinstance(args[0], str) and args[0] not in checked:
            checked.add(args[0])
            _check_open(args[0], allowed)

    sys.addaudithook(hook)


def _check_import(module: str, allowed: Allowed, roots: Roots, checked: set[str]) -> None:
    if module in checked or module in allowed.modules or module in PLUGINS or is_launcher(module):
        return
    checked.add(module)
    if roots.find(module) is not None:
        raise Mistake(f"import of {module}: it {FIRST_PARTY_HINT}")


def _check_open(name: str, allowed: Allowed) -> None:
    path = Path(name).absolute()
    if not path.is_relative_to(allowed.project) or path in allowed.files:
        return
    if any(path.is_relative_to(place) for place in (*allowed.reads, *allowed.outside)) or not path.is_file():
        return
    if "__pycache__" in path.parts or _is_ignored(path, allowed.project):
        return
    raise Mistake(f"open of {path.relative_to(allowed.project)}: it {FIRST_PARTY_HINT}")


def _is_ignored(path: Path, project: Path) -> bool:
    """Ask git; where there is no repository, only the declared folders are outside the project."""
    answer = subprocess.run(["git", "-C", str(project), "check-ignore", "-q", str(path)], capture_output=True)
    return answer.returncode == 0
