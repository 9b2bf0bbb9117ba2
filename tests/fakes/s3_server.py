"""A real S3 server on loopback for a session of tests: one that ARGOSY_S3 names, or SeaweedFS, started for it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

IDENTITY = {
    "name": "tests",
    "credentials": [{"accessKey": "key-of-tests", "secretKey": "secret-of-tests"}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key-of-tests",
    "AWS_SECRET_ACCESS_KEY": "secret-of-tests",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
# A new bucket would make seven volumes first.
ONE_VOLUME = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
BUCKET = "argosy-tests"
PORTS = ("s3", "master", "volume", "filer")
STARTED_WITHIN_S = 60


def find_weed():
    """Return SeaweedFS's program, of this environment or of the machine, or None."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


@contextmanager
def seaweed(folder):
    """Run SeaweedFS with its files in a folder; yields its S3 endpoint."""
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [IDENTITY]}), encoding="utf-8")
    ports = _free_ports(2 * len(PORTS))
    words = [f"-{name}.port={port}" for name, port in zip(PORTS, ports, strict=False)]
    words += [f"-{name}.port.grpc={port}" for name, port in zip(PORTS, ports[len(PORTS) :], strict=True)]
    plain = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    sizes = ["-master.volumeSizeLimitMB=64", "-volume.max=20", "-master.electionTimeout=1s"]
    command = [find_weed(), "server", f"-dir={folder}", "-s3", f"-s3.config={config}", "-s3.autoCreateBucket=true"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, *plain, *sizes, *words], stdout=log, stderr=log, cwd=folder, env=os.environ | ONE_VOLUME
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{ports[0]}", server, folder / "log")
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


def _free_ports(count):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_until_it_answers(endpoint, server, log):
    until = time.monotonic() + STARTED_WITHIN_S
    while not _takes_a_put(endpoint):
        assert server.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        assert time.monotonic() < until, f"the S3 server did not answer: {log.read_text(encoding='utf-8')[-2000:]}"
        time.sleep(0.05)


def _takes_a_put(endpoint):
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    options = {"bucket": BUCKET, "endpoint": endpoint, "region": "us-east-1"}
    options |= {"access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"]}
    options |= {"secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
    store = S3Store(**options, client_options={"allow_http": True, "timeout": "2s"}, retry_config={"max_retries": 0})
    try:
        store.put("first", b"x")
    except BaseError:
        return False
    return True


@pytest.fixture(scope="session")
def s3_endpoint():
    """Give the endpoint of an S3 server; tests are skipped where there is none."""
    given = os.environ.get("ARGOSY_S3")
    if given:
        yield given
        return
    if find_weed() is None:
        pytest.skip("no S3 server: ARGOSY_S3 names none, and SeaweedFS's program `weed` is not installed")
    with tempfile.TemporaryDirectory(prefix="argosy-s3-") as folder, seaweed(Path(folder)) as endpoint:
        yield endpoint


@pytest.fixture
def s3(s3_endpoint, monkeypatch):
    """Give the URL of an empty store on S3, and let this process and its children reach it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, os.environ.get(name, value) if os.environ.get("ARGOSY_S3") else value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"
