"""Engines that run a PipelineSpec, behind one signature, and what they gave back in one form.

Parameters are JSON values. An artifact is `{"sha256": ...}`, a hash of its names and bytes that the suite computes for
every engine alike, with `"metadata"` where it carries any.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argosy.launcher.artifacts import materialize, read_manifest
from argosy.launcher.store import open_store
from tests.fakes.projects import ROOT, argosy, write_files


@dataclass(frozen=True)
class Ended:
    """How a run ended, and the pipeline's outputs if it succeeded, or why it failed."""

    status: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


Engine = Callable[[Path, Mapping[str, Any], Path], Ended]


def content_hash(files: Mapping[str, bytes]) -> str:
    """Return a hash over relative names and bytes; a lone file has the name ''."""
    lines = [f"{name}\0{hashlib.sha256(data).hexdigest()}\n" for name, data in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def artifact(files: Mapping[str, bytes], metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the form in which artifacts are compared."""
    return {"sha256": content_hash(files)} | ({"metadata": dict(metadata)} if metadata else {})


def files_at(path: Path) -> dict[str, bytes]:
    """Return the bytes at a path by relative name; nothing if there is nothing."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def run_argosy(spec: Path, arguments: Mapping[str, Any], folder: Path) -> Ended:
    """Run `argosy run` in a project without code, with a store of its own."""
    write_files(folder / "project", {"pyproject.toml": "[tool.argosy]\n"})
    given = [part for name, value in arguments.items() for part in ("-p", f"{name}={_as_text(value)}")]
    command = ["run", spec, *given, "--output", "json", "--store", folder / "store"]
    ended = argosy(folder / "project", *command)
    if ended.returncode not in (0, 1) or not ended.stdout:
        return Ended(f"exit code {ended.returncode}", why=ended.stderr[-2000:])
    document = json.loads(ended.stdout)
    if document["status"] != "succeeded":
        return Ended("failed", why=ended.stderr[-2000:])
    store = open_store(str(folder / "store"))

    def found(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("sha256:"):
            path = folder / "outputs" / value
            if not path.exists():
                materialize(store, value, path)
            return artifact(files_at(path), read_manifest(store, value)["metadata"])
        return [found(item) for item in value] if isinstance(value, list) else value

    return Ended("succeeded", {name: found(value) for name, value in document["outputs"].items()})


def run_kfp_local(spec: Path, arguments: Mapping[str, Any], folder: Path) -> Ended:
    """Run kfp.local in a process of its own."""
    command = [sys.executable, "-m", "tests.fakes.shapes.kfp_local", spec, json.dumps(arguments), folder]
    env = {name: value for name, value in os.environ.items() if not name.startswith("_KFP")}
    child = subprocess.run(list(map(str, command)), cwd=ROOT, env=env, capture_output=True, text=True)
    if child.returncode != 0:
        return Ended(f"exit code {child.returncode}", why=child.stderr[-2000:])
    ended = json.loads((folder / "ended.json").read_text(encoding="utf-8"))

    def found(value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"path", "metadata"}:
            return artifact(files_at(Path(value["path"])), value["metadata"])
        return [found(item) for item in value] if isinstance(value, list) else value

    return Ended(ended["status"], {name: found(value) for name, value in ended["outputs"].items()}, ended["why"])


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


ENGINES: dict[str, Engine] = {
    "argosy": run_argosy,
    "kfp.local": run_kfp_local,
}
