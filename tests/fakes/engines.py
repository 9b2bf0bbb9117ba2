"""Engines that run a PipelineSpec, behind one signature, and what they gave back in one form.

Parameters are JSON values. An artifact is `{"sha256": ...}`, a hash of its names and bytes that the suite computes for
every engine alike, with `"metadata"` where it carries any.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from argosy.kubeflow.wrap import wrap
from argosy.launcher.artifacts import materialize, read_manifest
from argosy.launcher.store import Store, open_store
from argosy.spec.documents import parse_documents
from tests.fakes.projects import ROOT, argosy, project_env, write_files


@dataclass(frozen=True)
class Ended:
    """How a run ended, and the pipeline's outputs if it succeeded, or why it failed.

    Attributes:
        steps: How each step under the launcher ended, by its key.

    """

    status: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    steps: Mapping[str, str] = field(default_factory=dict)


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


def compared(value: Any, store: Store, folder: Path) -> Any:
    """Return an output as engines are compared by: digests are laid out in the folder and hashed anew."""
    if isinstance(value, str) and value.startswith("sha256:"):
        path = folder / "outputs" / value
        if not path.exists():
            materialize(store, value, path)
        return artifact(files_at(path), read_manifest(store, value)["metadata"])
    return [compared(item, store, folder) for item in value] if isinstance(value, list) else value


def run_argosy(spec: Path, arguments: Mapping[str, Any], folder: Path) -> Ended:
    """Run `argosy run` in a project without code, with the folder's store."""
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
    outputs = {name: compared(value, store, folder) for name, value in document["outputs"].items()}
    return Ended("succeeded", outputs, steps={step["key"]: step["status"] for step in document["steps"] if step["key"]})


def run_kfp_local(spec: Path, arguments: Mapping[str, Any], folder: Path, **env: str) -> Ended:
    """Run kfp.local in a process of its own; what it and its steps print is the folder's `log`."""
    request = {"spec": spec, "arguments": arguments, "folder": folder, "env": project_env(folder / "project", **env)}
    runner = _local_runner()
    runner.stdin.write(json.dumps(request, default=str) + "\n")
    runner.stdin.flush()
    code = int(runner.stdout.readline())
    if code != 0:
        return Ended(f"exit code {code}", why=(folder / "log").read_text(encoding="utf-8")[-2000:])
    ended = json.loads((folder / "ended.json").read_text(encoding="utf-8"))

    def found(value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"path", "metadata"}:
            own = {name: entry for name, entry in value["metadata"].items() if not name.startswith("argosy_")}
            return artifact(files_at(Path(value["path"])), own)
        return [found(item) for item in value] if isinstance(value, list) else value

    return Ended(ended["status"], {name: found(value) for name, value in ended["outputs"].items()}, ended["why"])


def run_wrapped(spec: Path, arguments: Mapping[str, Any], folder: Path) -> Ended:
    """Run the wrapped spec under kfp.local, with the project and the store that `run_argosy` has in the folder."""
    write_files(folder / "project", {"pyproject.toml": "[tool.argosy]\n"})
    pipeline, _ = parse_documents(spec.read_text(encoding="utf-8"))
    wrapped = folder / "wrapped.json"
    wrapped.write_text(json.dumps(wrap(pipeline).spec), encoding="utf-8")
    places = {"ARGOSY_STORE": "store", "ARGOSY_STATE": "state", "ARGOSY_PROJECT": "project"}
    ended = run_kfp_local(wrapped, arguments, folder, **{name: str(folder / place) for name, place in places.items()})
    endings = re.findall(r"argosy: [\w-]+: (\w+) (sha256:\w+)", (folder / "log").read_text(encoding="utf-8"))
    return replace(ended, steps={key: status for status, key in endings})


@cache
def _local_runner() -> subprocess.Popen[str]:
    """Start the process that kfp.local runs in forks of, since to import kfp takes longer than most runs."""
    command = [sys.executable, "-m", "tests.fakes.shapes.kfp_local"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=project_env(ROOT), text=True, **pipes)


def stop_local_runner() -> None:
    """End that process, if one runs."""
    if _local_runner.cache_info().currsize:
        with _local_runner():
            _local_runner.cache_clear()


def simulate_argo(spec: Path, arguments: Mapping[str, Any], folder: Path) -> Ended:
    """Compile to Argo and run what came out, with the real launcher in each pod."""
    from tests.fakes.argo_engine import run_argo  # which speaks of `Ended` too

    return run_argo(spec, arguments, folder)


def run_on_argo(spec: Path, arguments: Mapping[str, Any], folder: Path) -> Ended:
    """Compile to Argo and have a real controller run what came out."""
    from tests.fakes.argo_engine import run_on_cluster

    return run_on_cluster(spec, arguments, folder)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


ENGINES: dict[str, Engine] = {
    "argosy": run_argosy,
    "kfp.local": run_kfp_local,
    "wrapped kfp.local": run_wrapped,
    "argo simulator": simulate_argo,
    "argo": run_on_argo,
}
