"""The team's project: its settings, its catalogue of pipelines, and their compiled specs.

Settings come from flags, then `ARGOSY_*` variables, then `[tool.argosy]` in pyproject.toml.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.launcher.canonical import digest_of
from argosy.launcher.closure import Roots, source_closure
from argosy.launcher.distributions import locked_versions
from argosy.launcher.key import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.stamps import Stamps

KEYS = {"catalog", "store", "lock", "port", "serving_url", "tracking_uri", "kubeflow_host", "image", "online"}


@dataclass(frozen=True)
class Settings:
    """What a command works with, read once at its start.

    Attributes:
        root: The folder of the project's pyproject.toml.
        store: The store's URL or absolute path.
        state: This machine's folder: claims, scratch, compiled specs, reports, the embedded registry; `.argosy`
            beside pyproject.toml, or `ARGOSY_STATE`.
        catalog: `MODULE:NAME` of the mapping from pipeline names to pipelines.
        lock: The file that pins third-party versions, or None.
        port: The port of `argosy serve`.
        serving_url: A server elsewhere that deployments wait for; None for the one on this machine.
        kubeflow_host: The URL of the Kubeflow Pipelines API; None for that of the cluster of KUBECONFIG.
        image: One that holds the launcher, for pods on Argo that no Python component names one for; None for none.
        online: The online store's URL, `sqlite:///<absolute path>` or `redis://...`; of SQLite by default, in `state`.

    """

    root: Path
    store: str
    state: Path
    catalog: str
    lock: Path | None
    port: int
    serving_url: str | None
    tracking_uri: str
    online: str
    kubeflow_host: str | None = None
    image: str | None = None


def load_settings(start: Path, *, store: str | None = None) -> Settings:
    """Read the settings of the project that a folder belongs to.

    Args:
        start: Where to look for pyproject.toml, upwards.
        store: The store's URL or path, if a flag gave one.

    Raises:
        Mistake: pyproject.toml is not valid TOML, or `[tool.argosy]` has a key that nothing reads.

    """
    root = find_root(start)
    table = _table(root / "pyproject.toml") if root else {}
    root = root or start.absolute()
    state = Path(os.environ.get("ARGOSY_STATE") or root / ".argosy").absolute()
    given = store or os.environ.get("ARGOSY_STORE")
    lock = table.get("lock")
    return Settings(
        root=root,
        store=_absolute_store(given or table.get("store") or str(state / "store"), root),
        state=state,
        catalog=table.get("catalog", "pipelines.catalog:PIPELINES"),
        lock=root / lock if lock else None,
        port=_port(os.environ.get("ARGOSY_PORT") or table.get("port", 8780)),
        serving_url=os.environ.get("ARGOSY_SERVING_URL") or table.get("serving_url"),
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or table.get("tracking_uri", f"sqlite:///{state}/mlflow.db"),
        kubeflow_host=os.environ.get("ARGOSY_KUBEFLOW_HOST") or table.get("kubeflow_host"),
        image=os.environ.get("ARGOSY_IMAGE") or table.get("image"),
        online=online_url(
            os.environ.get("ARGOSY_ONLINE") or table.get("online") or f"sqlite:///{state}/online.db", root
        ),
    )


def find_root(start: Path) -> Path | None:
    """Return the nearest folder upwards whose pyproject.toml has `[tool.argosy]`, or None."""
    for folder in (start.absolute(), *start.absolute().parents):
        file = folder / "pyproject.toml"
        if file.is_file() and "[tool.argosy]" in file.read_text(encoding="utf-8"):
            return folder
    return None


def keyed_project(settings: Settings, stamps: Stamps) -> Project:
    """Return what steps of this project are keyed against."""
    return Project(Roots(settings.root), settings.lock, stamps)


def compiled_spec(name: str, settings: Settings, project: Project, *, anew: bool = False) -> Mapping[str, Any]:
    """Return the PipelineSpec of a catalogued pipeline, compiled only when its source closure changed.

    Args:
        name: Of the pipeline in the catalogue.
        settings: Which catalogue.
        project: What the closure is looked up in.
        anew: Compile in any case: docstrings are no part of the closure, and specs carry them as descriptions.

    Raises:
        Mistake: There is no such pipeline, or it does not compile; the message holds the compiler's.

    """
    module, _, attribute = settings.catalog.partition(":")
    modules = [module, *_referenced(project.roots.find(module))]
    closure = source_closure("\n".join(f"import {each}" for each in modules), project.roots, project.stamps)
    if not closure.files:
        raise Mistake(
            f"{settings.catalog}: there is no module {module} in {settings.root}; [tool.argosy] catalog names it"
        )
    versions = locked_versions(["kfp"], project.lock, project.stamps)
    fingerprint = digest_of([dict(closure.files), versions, settings.catalog])
    file = settings.state / "compiled" / f"{_file_name(name)}.json"
    if not anew and (known := _read_json(file)) and known["fingerprint"] == fingerprint:
        return dict(known["spec"])
    spec = _compile(f"{module}:{attribute}[{name}]", settings.root, file.with_suffix(f".{os.getpid()}.spec"))
    # Several commands may compile at once: whoever is last leaves a whole file.
    whole = file.with_suffix(f".{os.getpid()}.whole")
    whole.write_text(json.dumps({"fingerprint": fingerprint, "spec": spec}), encoding="utf-8")
    whole.replace(file)
    return spec


def _referenced(catalogue: Path | None) -> list[str]:
    """Return the modules that a catalogue names in texts like `pipelines.flights:training`."""
    texts = re.findall(r"""["']([\w.]+):\w+["']""", catalogue.read_text(encoding="utf-8") if catalogue else "")
    return sorted(set(texts))


def _compile(target: str, root: Path, out: Path) -> dict[str, Any]:
    """Compile in a child: the authoring SDK takes seconds to import and leaves its switches behind."""
    out.parent.mkdir(parents=True, exist_ok=True)
    env = {name: value for name, value in os.environ.items() if name != "_KFP_RUNTIME"}
    answer = subprocess.run(
        [sys.executable, "-m", "argosy.kubeflow.compile", target, str(out)],
        cwd=root,
        env=env | {"PYTHONPATH": os.pathsep.join([str(root), env.get("PYTHONPATH", "")]).rstrip(os.pathsep)},
        capture_output=True,
        text=True,
    )
    if answer.returncode != 0:
        lines = answer.stderr.strip().splitlines() or [f"the compiler exited with {answer.returncode}"]
        raise Mistake("\n".join(lines[-12:]) if answer.returncode != 2 else lines[-1])
    try:
        spec: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    finally:
        out.unlink(missing_ok=True)
    return spec


def catalogue(settings: Settings) -> list[str]:
    """Return the names of the catalogued pipelines, in the catalogue's order.

    Raises:
        Mistake: The catalogue cannot be imported.

    """
    module, _, attribute = settings.catalog.partition(":")
    sys.path.insert(0, str(settings.root))
    try:
        return list(getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise Mistake(f"catalogue {settings.catalog}: {error}; [tool.argosy] catalog names it") from error


def _table(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))["tool"]["argosy"]
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{file}: {error}") from error
    unread = sorted(set(table) - KEYS)
    if unread:
        raise Mistake(f"{file}: [tool.argosy] {unread[0]}: unread setting; allowed are {', '.join(sorted(KEYS))}")
    return dict(table)


def _port(given: object) -> int:
    if not str(given).isdecimal() or not 0 < int(str(given)) < 65536:
        raise Mistake(f"port: got {given!r}; ARGOSY_PORT and [tool.argosy] port are whole numbers from 1 to 65535")
    return int(str(given))


def _absolute_store(store: str, root: Path) -> str:
    return store if "://" in store else str(root / store)


def online_url(url: str, root: Path) -> str:
    """Have a file of SQLite that is named relative stand in the project, wherever a command is given."""
    scheme, sign, path = url.partition(":///")
    return f"{scheme}{sign}{root / path}" if scheme == "sqlite" and sign else url


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return document
