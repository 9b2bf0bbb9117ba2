"""Run the model server: `python -m argosy.serving.app --model FOLDER --port N`."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from argosy.errors import ArgosyError, Mistake
from argosy.serving.follow import Follower, Target
from argosy.serving.hot_path import METHODS, App, HotPath
from argosy.serving.keyed import Keyed
from argosy.serving.metrics import Metrics
from argosy.serving.online import OnlineReader
from argosy.serving.ports import listen, url_of
from argosy.serving.runtime import GRAPH, has_model
from argosy.serving.served_log import ServedLog
from argosy.serving.supervisor import LISTEN_FD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DRAIN_S = 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Online:
    """Where features are looked up, and what is noted of it.

    Args:
        url: Of the online store.
        served: Folder of the log of what was served; None for no log.
        replay: Whether a request may say the instant that it is answered as of.

    """

    url: str
    served: Path | None = None
    replay: bool = False


def create_app(current: Callable[[], Target | None], online: Online | None = None) -> HotPath:
    """Build the ASGI application that serves what `current` names.

    Args:
        current: Returns the wanted model, or None while there is none. Called from a thread every half
            second, so it should cost little when nothing changed.
        online: Where features are looked up; None for a server that has to be sent them.

    """
    follower = Follower(current)

    def build_pages() -> App:
        from argosy.serving import pages

        return pages.build_pages(follower)

    served_log = ServedLog(online.served) if online and online.served else None
    metrics = Metrics(tuple(METHODS), served_log)
    keyed = None
    if online:
        keyed = Keyed(OnlineReader(online.url), metrics, served_log=served_log, replay=online.replay)
    return HotPath(follower, build_pages, keyed=keyed, metrics=metrics)


def serve(
    current: Callable[[], Target | None],
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    online: Online | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in flight.

    Under a supervisor the socket is the supervisor's, so a restart refuses no connection.

    Raises:
        Mistake: The port is taken.

    """
    inherited = os.environ.get(LISTEN_FD)
    listener = socket.socket(fileno=int(inherited)) if inherited else listen(host, port)
    log.info("listening on %s", url_of(host, listener.getsockname()[1]))
    config = uvicorn.Config(
        create_app(current, online),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def digest_folder(folder: Path) -> str:
    """Return `sha256:...` over the names and contents of a folder's files, in the order of their paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = [[path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]
    return f"sha256:{hashlib.sha256(json.dumps(content).encode()).hexdigest()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one model folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m argosy.serving.app", description="Serve a model folder.")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.onnx and signature.json")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one, named in the log")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--digest", help="the model's digest; computed from the folder's files if absent")
    parser.add_argument("--name", help="the model's name; the folder's name if absent")
    parser.add_argument("--online", metavar="URL", help="the online store that features are looked up in")
    parser.add_argument("--served", type=Path, metavar="FOLDER", help="where to log what was served by key")
    parser.add_argument("--replay", action="store_true", help="let a request say the instant it is answered as of")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        target = _target_of(options.model, options.digest, options.name)
        online = Online(options.online, options.served, options.replay) if options.online else None
        serve(lambda: target, host=options.host, port=options.port, online=online)
    except ArgosyError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _target_of(folder: Path, digest: str | None, name: str | None) -> Target:
    if not has_model(folder):
        raise Mistake(f"--model {folder}: no {GRAPH} in it; give the folder of a trained model")
    return Target(digest or digest_folder(folder), name or folder.resolve().name, 0, folder)


if __name__ == "__main__":
    sys.exit(main())
