"""`argosy features consume` on this project's definitions, a real Redis, and both ways to end."""

import json
import signal
import subprocess
from contextlib import closing

import pytest
import redis

from argosy.features.instants import instant_text, now_us
from argosy.features.online.connect import open_online
from argosy.features.online.rows import OnlineView
from argosy.features.online.streaming import push
from tests.fakes.processes import wait_for
from tests.fakes.projects import ROOT, argosy_command, project_env
from tests.fakes.redis_server import redis_port  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow

MINUTE = 60_000_000
PLANE = OnlineView("tail_arrival", ("tailnum",), ("String",), {"tail_arr_delay": "Float32"})


class Consuming:
    """A stream of its own, and the command that takes it online."""

    def __init__(self, folder, port):
        self.client = redis.Redis(port=port)
        self.stream = f"pushed-{folder.name}"
        self.online = f"sqlite:///{folder}/online.db"
        self.env = project_env(ROOT, ARGOSY_STATE=str(folder / "state"))
        source = f"redis://127.0.0.1:{port}/0"
        self.readers = []
        self.words = ["features", "consume", self.stream, "--redis", source, "--online", self.online, "-o", "json"]

    def start(self, *more):
        command = argosy_command(*self.words, *more)
        reader = subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.readers.append(reader)
        return reader

    def push(self, tail, age_us, delay=1.0):
        event = instant_text(now_us() - age_us)
        row = {"view": PLANE.name, "key": {"tailnum": tail}, "event": event, "values": {"tail_arr_delay": delay}}
        push(self.client, self.stream, [row])

    def held(self):
        with closing(open_online(self.online)) as store:
            return {row.key[0]: row.values["tail_arr_delay"] for row in store.rows(PLANE)}


@pytest.fixture
def consuming(tmp_path, redis_port):  # noqa: F811
    made = Consuming(tmp_path, redis_port)
    yield made
    for reader in made.readers:
        reader.kill()
        reader.communicate()
    made.client.close()


def test_a_drained_stream_is_accounted_view_by_view(consuming):
    consuming.push("N1", MINUTE, 1.0)
    consuming.push("N1", 2 * MINUTE, 9.0)
    consuming.push("N2", 30 * MINUTE, 2.0)
    consuming.push("N3", 25 * 60 * MINUTE)
    consuming.push("N4", -60 * MINUTE)
    consuming.client.xadd(consuming.stream, {"row": "{"})

    process = consuming.start("--drain")
    said, log = process.communicate(timeout=120)

    assert process.returncode == 0, log
    report = json.loads(said)
    outcomes = report["views"][PLANE.name]["outcomes"]
    assert consuming.held() == {"N1": 1.0, "N2": 2.0}
    assert report["refused"] == 2
    assert (outcomes["due on arrival"], outcomes["late on arrival"], outcomes["expired"]) == (2, 1, 1)


def test_a_reader_that_is_asked_to_end_says_what_became_of_its_rows(consuming):
    process = consuming.start()
    consuming.push("N1", MINUTE, 4.0)
    wait_for(lambda: consuming.held() == {"N1": 4.0}, timeout_s=120)

    process.send_signal(signal.SIGTERM)
    said, log = process.communicate(timeout=60)

    assert process.returncode == 0, log
    assert json.loads(said)["views"][PLANE.name]["outcomes"]["written"] == 1
