"""A server that starts in a tenth of a second: run as a script, on the listening socket it is given.

GET /pid answers its pid, GET /slow does so after half a second; SIGTERM finishes the request in flight.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Stub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.5)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = "--deaf" not in sys.argv

    signal.signal(signal.SIGTERM, stop)
    server = HTTPServer(("127.0.0.1", 0), Stub, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=int(os.environ["ARGOSY_LISTEN_FD"]))
    server.timeout = 0.05
    while not stopped:
        server.handle_request()


if __name__ == "__main__":
    main()
