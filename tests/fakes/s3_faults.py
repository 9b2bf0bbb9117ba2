"""A proxy between a store and its S3 server that loses, cuts, doubles and delays what goes through it."""

import contextlib
import http.client
import itertools
import socket
import socketserver
import struct
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

DELAY_S = 0.05
GONE = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


class Torn(Exception):
    """The connection to the client ends here."""


@dataclass
class Request:
    """One request as its client sent it."""

    method: str
    path: str
    head: bytes
    body: bytes


@dataclass
class Answer:
    """A whole answer."""

    status: int
    reason: str
    headers: list
    body: bytes

    def to_bytes(self):
        """Return the bytes for the client; how the server cut them into pieces is left out."""
        kept = [
            (name, value) for name, value in self.headers if name.lower() not in {"transfer-encoding", "connection"}
        ]
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in kept)]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def refused(status):
    """Return an answer without a reason."""
    return Answer(status, "Fault", [("Content-Length", "0")], b"")


@dataclass
class Faults:
    """Which requests are met by which fault.

    Attributes:
        plan: Names of faults, one for each request that `wanted` picks; an empty name is none.
        wanted: Picks requests by their method and path.
        hang_s: How long a hanging answer does not come.

    """

    upstream: tuple
    plan: object = ()
    wanted: object = lambda method, _path: method == "PUT"
    hang_s: float = 1.5
    injected: list = field(default_factory=list)

    def __post_init__(self):
        self.lock = threading.Lock()

    def use(self, plan, wanted=None):
        """Take another plan from now on; what was injected before is forgotten."""
        with self.lock:
            self.plan, self.injected = iter(plan), []
            self.wanted = wanted or Faults.wanted

    def next_for(self, request):
        """Return the fault for a request."""
        with self.lock:
            fault = next(self.plan, "") if self.wanted(request.method, request.path) else ""
            if fault:
                self.injected.append(fault)
            return fault

    def answer(self, request):
        """Return what the client gets.

        Raises:
            Torn: It gets nothing and its connection breaks.

        """
        fault = self.next_for(request)
        if fault in {"500", "503"}:
            return refused(int(fault))
        self._break_before(fault, request)
        if fault == "delay":
            time.sleep(DELAY_S)
        answer = self._forward(request)
        self._break_after(fault)
        if fault == "500 after":
            return refused(500)
        return self._forward(request) if fault == "twice" else answer

    def _break_before(self, fault, request):
        """End the connection before the server has all of a request."""
        if fault not in {"reset", "cut", "hang"}:
            return
        if fault == "cut":
            self._send(request.head + request.body[: len(request.body) // 2])
        if fault == "hang":
            time.sleep(self.hang_s)
        raise Torn

    def _break_after(self, fault):
        """End the connection when the server has done what was asked."""
        if fault not in {"lost", "lost and hang"}:
            return
        if fault == "lost and hang":
            time.sleep(self.hang_s)
        raise Torn

    def _send(self, data):
        with socket.create_connection(self.upstream) as server:
            server.sendall(data)
            time.sleep(0.01)

    def _forward(self, request):
        with socket.create_connection(self.upstream) as server:
            server.sendall(request.head + request.body)
            with http.client.HTTPResponse(server, method=request.method) as response:
                response.begin()
                body = response.read()
                return Answer(response.status, response.reason, with_length(response, body, request.method), body)


def with_length(response, body, method):
    """Return headers that say how long the body is; the answer to a HEAD says it of a body that is not there."""
    headers = response.getheaders()
    if method == "HEAD":
        return headers
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return [*kept, ("Content-Length", str(len(body)))]


class Connection(socketserver.StreamRequestHandler):
    """One connection of a client."""

    def handle(self):
        """Answer requests until the client or a fault ends the connection."""
        try:
            while (request := self._read()) is not None:
                self.wfile.write(self.server.faults.answer(request).to_bytes())
        except Torn:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, GONE)
        except (ConnectionError, http.client.HTTPException):
            return

    def _read(self):
        lines = list(itertools.takewhile(lambda line: line not in {b"\r\n", b""}, iter(self.rfile.readline, None)))
        if not lines:
            return None
        named = dict(line.decode("latin-1").rstrip().lower().partition(":")[::2] for line in lines[1:])
        method, path, _ = lines[0].decode("latin-1").split(" ")
        body = self.rfile.read(int(named.get("content-length", "0")))
        return Request(method, path, b"".join([*lines, b"\r\n"]), body)


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy with a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    faults: Faults

    def handle_error(self, request, client_address):
        """Say nothing: a client that goes away is what faults are about."""


@contextlib.contextmanager
def faulty(endpoint):
    """Run a proxy before an endpoint; yields its own endpoint and its faults."""
    upstream = urlsplit(endpoint)
    with Proxy(("127.0.0.1", 0), Connection) as server:
        server.faults = Faults((upstream.hostname, upstream.port), iter(()))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", server.faults
        server.shutdown()
