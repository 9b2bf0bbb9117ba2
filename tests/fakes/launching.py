"""A launcher at work in a throw-away project: steps as texts, run by a real fork server, without kfp's compiler."""

import http.server
import textwrap
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from argosy.launcher.closure import Roots
from argosy.launcher.key import Project, step_key
from argosy.launcher.launch import Context, Job, launch, look
from argosy.launcher.step import Input, OutputSlot, Step
from argosy.launcher.store import Store, open_store
from argosy.local.processes import ForkServers

PREAMBLE = "import kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n"
SERVERS = ForkServers(lambda: False, [()])


def execute(request, *, log, lock, timeout_s):
    """Run a request in a child of the one fork server that all tests of a session share."""
    return SERVERS.run(request, SERVERS.server_for(()), log=log, lock=lock, timeout_s=timeout_s)


def source_of(code):
    """Return a component's source as kfp embeds it."""
    return PREAMBLE + textwrap.dedent(code).lstrip()


def slots(outputs):
    """Return output slots by name: `system.*` are artifacts, the rest parameters."""
    return {name: OutputSlot(kind, is_artifact=kind.startswith("system.")) for name, kind in outputs.items()}


def a_step(code="def step() -> int:\n    return 1\n", *, name="step", inputs=None, outputs=None, **more):
    """Return a step whose function is called `step`; plain inputs stand for themselves."""
    given = {key: value if isinstance(value, Input) else Input(value, value) for key, value in (inputs or {}).items()}
    declared = slots({"Output": "NUMBER_INTEGER"} if outputs is None else outputs)
    more["measurements"] = frozenset(more.get("measurements", ()))
    return Step(name=name, source=source_of(code), function="step", inputs=given, outputs=declared, **more)


@dataclass
class Lab:
    """A project, a store, and a context to launch steps in."""

    folder: Path
    env: dict = field(default_factory=dict)

    def __post_init__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store: Store = open_store(str(self.folder / ".argosy" / "store"))
        self.project = Project(Roots(self.folder), None, self.store.stamps)
        self.state = self.folder / ".argosy"
        self.runs = 0

    def context(self, **changes):
        """Return the context of a new run."""
        self.runs += 1
        context = Context(self.store, self.project, f"run-{self.runs}", self.state, execute, env=self.env)
        return replace(context, **changes)

    def job(self, step, **changes):
        """Return a step with its key in a new run."""
        return Job(step, step_key(step, self.project), self.context(**changes))

    def launch(self, step, **changes):
        """Launch a step in a new run."""
        return launch(self.job(step, **changes))

    def look(self, step, **changes):
        """Look a step up in a new run."""
        return look(self.job(step, **changes))

    def key(self, step):
        """Return the digest of a step's key."""
        return step_key(step, self.project).digest

    def write(self, name, text):
        """Write a project file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def records(self, outcome):
        """Return the paths of the records under an outcome's key."""
        return self.store.paths(f"steps/{outcome.key.removeprefix('sha256:')}")

    def log(self, outcome):
        """Return what a step wrote."""
        return self.store.read_blob(outcome.log.removeprefix("sha256:")).decode(errors="replace")

    def scratch(self):
        """Return what is left of scratch folders."""
        place = self.state / "scratch"
        return [path for path in place.rglob("*") if path.is_file()] if place.exists() else []


@pytest.fixture
def lab(tmp_path):
    """Return a lab in a folder of its own."""
    return Lab(tmp_path / "project")


@pytest.fixture(scope="session", autouse=True)
def shared_servers():
    """End the shared fork server with the session."""
    yield
    SERVERS.close()


@pytest.fixture
def answering():
    """Return a function that serves one body at /health, below a prefix, and returns the URL."""
    servers = []

    def serve(body, prefix=""):
        class Health(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == f"{prefix}/health" else 404)
                self.end_headers()
                self.wfile.write(body if self.path == f"{prefix}/health" else b"{}")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}{prefix}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
