"""`argosy serve` and `stop`: the one server of this project on this machine."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_json, print_line
from argosy.errors import Outage
from argosy.launcher.refs import folder as ref_folder
from argosy.serving import supervisor
from argosy.session import open_session

if TYPE_CHECKING:
    from argosy.session import Session

ANSWERS_S = 30.0


def serve_ref(ref: str, port: int | None, *, background: bool, store: str | None, as_json: bool) -> None:
    """Serve in the foreground, or start the supervisor and return once it answers."""
    session = open_session(store=store)
    ref_folder(ref)
    port = port or session.settings.port
    command = _command(session, ref, port)
    if not background:
        sys.exit(subprocess.call(command))
    state = session.settings.state / "serving.json"
    record = supervisor.start_background(
        state=state, log=session.settings.state / "serving.log", command=command, port=port
    )
    health = _await_answer(record)
    document = {key: record[key] for key in ("url", "pid", "port", "log", "already")} | {"model": health["model"]}
    if as_json:
        print_json(document)
    else:
        verb = "serves already" if record["already"] else "serves"
        print_line(f"{record['url']} {verb} {ref}: {health['model'] or 'no model yet, it follows the ref'}")


def stop_serving(*, as_json: bool) -> None:
    """Stop the supervisor and its server; nothing running is no error."""
    session = open_session()
    record = supervisor.stop(session.settings.state / "serving.json")
    if as_json:
        print_json(record)
    else:
        print_line("stopped" if record.get("stopped") else "no server was running")


def _command(session: Session, ref: str, port: int) -> list[str]:
    state = str(session.settings.state)
    module = [sys.executable, "-m", "argosy.release.server"]
    return [*module, ref, "--store", session.settings.store, "--state", state, "--port", str(port)]


def _await_answer(record: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + ANSWERS_S
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(record["host"], record["port"], timeout=2)
        try:
            connection.request("GET", "/health")
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            time.sleep(0.05)
        else:
            return answer
        finally:
            connection.close()
    raise Outage(f"{record['url']} did not answer within {ANSWERS_S:g} s; its log is {record['log']}")
