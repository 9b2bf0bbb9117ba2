"""`argosy doctor`: what is missing on this machine, each with what to do."""

from __future__ import annotations

import importlib.util
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.commands.printing import print_columns, print_json
from argosy.errors import ArgosyError
from argosy.launcher.distributions import locked_versions
from argosy.session import open_session, serving_url

if TYPE_CHECKING:
    from argosy.session import Session

# What each extra brings, by a module that only it needs.
EXTRAS = {"features": "feast", "training": "xgboost", "registry": "mlflow", "serving": "uvicorn", "report": "jinja2"}


@dataclass(frozen=True)
class Examination:
    """One thing that was looked at; `remedy` is empty where nothing is wrong."""

    name: str
    found: str
    remedy: str = ""


def examine(*, as_json: bool) -> int:
    """Print what was found; return 2 if anything needs a remedy."""
    found = [_python(), *_session(), *(_extra(extra, module) for extra, module in EXTRAS.items())]
    if as_json:
        print_json([asdict(entry) for entry in found])
    else:
        print_columns([("what", "found", "what to do"), *((e.name, e.found, e.remedy or "fine") for e in found)])
    return 2 if any(entry.remedy for entry in found) else 0


def _python() -> Examination:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Examination("python", version, "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer")


def _session() -> list[Examination]:
    try:
        session = open_session()
        session.store.write("doctor", b"written by argosy doctor")
        session.store.delete("doctor")
    except ArgosyError as error:
        return [Examination("store", str(error), "see the message")]
    return [Examination("store", session.settings.store), _lock(session), _server(session)]


def _lock(session: Session) -> Examination:
    lock = session.settings.lock
    if lock is None:
        return Examination("lock", "none", "name one in [tool.argosy] lock, so that keys hold locked versions")
    modules = [module for module in EXTRAS.values() if importlib.util.find_spec(module)]
    try:
        versions = locked_versions(modules, lock, session.store.stamps)
    except ArgosyError as error:
        return Examination("lock", str(error), "install what is locked")
    return Examination("lock", f"{Path(lock).name}, agrees with the {len(versions)} distributions compared")


def _server(session: Session) -> Examination:
    url = serving_url(session.settings)
    if url:
        return Examination("server", f"runs at {url}")
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", session.settings.port)) == 0
    remedy = "choose another with [tool.argosy] port or --port" if taken else ""
    return Examination("server", f"port {session.settings.port} is {'taken' if taken else 'free'}", remedy)


def _extra(extra: str, module: str) -> Examination:
    if importlib.util.find_spec(module) is None:
        return Examination(extra, "not installed", f"pip install 'argosy[{extra}]'")
    return Examination(extra, "installed")
