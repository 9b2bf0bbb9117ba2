"""The server that follows a ref: `python -m argosy.release.server REF --store URL`, run by the supervisor."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.errors import ArgosyError
from argosy.launcher.artifacts import materialize
from argosy.launcher.refs import read_ref
from argosy.launcher.store import open_store
from argosy.serving.app import Online, serve
from argosy.serving.follow import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from argosy.launcher.store import Store

SERVED = "served"  # in the state folder: the log of what was served by key


def follow_ref(store: Store, name: str, folder: Path) -> Callable[[], Target | None]:
    """Return a function that says which model the ref names now, laid out in a folder by its digest."""

    def current() -> Target | None:
        ref = read_ref(store, name)
        if ref.target is None:
            return None
        place = folder / ref.target.removeprefix("sha256:")
        if not place.is_dir():
            _lay_out(store, ref.target, place)
        return Target(digest=ref.target, name=name.rsplit("/", 1)[0], generation=ref.generation, folder=place)

    return current


def _lay_out(store: Store, digest: str, place: Path) -> None:
    """Materialise under another name first: a folder that is there is whole."""
    staged = place.with_suffix(".tmp")
    shutil.rmtree(staged, ignore_errors=True)
    materialize(store, digest, staged)
    staged.rename(place)


def main() -> int:
    """Serve until SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m argosy.release.server", description="Serve what a ref names.")
    parser.add_argument("ref", help="the ref, like flights-delay/champion")
    parser.add_argument("--store", required=True, help="the store's folder or URL")
    parser.add_argument("--state", type=Path, required=True, help="this machine's folder")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8780)
    parser.add_argument("--online", metavar="URL", help="the online store that features are looked up in")
    parser.add_argument("--replay", action="store_true", help="let a request say the instant it is answered as of")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        store = open_store(options.store, state=options.state)
        models = options.state / "serving"
        models.mkdir(parents=True, exist_ok=True)
        online = Online(options.online, options.state / SERVED, options.replay) if options.online else None
        serve(follow_ref(store, options.ref, models), host=options.host, port=options.port, online=online)
    except ArgosyError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
