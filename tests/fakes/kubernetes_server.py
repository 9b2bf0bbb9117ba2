"""A small Kubernetes API over HTTP, with Argo's Workflows in it: they are run by the simulator, pods as processes.

It speaks as the real one does where the official client can tell: `Status` objects for errors, 409 for a name that is
taken, strict checks where the schema of the definitions is at hand, selectors of labels, merge patches, logs of pods.
"""

import json
import random
import re
import string
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import yaml

from tests.fakes.argo_controller import LABEL, Controller
from tests.fakes.argo_pod import Pod
from tests.fakes.argo_schema import definitions_folder, faults, schema_of

PLACE = re.compile(
    r"/(?:api/v1|apis/argoproj\.io/v1alpha1)/namespaces/(?P<namespace>[^/]+)/(?P<kind>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?(?P<log>/log)?"
)
GROUPS = {"workflows": "argoproj.io"}
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    409: "AlreadyExists", 415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests", 500: "InternalError",
    503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip
GRACE_S = 30
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Who are you?</body></html>"
Document = dict[str, Any]


@dataclass
class Refusal(Exception):
    """An answer that is an error."""

    code: int
    message: str
    details: Document = field(default_factory=dict)


def missing(kind: str, name: str) -> Refusal:
    """Return the answer where there is no such object."""
    group = GROUPS.get(kind, "")
    details = {"name": name, "kind": kind} | ({"group": group} if group else {})
    return Refusal(404, f'{kind}{"." + group if group else ""} "{name}" not found', details)


@dataclass
class KubernetesServer:
    """What the server holds, and how it is to fail.

    Attributes:
        failures: What happens to coming requests, by `METHOD kind` (`POST workflows`, `GET log`), first to first: a
            status to answer, or `hang up` (before anything is done), `lost` (done, and the connection closed amid the
            answer), `slow` (answered after `slow_s`), `html`, `garbage`, `absent` (the kind is not installed).
        requests: Every request as `METHOD path`, with its query and body.
        token: What clients have to bring, if anything; it stands in the kubeconfig.

    """

    controller: Controller
    port: int = 0
    failures: dict[str, list[int | str]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    token: str = "let-me-in"  # noqa: S105  # of a fake
    slow_s: float = 3.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    def kubeconfig(self, file: Path) -> Path:
        """Write what clients need to speak with this server."""
        context = {"cluster": "fake", "user": "tester", "namespace": self.controller.namespace}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "tester", "user": {"token": self.token}}],
            "contexts": [{"name": "fake", "context": context}],
        }
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        return file

    def posts(self) -> list[Document]:
        """Return the bodies of the requests to create something."""
        return [body for method, _, _, body in self.requests if method == "POST"]

    def create(self, body: Document, query: dict[str, str]) -> Document:
        """Create a Workflow."""
        metadata = body.get("metadata", {})
        if metadata.get("namespace", self.controller.namespace) != self.controller.namespace:
            raise Refusal(400, "the namespace of the provided object does not match the namespace sent on the request")
        name = metadata.get("name") or self._generated(metadata.get("generateName", ""))
        if not NAME.fullmatch(name) or len(name) > 253:
            raise _invalid(name, f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain is needed')
        if query.get("fieldValidation") == "Strict":
            _require_valid(body, name)
        with self.controller.lock:
            if name in self.controller.held:
                details = {"name": name, "group": "argoproj.io", "kind": "workflows"}
                raise Refusal(409, f'workflows.argoproj.io "{name}" already exists', details)
            named = {**body, "metadata": {**metadata, "name": name}}
            return named if query.get("dryRun") == "All" else self.controller.create(named)

    def _generated(self, prefix: str) -> str:
        if not prefix:
            raise _invalid("", "metadata.name: Required value: name or generateName is required")
        return prefix[:58] + "".join(random.choices(string.ascii_lowercase + string.digits, k=5))

    def workflows(self, method: str, name: str | None, query: dict[str, str], body: Document) -> Document:
        """Answer a request for Workflows."""
        if name is None and method == "POST":
            return self.create(body, query)
        if name is None:
            with self.controller.lock:
                found = [self.controller.read(each) for each in sorted(self.controller.held)]
            return _listed("argoproj.io/v1alpha1", "WorkflowList", found, query)
        if name not in self.controller.held:
            raise missing("workflows", name)
        if method == "PATCH":
            return self.controller.patch(name, body)
        if method == "DELETE":
            self.controller.delete(name)
            return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return self.controller.read(name)

    def pods(self, method: str, name: str | None, query: dict[str, str]) -> Document:
        """Answer a request for pods."""
        found = {each: _pod(*pod, self.controller.namespace) for each, pod in self.controller.pods().items()}
        if name is None:
            return _listed("v1", "PodList", [found[each] for each in sorted(found)], query)
        if name not in found:
            raise missing("pods", name)
        if method == "DELETE":
            self.controller.pods()[name][1].delete(float(query.get("gracePeriodSeconds", GRACE_S)))
        return found[name]

    def log(self, name: str, query: dict[str, str]) -> bytes:
        """Answer a request for the log of a pod."""
        pods = self.controller.pods()
        if name not in pods:
            raise missing("pods", name)
        pod = pods[name][1]
        if query.get("container", "main") != "main" or query.get("follow") == "true":
            raise Refusal(400, f"container {query.get('container')} is not valid for pod {name}")
        if pod.phase == "Pending":
            raise Refusal(400, f'container "main" in pod "{name}" is waiting to start: ContainerCreating')
        lines = pod.log.splitlines(keepends=True)
        return "".join(lines[-int(query.get("tailLines", len(lines))) :] if lines else []).encode()

    def config_map(self, name: str) -> Document:
        """Answer a request for a config map."""
        if name not in self.controller.config_maps:
            raise missing("configmaps", name)
        metadata = {"name": name, "namespace": self.controller.namespace}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": self.controller.config_maps[name],
        }


