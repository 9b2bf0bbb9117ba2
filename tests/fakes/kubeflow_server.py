"""A small Kubeflow Pipelines API, version v2beta1, over HTTP: experiments, runs, recurring runs, health.

It speaks as the real one does where the generated client can tell: snake_case fields, RFC 3339 times, ids that are
UUIDs, pages, filters as JSON text in the query, unknown fields refused, errors as `{"error", "code", "message"}`,
names of runs that may repeat, names of experiments that may not.
"""

import json
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PREFIX = "/apis/v2beta1/"
PLURALS = {"experiments": "experiment_id", "runs": "run_id", "recurringruns": "recurring_run_id"}
# The one field of the API that is not in snake_case.
LISTS = {"experiments": "experiments", "runs": "runs", "recurringruns": "recurringRuns"}
TAKEN = {
    "experiments": {"display_name", "description", "namespace"},
    "runs": {"experiment_id", "display_name", "description", "pipeline_spec", "runtime_config", "service_account"},
    "recurringruns": {
        "experiment_id", "display_name", "description", "pipeline_spec", "runtime_config", "trigger", "mode",
        "max_concurrency", "no_catchup", "service_account",
    },
}  # fmt: skip
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Who are you?</body></html>"


@dataclass
class Refusal(Exception):
    """An error answer."""

    status: int
    code: int
    message: str


@dataclass
class KubeflowServer:
    """What the server holds, and how it is to fail.

    Attributes:
        failures: What happens to coming requests, by `METHOD kind` (`POST runs`), first to first: a status to answer,
            or `hang up` (before anything is done), `lost` (done, and the connection closed amid the answer), `slow`,
            `html`, `garbage`.
        states: What the coming questions after a run are answered, the last one for ever.
        requests: Every request as `METHOD path`, with its body.

    """

    port: int = 0
    failures: dict = field(default_factory=dict)
    states: list = field(default_factory=list)
    tasks: dict = field(default_factory=dict)
    error: str = ""
    held: dict = field(default_factory=lambda: {kind: {} for kind in PLURALS})
    requests: list = field(default_factory=list)
    token: str = ""
    slow_s: float = 3.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    before_create: object = None

    @property
    def url(self):
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self):
        """The runs, in the order of their creation."""
        return list(self.held["runs"].values())

    @property
    def recurring(self):
        """The recurring runs, in the order of their creation."""
        return list(self.held["recurringruns"].values())

    def posts(self, kind):
        """Return the bodies of the requests to create something of a kind."""
        return [body for method, path, body in self.requests if method == "POST" and path == PREFIX + kind]

    def create(self, kind, body):
        """Make an experiment, a run or a recurring run."""
        unknown = set(body) - TAKEN[kind]
        if unknown or not body.get("display_name"):
            raise Refusal(400, 3, f"unknown field {sorted(unknown)}" if unknown else "display_name is empty")
        if kind == "experiments" and any(e["display_name"] == body["display_name"] for e in self.held[kind].values()):
            raise Refusal(409, 6, f"experiment {body['display_name']} already exists")
        if kind != "experiments":
            self._require_runnable(body)
        own = str(uuid.uuid4())
        # Times differ, however fast requests come.
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=len(self.requests))
        made = {PLURALS[kind]: own, "created_at": now.isoformat().replace("+00:00", "Z"), **body}
        made |= {"runs": {"state": "PENDING"}, "recurringruns": {"status": "ENABLED"}}.get(kind, {})
        self.held[kind][own] = made
        return made

    def _require_runnable(self, body):
        if body.get("experiment_id") not in self.held["experiments"]:
            raise Refusal(404, 5, f"experiment {body.get('experiment_id')} not found")
        spec = body.get("pipeline_spec") or {}
        if "deploymentSpec" not in (spec.get("pipeline_spec") or spec):
            raise Refusal(400, 3, "pipeline_spec: no deploymentSpec")

    def listed(self, kind, query):
        """Return one page of what there is."""
        found = list(self.held[kind].values())
        if "experiment_id" in query:
            found = [one for one in found if one["experiment_id"] == query["experiment_id"]]
        for predicate in json.loads(query.get("filter") or "{}").get("predicates", []):
            found = [one for one in found if _holds(predicate, one)]
        start, size = int(query.get("page_token") or 0), int(query.get("page_size") or 10)
        answer = {"total_size": len(found)}
        # The real server leaves empty fields out.
        if found[start : start + size]:
            answer[LISTS[kind]] = found[start : start + size]
        if len(found) > start + size:
            answer["next_page_token"] = str(start + size)
        return answer

    def read(self, kind, own):
        """Return one of a kind; a run goes on to the next of the states."""
        if own not in self.held[kind]:
            raise Refusal(404, 5, f"{kind} {own} not found")
        found = self.held[kind][own]
        if kind == "runs" and self.states:
            found["state"] = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            details = [
                {"run_id": own, "task_id": name, "display_name": name, "state": state}
                for name, state in self.tasks.get(found["state"], {}).items()
            ]
            found["run_details"] = {"task_details": details}
            if self.error and found["state"] == "FAILED":
                found["error"] = {"code": 13, "message": self.error}
        return found


