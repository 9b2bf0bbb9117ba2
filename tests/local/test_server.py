"""The server as a process of its own, on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from argosy.serving.follow import Target
from argosy.serving.ports import listen
from argosy.serving.processes import identify
from argosy.serving.runtime import load_model
from argosy.serving.supervisor import start_background, status, stop
from tests.fakes.following_server import write_target
from tests.fakes.frames import tiny_model

ROOT = Path(__file__).parents[2]
FOLLOWING = ROOT / "tests" / "fakes" / "following_server.py"
READY_CPU_S = 1.5


def free_port():
    with listen("127.0.0.1", 0) as listener:
        return listener.getsockname()[1]


@contextmanager
def served(command, port):
    """Run a server process until the end of the block; yield it and its address once it answers."""
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: answers(f"{url}/health"))
            yield process, url
        finally:
            process.terminate()


def serve_folder(folder, port):
    return [sys.executable, "-m", "argosy.serving.app", "--model", str(folder), "--port", str(port)]


def answers(url):
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def wait_for(condition, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return value


def signature_of(folder):
    return json.loads((folder / "signature.json").read_text())


def example_of(folder):
    return signature_of(folder)["example"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two models of one signature that answer the same row differently."""
    return [tiny_model(tmp_path_factory.mktemp("models") / "model", seed=seed) for seed in (7, 8)]


@pytest.fixture(scope="module")
def client(models):
    port = free_port()
    with served(serve_folder(models[0], port), port) as (_, url), httpx.Client(base_url=url) as client:
        wait_for(lambda: client.get("/ready").status_code == 200)
        yield client


def test_an_answer_is_that_of_the_runtime_whatever_the_order_of_its_keys(client, models):
    example = example_of(models[0])
    (expected,) = load_model(models[0]).predict_rows([example])

    for features in (example, dict(reversed(example.items()))):
        answer = client.post("/predict", json={"features": features})
        assert (answer.status_code, answer.json()["probability"]) == (200, expected)


@pytest.mark.parametrize(
    ("text", "status", "field"),
    [
        ("NaN", 422, "features.temp"),
        ("Infinity", 422, "features.temp"),
        ("1e400", 422, "features.temp"),
        ("1e39", 422, "features.temp"),
        ('"44.1"', 422, "features.temp"),
        ("true", 422, "features.temp"),
        ('1, "tmp": 2', 422, "features.tmp"),
        ("nul", 400, ""),
        ("null", 200, None),
        ("44", 200, None),
    ],
)
def test_values_that_a_lenient_server_would_guess_at_are_refused(client, models, text, status, field):
    body = json.dumps({"features": {**example_of(models[0]), "temp": "HERE"}}).replace('"HERE"', text)

    answer = client.post("/predict", content=body)

    assert (answer.status_code, answer.json().get("field")) == (status, field)


def test_a_missing_field_is_named(client, models):
    features = {name: value for name, value in example_of(models[0]).items() if name != "queue"}

    answer = client.post("/predict", json={"features": features})

    assert (answer.status_code, answer.json()["field"]) == (422, "features.queue")


def test_a_body_over_the_limit_is_refused_and_the_connection_lives_on(client):
    assert client.post("/predict", content=b"x" * 5_000_000).status_code == 413
    assert client.get("/health").status_code == 200


def test_a_batch_of_the_largest_size_is_answered_while_single_rows_are(client, models):
    example = example_of(models[0])
    batch = json.dumps({"rows": [example] * 10_000})
    with ThreadPoolExecutor(1) as threads:
        big = threads.submit(httpx.post, client.base_url.join("/predict/batch"), content=batch)
        singles = [client.post("/predict", json={"features": example}).status_code for _ in range(50)]

    assert set(singles) == {200}
    assert len(set(big.result().json()["probabilities"])) == 1


def test_the_document_describes_the_features_of_the_model(client, models):
    document = client.get("/openapi.json").json()
    features = document["components"]["schemas"]["Features"]["properties"]

    assert list(features) == [feature["name"] for feature in signature_of(models[0])["features"]]
    assert client.get("/docs").status_code == 200


def test_models_are_swapped_under_load_without_a_dropped_or_mixed_answer(models, tmp_path):
    file, port = tmp_path / "ref.json", free_port()
    example = example_of(models[0])
    targets = [Target(f"sha256:{index}", "flights-delay", index, folder) for index, folder in enumerate(models)]
    expected = {target.digest: load_model(target.folder).predict_rows([example])[0] for target in targets}
    assert len(set(expected.values())) == 2
    ended, answered = threading.Event(), []

    def ask_until_ended(url):
        with httpx.Client(base_url=url) as client:
            while not ended.is_set():
                answer = client.post("/predict", json={"features": example})
                answered.append((answer.status_code, answer.json()["model"], answer.json()["probability"]))

    with served([sys.executable, str(FOLLOWING), str(file), str(port)], port) as (_, url):
        assert httpx.get(f"{url}/ready").status_code == 503
        write_target(file, targets[0])
        wait_for(lambda: answers(f"{url}/ready"))
        with ThreadPoolExecutor(4) as threads:
            asking = [threads.submit(ask_until_ended, url) for _ in range(4)]
            for target in [targets[1], targets[0], targets[1]]:
                write_target(file, target)
                wait_for(lambda wanted=target.digest: httpx.get(f"{url}/health").json()["model"] == wanted)
            write_target(file, Target("sha256:none", "flights-delay", 9, tmp_path))
            failed = wait_for(lambda: httpx.get(f"{url}/health").json()["failed"])
            ended.set()
        for future in asking:
            future.result()

    assert failed["digest"] == "sha256:none"
    assert set(answered) == {(200, digest, probability) for digest, probability in expected.items()}
    assert len(answered) > 100


def test_a_request_in_flight_is_answered_before_the_server_ends(models):
    port = free_port()
    body = json.dumps({"features": example_of(models[0])}).encode()
    head = f"POST /predict HTTP/1.1\r\nhost: server\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with served(serve_folder(models[0], port), port) as (process, url):
        wait_for(lambda: answers(f"{url}/ready"))
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(head + body[:10])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: not answers(f"{url}/health"))
            connection.sendall(body[10:])
            answer = b""
            while part := connection.recv(65536):
                answer += part
        process.wait(20)

    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"probability"' in answer


def test_a_supervised_server_comes_back_after_kill_9_and_is_gone_after_stop(models, tmp_path):
    state = tmp_path / "serving.json"
    command = serve_folder(models[0], 1)  # the port is the supervisor's
    record = start_background(state=state, log=tmp_path / "serving.log", command=command, port=0)
    try:
        wait_for(lambda: answers(f"{record['url']}/ready"))
        os.kill(record["child_pid"], signal.SIGKILL)
        wait_for(lambda: answers(f"{record['url']}/ready"))
        assert status(state)["restarts"] == 1
        child = status(state)["child_pid"]
    finally:
        stopped = stop(state)

    assert stopped["drained"] is True
    assert identify(child) is None
    assert not answers(f"{record['url']}/health")


def test_the_server_is_ready_for_little_work(models):
    port = free_port()
    with served(serve_folder(models[0], port), port) as (process, url):
        wait_for(lambda: answers(f"{url}/ready"))
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()

    # Processor time, for the machine may be busy with something else.
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    assert cpu_s <= READY_CPU_S
