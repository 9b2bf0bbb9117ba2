"""`argosy serve` and `stop`: the one server of this project on this machine."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_json, print_line
from argosy.errors import Mistake, Outage
from argosy.launcher.refs import folder as ref_folder
from argosy.project import online_url
from argosy.serving import supervisor
from argosy.session import open_session

if TYPE_CHECKING:
    from argosy.session import Session

ANSWERS_S = 30.0


@dataclass(frozen=True)
class LookUp:
    """Where features are looked up: the store's URL, the setting's if None; whether requests may say as of when."""

    online: str | None = None
    replay: bool = False


def serve_ref(
    ref: str, port: int | None, look_up: LookUp, *, background: bool, store: str | None, as_json: bool
) -> None:
    """Serve in the foreground, or start the supervisor and return once it answers.

    Raises:
        Mistake: A server of this project runs already and looks features up elsewhere, or otherwise.

    """
    session = open_session(store=store)
    ref_folder(ref)
    port = port or session.settings.port
    looked_up = ["--online", online_url(look_up.online or session.settings.online, session.settings.root)]
    looked_up += ["--replay"] if look_up.replay else []
    command = [*_command(session, ref, port), *looked_up]
    if not background:
        sys.exit(subprocess.call(command))
    state = session.settings.state / "serving.json"
    record = supervisor.start_background(
        state=state, log=session.settings.state / "serving.log", command=command, port=port
    )
    _require_same(record, looked_up)
    health = _await_answer(record)
    document = {key: record[key] for key in ("url", "pid", "port", "log", "already")} | {"model": health["model"]}
    if as_json:
        print_json(document)
    else:
        verb = "serves already" if record["already"] else "serves"
        print_line(f"{record['url']} {verb} {ref}: {health['model'] or 'no model yet, it follows the ref'}")


def _require_same(record: dict[str, Any], looked_up: list[str]) -> None:
    """Refuse to take a running server for one that would look features up otherwise."""
    running = record["command"]
    found = running[running.index("--online") :] if "--online" in running else []
    if found != looked_up:
        raise Mistake(
            f"{record['url']} serves already, with {' '.join(found) or 'no online store'} and not with "
            f"{' '.join(looked_up)}; stop it first (`argosy stop`)"
        )


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