def _holds(predicate, one):
    operation, key, text = predicate["operation"], predicate["key"], predicate["stringValue"]
    assert key in one, key
    return {"EQUALS": one[key] == text, "IS_SUBSTRING": text in one[key]}[operation]


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, the second waits for the first's acknowledgement

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._serve("GET")

    def do_POST(self):
        self._serve("POST")

    def do_DELETE(self):
        self._serve("DELETE")

    def _serve(self, method):
        server = self.server.kubeflow
        parts = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(text) if text else None
        kind = parts.path.removeprefix(PREFIX).split("/")[0]
        failing = server.failures.get(f"{method} {kind}") or [None]
        failure = failing.pop(0) if len(failing) else None
        with server.lock:
            server.requests.append((method, parts.path, body))
        if failure == "hang up":
            self._hang_up()
        elif failure == "slow":
            time.sleep(server.slow_s)
            self._hang_up()
        elif failure == "html":
            self._answer(200, PAGE, "text/html")
        elif failure == "garbage":
            self._answer(200, b'{"runs": [', "application/json")
        elif isinstance(failure, int):
            self._answer(failure, json.dumps({"error": "e", "code": 2, "message": f"failing with {failure}"}).encode())
        else:
            self._obey(method, parts, body, lost=failure == "lost")

    def _obey(self, method, parts, body, *, lost):
        server = self.server.kubeflow
        if server.token and self.headers.get("Authorization") != f"Bearer {server.token}":
            self._answer(401, json.dumps({"error": "no", "code": 16, "message": "Request header error"}).encode())
            return
        try:
            if not parts.path.startswith(PREFIX):
                self._answer(404, PAGE, "text/html")
                return
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if server.before_create and method == "POST":
                server.before_create()
            with server.lock:
                document = _routed(server, method, parts.path.removeprefix(PREFIX).split("/"), query, body)
        except Refusal as refusal:
            told = {"error": refusal.message, "code": refusal.code, "message": refusal.message}
            self._answer(refusal.status, json.dumps(told).encode())
            return
        data = json.dumps(document).encode()
        if lost:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:3])
            self._hang_up()
        else:
            self._answer(200, data)

    def _answer(self, status, data, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def _hang_up(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()


def _routed(server, method, path, query, body):
    kind, *rest = path
    if kind == "healthz":
        return {"multi_user": False}
    if kind not in PLURALS:
        raise Refusal(404, 5, "Not Found")
    if not rest:
        return server.create(kind, body) if method == "POST" else server.listed(kind, query)
    own, _, verb = rest[0].partition(":")
    if method == "DELETE":
        server.held[kind].pop(own, None)
        return {}
    found = server.read(kind, own)
    if verb == "terminate":
        found["state"] = "CANCELING"
        return {}
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


@contextmanager
def a_kubeflow_server(**given):
    """Serve on a free port until the end of the block."""
    kubeflow = KubeflowServer(**given)
    server = _Server(("127.0.0.1", 0), _Requests)
    server.kubeflow = kubeflow
    kubeflow.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield kubeflow
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
