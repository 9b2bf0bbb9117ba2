"""Which installed distributions a step's code stands on, at which locked versions."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.launcher.canonical import digest_of
from argosy.launcher.closure import PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from argosy.launcher.stamps import Stamps

TOLD = re.compile(r"^(Name|Version):[ \t]*(\S+)", re.MULTILINE)
PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)[ \t]*(?:;(?P<marker>[^\\\n]+))?",
    re.MULTILINE,
)


def locked_versions(modules: Iterable[str], lock: Path | None, stamps: Stamps) -> dict[str, str]:
    """Return the version of every distribution that provides these modules.

    Versions are the lock's where there is one, else what is installed.

    Raises:
        Mistake: What is installed is not what the lock pins.

    """
    modules = list(modules)
    if not modules:
        return {}
    installed = _installed(stamps)
    pinned = _pinned(lock, stamps) if lock else {}
    versions = {}
    for module in modules:
        for name in installed["providers"].get(module.split(".", 1)[0], ()):
            versions[name] = _agreed(name, installed["versions"][name], pinned)
    return versions


def _agreed(name: str, installed: str, pinned: Mapping[str, str]) -> str:
    locked = pinned.get(name, installed)
    if locked != installed:
        raise Mistake(
            f"{name}: {installed} is installed and the lock pins {locked}; run `make` to install what is locked"
        )
    return locked


def _installed(stamps: Stamps) -> dict[str, dict[str, str]]:
    """Map importable names to distributions, and those to versions, as of the last install anywhere on the path."""
    places = [Path(entry) for entry in sys.path if _holds_distributions(entry)]
    others = digest_of([[str(place), place.stat().st_mtime_ns] for place in places[1:]])
    return dict(stamps.fact(f"installed {others}", places[0], _find_installed))


def _holds_distributions(entry: str) -> bool:
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return (entry.endswith("-packages") or entry in named) and Path(entry).is_dir()


def _find_installed() -> dict[str, dict[str, Any]]:
    # Imported here alone: with its mail parser it costs a tenth of an unchanged run.
    from importlib import metadata

    providers: dict[str, set[str]] = {}
    versions: dict[str, str] = {}
    for found in metadata.distributions():
        # The parsed forms that `found` offers take fifteen times as long.
        told = found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
        head = dict(TOLD.findall(told.partition("\n\n")[0]))
        name = _normal(head["Name"])
        versions.setdefault(name, head["Version"])
        for module in _modules(found.read_text("top_level.txt") or "", found.read_text("RECORD") or ""):
            providers.setdefault(module, set()).add(name)
    return {"providers": {module: sorted(names) for module, names in providers.items()}, "versions": versions}


def _modules(declared: str, record: str) -> set[str]:
    """Return the importable names of a distribution: what it declares, or else what it installed."""
    paths = (line.partition(",")[0] for line in record.splitlines())
    names = declared.split() or [path.partition("/")[0].removesuffix(".py") for path in paths if path.endswith(".py")]
    return {name for name in names if name.isidentifier()}


def _pinned(lock: Path, stamps: Stamps) -> dict[str, str]:
    def read() -> dict[str, str]:
        pins = PIN.finditer(lock.read_text(encoding="utf-8"))
        return {_normal(pin["name"]): pin["version"] for pin in pins if _applies(pin["marker"])}

    try:
        return dict(stamps.fact(f"lock {PYTHON}", lock, read))
    except FileNotFoundError as error:
        raise Mistake(f"{lock}: there is no such lock; [tool.argosy] lock names the file that pins versions") from error


def _applies(marker: str | None) -> bool:
    if marker is None:
        return True
    from packaging.markers import Marker

    return Marker(marker.strip()).evaluate()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
