"""Boot a model in the real server and ask it for its own example."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import argosy
from argosy.evaluation.cases import Finding
from argosy.serving.runtime import load_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

HOST = "127.0.0.1"
READY_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0
POLL_S = 0.02
TOLERANCE = 1e-6
NAME = "boots in the server and answers its example"


def boots_in_server(
    model: Path,
    example: Mapping[str, Any],
    *,
    command: Sequence[str] | None = None,
    timeout_s: float = READY_TIMEOUT_S,
) -> Finding:
    """Start the real server on a free port of this machine, post a row, compare with the runtime's answer.

    The server is ended in all cases.

    Args:
        model: The model folder.
        example: One value per feature.
        command: What starts the server, `--model FOLDER --port N` left out; the real one unless said.
        timeout_s: How long it may take to answer 200 on /ready.

    """
    expected = load_model(model).predict_rows([example])[0]
    port = _free_port()
    with tempfile.TemporaryFile() as output:
        child = _start([*(command or server_command()), "--model", str(model.resolve()), "--port", str(port)], output)
        try:
            problem = _wait_until_ready(child, port, timeout_s) or _wrong_answer(port, example, expected)
        finally:
            _stop(child)
        output.seek(0)
        said = output.read().decode(errors="replace").strip()[-500:]
    if problem:
        return Finding(NAME, "server", ok=False, message=f"{problem}; the server said: {said or 'nothing'}")
    return Finding(NAME, "server", ok=True, message=f"the example answered {expected:.6f}, as the runtime does")


def server_command() -> list[str]:
    """Return the command that starts the real server."""
    from argosy.serving import app

    return [sys.executable, "-m", app.__name__]


def _start(command: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    # The child must find the same argosy as this process, wherever the step's working folder is.
    library = str(Path(argosy.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path},
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )


def _wait_until_ready(child: subprocess.Popen[bytes], port: int, timeout_s: float) -> str | None:
    """Wait for 200 on /ready; return what went wrong, or None."""
    deadline = time.monotonic() + timeout_s
    status: int | None = None
    while time.monotonic() < deadline:
        if child.poll() is not None:
            return f"the server ended with exit code {child.returncode} before it was ready"
        try:
            status, _ = _request(port, "GET", "/ready")
        except OSError:
            status = None
        if status == http.client.OK:
            return None
        time.sleep(POLL_S)
    return f"GET /ready did not answer 200 within {timeout_s:g} s (last: {status or 'no connection'})"


def _wrong_answer(port: int, example: Mapping[str, Any], expected: float) -> str | None:
    """Post the example; return what is wrong with the answer, or None."""
    try:
        status, body = _request(port, "POST", "/predict", {"features": dict(example)})
        got = json.loads(body)["probability"]
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
        return f"POST /predict of the signature's example: no probability ({type(error).__name__}: {error})"
    if status != http.client.OK or not abs(got - expected) <= TOLERANCE:
        return f"POST /predict answered {status} with {got!r}, the runtime says {expected!r}"
    return None


def _request(port: int, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request(
            method,
            path,
            body=None if body is None else json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