def _invalid(name: str, cause: str) -> Refusal:
    details = {"name": name, "group": "argoproj.io", "kind": "Workflow"}
    return Refusal(422, f'Workflow.argoproj.io "{name}" is invalid: {cause}', details)


def _require_valid(body: Document, name: str) -> None:
    folder = definitions_folder()
    if folder is None:
        return
    plain = {**body, "metadata": {key: value for key, value in body["metadata"].items() if key != "namespace"}}
    found = faults(plain, schema_of("Workflow", folder))
    if unknown := [fault.removesuffix(": unknown").lstrip(".") for fault in found if fault.endswith(": unknown")]:
        told = ", ".join(f'unknown field "{place}"' for place in unknown)
        raise Refusal(
            400, f'Workflow in version "v1alpha1" cannot be handled as a Workflow: strict decoding error: {told}'
        )
    if found:
        raise _invalid(name, ", ".join(found))


def _listed(version: str, kind: str, items: list[Document], query: dict[str, str]) -> Document:
    chosen = [each for each in items if _matches(query.get("labelSelector", ""), each["metadata"].get("labels", {}))]
    return {"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": "1"}, "items": chosen}


def _matches(selector: str, labels: dict[str, str]) -> bool:
    """Say whether labels are as `a=b,c!=d,e,!f,g in (h,i)` asks."""
    for part in re.findall(r"(?:[^,(]|\([^)]*\))+", selector):
        if match := re.fullmatch(r"\s*(\S+)\s+(in|notin)\s+\((.*)\)\s*", part):
            chosen = labels.get(match[1]) in [each.strip() for each in match[3].split(",")]
            fits = chosen == (match[2] == "in")
        elif match := re.fullmatch(r"\s*([^=!\s]+)\s*(==?|!=)\s*(\S*)\s*", part):
            fits = (labels.get(match[1]) == match[3]) == (match[2] != "!=")
        else:
            key = part.strip()
            fits = key.lstrip("!") not in labels if key.startswith("!") else key in labels
        if not fits:
            return False
    return True


