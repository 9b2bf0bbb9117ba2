"""The key of a step: a digest of everything its outputs depend on, and of nothing else.

Left out on purpose: task names, URIs, run ids, resources, retries and the version of kfp.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import Mistake
from argosy.launcher.canonical import digest_of, normal_json
from argosy.launcher.closure import PYTHON, Closure, Roots, parse_source, source_closure
from argosy.launcher.distributions import locked_versions
from argosy.launcher.guard import is_hidden
from argosy.launcher.store import hash_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from argosy.launcher.stamps import Stamps
    from argosy.launcher.step import Step

FORMAT = 1
"""Raise it when the launcher's own semantics change: every key changes with it."""

CODE: Final = ("format", "function", "code", "sources", "distributions", "packages", "platform", "reads")


@dataclass(frozen=True)
class Project:
    """What steps are keyed against: first-party code, the lock, and the table of known stats."""

    roots: Roots
    lock: Path | None
    stamps: Stamps


@dataclass(frozen=True)
class Key:
    """A key, the document it digests, and the closure of the step's code."""

    digest: str
    document: Mapping[str, Any]
    closure: Closure


def step_key(step: Step, project: Project) -> Key:
    """Compute the key of a step.

    Raises:
        Mistake: The code cannot be parsed, a declared file is missing, or the lock and the installation differ.

    """
    closure = source_closure(step.source, project.roots, project.stamps)
    document = {
        "format": FORMAT,
        **(_program(step) if step.argv else _function(step, closure, project)),
        "platform": current_platform(),
        "env": dict(step.env) | {name: os.environ.get(name) for name in step.declared_env},
        "reads": {name: tree_digest(name, project) for name in step.reads},
        "inputs": {name: normal_json(entry.identity) for name, entry in step.inputs.items()},
        "outputs": {name: slot.type for name, slot in step.outputs.items()},
        "measurements": sorted(step.measurements),
        "salt": step.salt,
    }
    return Key(digest_of(document), document, closure)


def code_part(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a key that a pod brings with it: sources, packages, files and Python; not what it is given."""
    return {name: document[name] for name in CODE if name in document}


def _function(step: Step, closure: Closure, project: Project) -> dict[str, Any]:
    document = {
        "function": step.function,
        "code": parse_source(step.source, step.name).digest,
        "sources": dict(closure.files),
        "distributions": locked_versions(closure.third_party, project.lock, project.stamps),
    }
    return document | ({"packages": sorted(step.packages)} if step.packages else {})


def _program(step: Step) -> dict[str, Any]:
    return {"image": step.image, "argv": list(step.argv)}


def current_platform() -> dict[str, str]:
    """Name what compiled code and pickled defaults depend on."""
    return {"python": PYTHON, "os": sys.platform, "arch": platform.machine()}


def tree_digest(name: str, project: Project) -> str:
    """Digest declared files or folders of the project; Python files as code, the rest by bytes."""
    roots = project.roots
    files = [path for place in declared_places(name, roots) for path in read_files(place)]
    return digest_of({roots.name(path): _file_digest(path, project.stamps) for path in files})


def declared_places(name: str, roots: Roots) -> list[Path]:
    """Return the files and folders that a declared path or glob names: of the project, or `argosy/...` of the library.

    Raises:
        Mistake: It names none.

    """
    root = roots.library if name.startswith("argosy/") else roots.project
    inside = not name.startswith("/") and ".." not in name.split("/")
    places = sorted(root.glob(name)) if inside else []
    if not places:
        raise Mistake(f"reads: {name} is not in {root}; name a file, a folder or a glob of the project")
    return places


def read_files(place: Path) -> Iterator[Path]:
    """Yield the files of a declared path, sorted, without what Python and editors leave there."""
    if place.is_file():
        yield place
        return
    for path in sorted(place.rglob("*")):
        if path.is_file() and not is_hidden(path, place):
            yield path


def changed_parts(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    """Say in words which parts of a key differ from an earlier one, sources first."""
    if before is None:
        return ["never ran before"]
    found = []
    for part, value in after.items():
        old = before.get(part)
        if isinstance(value, dict) and isinstance(old, dict):
            found += [_words(part, name) for name in sorted(value | old) if old.get(name) != value.get(name)]
        elif old != value:
            found.append(f"{part} changed")
    return found


def _words(part: str, name: str) -> str:
    singular = {"sources": "source", "distributions": "distribution", "inputs": "input", "outputs": "output"}
    return f"{singular.get(part, part)} {name} changed"


def _file_digest(path: Path, stamps: Stamps) -> str:
    def read() -> str:
        if path.suffix == ".py":
            return parse_source(path.read_text(encoding="utf-8"), str(path)).digest
        return "sha256:" + hash_file(path)[0]

    return str(stamps.fact(f"file {PYTHON}", path, read))
