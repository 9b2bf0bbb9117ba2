"""A model server that fails in a chosen way: `boot_server.py MODE PID_FILE --model FOLDER --port N`."""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

ANSWERS = {
    "other-answer": (200, json.dumps({"probability": 0.5})),
    "ignores-sigterm": (200, json.dumps({"probability": 0.5})),
    "refuses": (422, json.dumps({"detail": "no"})),
    "not-json": (200, "<html>"),
}


def answer_to(mode: str) -> type[BaseHTTPRequestHandler]:
    """Return the request handler of a mode."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(503 if mode == "never-ready" else 200, "")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(*ANSWERS[mode])

        def reply(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

    return Answer


def main() -> None:
    mode, pid_file, *_, port = sys.argv[1:]
    Path(pid_file).write_text(str(os.getpid()))
    if mode == "ignores-sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "exits":
        sys.stderr.write("cannot load the graph\n")
        sys.exit(7)
    HTTPServer(("127.0.0.1", int(port)), answer_to(mode)).serve_forever()


if __name__ == "__main__":
    main()