def _pod(workflow: str, pod: Pod, namespace: str) -> Document:
    ended = pod.phase in {"Succeeded", "Failed"}
    state = {
        "Pending": {"waiting": {"reason": "ContainerCreating"}},
        "Running": {"running": {"startedAt": pod.created}},
    }.get(pod.phase, {"terminated": {"exitCode": pod.code, "reason": "Error" if pod.code else "Completed"}})
    container = {"name": "main", "image": pod.template["container"]["image"]}
    status = {**container, "imageID": "", "ready": pod.phase == "Running", "restartCount": 0, "state": state}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod.name,
            "namespace": namespace,
            "uid": pod.uid,
            "creationTimestamp": pod.created,
            "labels": {f"{LABEL}workflow": workflow, f"{LABEL}completed": str(ended).lower()},
            "annotations": {f"{LABEL}node-name": workflow + pod.path.removeprefix("main")},
        },
        "spec": {"containers": [container]},
        "status": {"phase": pod.phase, "containerStatuses": [status]},
    }


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, the second waits for the first's acknowledgement

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PATCH(self) -> None:
        self._serve("PATCH")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        server: KubernetesServer = self.server.kubernetes  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        place = PLACE.fullmatch(parts.path)
        kind = ("log" if place["log"] else place["kind"]) if place else ""
        with server.lock:
            body = json.loads(text) if text else None
            server.requests.append((method, parts.path, query, body))
            failing = server.failures.get(f"{method} {kind}") or []
            failure = failing.pop(0) if failing else None
        if failure == "slow":
            time.sleep(server.slow_s)
        if failure == "hang up":
            self._hang_up()
        elif failure in {"html", "garbage", "absent"}:
            answers = {"html": (200, PAGE, "text/html"), "garbage": (200, b'{"items": [', "application/json")}
            self._answer(*answers.get(str(failure), (404, b"404 page not found\n", "text/plain")))
        elif isinstance(failure, int):
            self._refuse(Refusal(failure, f"failing with {failure}"))
        else:
            self._obey(method, parts, query, body, lost=failure == "lost")

    def _obey(self, method: str, parts: SplitResult, query: dict[str, str], body: Any, *, lost: bool) -> None:
        server: KubernetesServer = self.server.kubernetes  # type: ignore[attr-defined]
        try:
            self._require_welcome(server, method)
            answer = _routed(server, method, parts.path, query, body)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        kind = "text/plain" if isinstance(answer, bytes) else "application/json"
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        if lost:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:3])
            self._hang_up()
        else:
            self._answer(201 if method == "POST" else 200, data, kind)

    def _require_welcome(self, server: KubernetesServer, method: str) -> None:
        if server.token and self.headers.get("Authorization") != f"Bearer {server.token}":
            raise Refusal(401, "Unauthorized")
        kind = self.headers.get("Content-Type")
        if method == "PATCH" and kind != "application/merge-patch+json":
            raise Refusal(415, f"the body of the request was in an unknown format: {kind}")

    def _refuse(self, refusal: Refusal) -> None:
        told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": refusal.message}
        told |= {"reason": REASONS.get(refusal.code, ""), "details": refusal.details, "code": refusal.code}
        self._answer(refusal.code, json.dumps(told).encode())

    def _answer(self, status: int, data: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()


def _routed(server: KubernetesServer, method: str, path: str, query: dict[str, str], body: Any) -> Document | bytes:
    place = PLACE.fullmatch(path)
    if not place:
        raise Refusal(404, "the server could not find the requested resource")
    if place["namespace"] != server.controller.namespace:
        return _elsewhere(method, place["namespace"], place["kind"], place["name"])
    if place["log"]:
        return server.log(place["name"], query)
    if place["kind"] == "workflows":
        return server.workflows(method, place["name"], query, body)
    if place["kind"] == "pods" and method in {"GET", "DELETE"}:
        return server.pods(method, place["name"], query)
    if place["kind"] == "configmaps" and method == "GET" and place["name"]:
        return server.config_map(place["name"])
    raise Refusal(405, "the server does not allow this method on the requested resource")


def _elsewhere(method: str, namespace: str, kind: str, name: str | None) -> Document:
    """Answer for a namespace that is not there: only where something is created, the real server says so."""
    if method == "GET" and name is None:
        return _listed("v1", "List", [], {})
    raise missing("namespaces", namespace) if method == "POST" else missing(kind, name or "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def a_kubernetes_server(folder: Path, **given: Any) -> Iterator[KubernetesServer]:
    """Serve on a free port until the end of the block; pods have their folders in `folder`.

    Args:
        folder: A folder for pods.
        given: Fields of the controller.

    """
    kubernetes = KubernetesServer(Controller(folder, **given))
    server = _Server(("127.0.0.1", 0), _Requests)
    server.kubernetes = kubernetes  # type: ignore[attr-defined]
    kubernetes.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield kubernetes
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        kubernetes.controller.close()
