import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from argosy.errors import Outage
from argosy.launcher.canonical import digest_of
from argosy.launcher.launch import find_record
from argosy.launcher.remote import Patience
from argosy.launcher.store import open_store
from tests.fakes.processes import wait_for
from tests.fakes.s3_faults import faulty
from tests.fakes.s3_server import CREDENTIALS, find_weed, seaweed

HASTY = Patience(request_s=0.6, connect_s=0.6, retries=4, total_s=20, creations=3)
BEFORE = ["500", "503", "reset", "cut", "hang"]
AFTER = ["lost", "500 after", "lost and hang"]
HARMLESS = ["delay", "twice"]
EVERY = [*BEFORE, *AFTER, *HARMLESS]


@pytest.fixture
def proxied(s3, s3_endpoint, monkeypatch, tmp_path):
    """Give a store behind a proxy, the proxy's faults, and the same store without it."""
    straight = open_store(s3, state=tmp_path / "straight")
    straight.read("x")
    with faulty(s3_endpoint) as (endpoint, faults):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield open_store(s3, state=tmp_path / "state", patience=HASTY), faults, straight


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=[pytest.mark.slow] if "hang" in fault else []) for fault in EVERY]
)
def test_a_fault_that_passes_is_not_seen(proxied, fault):
    store, faults, straight = proxied
    faults.use([fault])

    store.write_json("runs/r/result.json", {"a": 1})
    assert faults.injected == [fault]
    faults.use([fault])
    made = store.create_json("steps/k/00000001.json", {"b": 2})
    faults.use([fault])
    sha256 = store.put_bytes(b"some bytes")

    assert made
    assert straight.read_json("runs/r/result.json") == {"a": 1}
    assert straight.read_json("steps/k/00000001.json") == {"b": 2}
    assert straight.is_sound(sha256, 10, reread=True)
    assert faults.injected == [fault]


@pytest.mark.parametrize("fault", ["lost", "500 after", pytest.param("lost and hang", marks=pytest.mark.slow)])
def test_whoever_lost_the_answer_to_its_own_creation_has_not_lost_to_somebody_else(proxied, fault):
    store, faults, straight = proxied
    faults.use([fault] * 2)

    assert store.create_json("refs/x/00000001.json", {"by": "me"})

    faults.use([fault] * 2)
    assert not straight.create_json("refs/x/00000001.json", {"by": "me"})
    assert not store.create_json("refs/x/00000001.json", {"by": "me"})


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["500", "reset", "hang", "cut"])
def test_a_fault_that_lasts_is_an_outage_that_names_store_and_object(proxied, fault):
    store, faults, straight = proxied
    faults.hang_s = 1
    faults.use([fault] * 1000, lambda _method, _path: True)
    began = time.monotonic()

    for attempt in (
        lambda: store.read("steps/k"),
        lambda: store.create_json("steps/k", {"a": 1}),
        lambda: store.paths("steps"),
    ):
        with pytest.raises(Outage, match=r"^store s3://argosy-tests/\w+: steps") as caught:
            attempt()
        assert caught.value.exit_code == 75

    assert time.monotonic() - began < 40
    assert straight.read("steps/k") is None


def test_a_bucket_that_takes_long_but_answers_is_waited_for(proxied):
    store, faults, _ = proxied
    faults.use(["delay"] * 100, lambda _method, _path: True)

    assert store.create_json("steps/k", {"a": 1})
    assert store.read_json("steps/k") == {"a": 1}


@pytest.mark.slow
def test_two_hundred_faults_in_puts_tear_no_record(proxied, tmp_path):
    store, faults, straight = proxied
    rng, injected, outages, made = random.Random(5), 0, 0, {}
    faults.hang_s = 0.8
    file = tmp_path / "file"
    for number in range(110):
        faults.use([rng.choice(EVERY) for _ in range(2)])
        file.write_bytes(rng.randbytes(rng.choice([10, 3_000, 200_000])))
        key = digest_of(number).removeprefix("sha256:")
        try:
            sha256, size = store.put_file(file)
            output = {"artifact": f"sha256:{sha256}", "blobs": {sha256: size}, "metadata": {}, "measured": False}
            record = {"run": str(number), "outputs": {"out": output}}
            made[key] = store.append(f"steps/{key}", 1, record)
        except Outage:
            outages += 1
        injected += len(faults.injected)

    assert injected >= 200
    assert outages == 0
    assert list(made.values()) == [True] * 110
    for key in made:
        generation, record = find_record(straight, f"sha256:{key}", reread=True)
        assert (generation, record is not None) == (1, True)


@pytest.mark.slow
def test_of_sixteen_writers_each_behind_faults_one_wins(proxied):
    store, faults, straight = proxied
    rng = random.Random(7)
    faults.hang_s = 0.8
    for race in range(12):
        faults.use([rng.choice([*EVERY, "", ""]) for _ in range(24)])
        barrier = threading.Barrier(16)

        def create(number, path=f"refs/{race}/00000001.json", barrier=barrier):
            barrier.wait()
            return store.create_json(path, {"by": number})

        with ThreadPoolExecutor(16) as pool:
            won = list(pool.map(create, range(16)))

        assert won.count(True) == 1
        assert straight.read_json(f"refs/{race}/00000001.json") == {"by": won.index(True)}


@pytest.mark.slow
def test_in_a_thousand_races_of_sixteen_writers_one_wins(s3, tmp_path):
    store = open_store(s3, state=tmp_path / "state")
    entries = [(race, writer) for race in range(1000) for writer in range(16)]

    # SeaweedFS has whoever meets another on an object wait for whole seconds, so that many races run at once.
    with ThreadPoolExecutor(25 * 16) as pool:
        won = list(pool.map(lambda entry: store.create_json(f"races/{entry[0]:04d}.json", {"by": entry[1]}), entries))
    winners = [entry for entry, first in zip(entries, won, strict=True) if first]

    assert [race for race, _ in winners] == list(range(1000))
    assert all(store.read_json(f"races/{race:04d}.json") == {"by": writer} for race, writer in winners)


@pytest.mark.slow
def test_a_server_that_is_killed_while_it_is_written_to_has_whole_records_when_it_is_back(tmp_path, monkeypatch):
    if find_weed() is None:
        pytest.skip("SeaweedFS's program `weed` is not installed")
    (tmp_path / "server").mkdir()
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    made = []

    def write(store):
        for number in range(10_000):
            sha256 = store.put_bytes(f"{number} ".encode() * 500)
            if store.append(f"steps/{sha256}", 1, {"outputs": {}, "log": sha256}):
                made.append(sha256)

    with seaweed(tmp_path / "server") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        store = open_store("s3://argosy-tests/killed", state=tmp_path / "state", patience=HASTY)
        writer = ThreadPoolExecutor(1).submit(write, store)
        wait_for(lambda: len(made) > 100)
    with pytest.raises(Outage, match=r"^store s3://argosy-tests/killed"):
        writer.result()
    with seaweed(tmp_path / "server") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        store = open_store("s3://argosy-tests/killed", state=tmp_path / "again")
        for sha256 in made:
            assert store.read_json(f"steps/{sha256}/00000001.json") == {"outputs": {}, "log": sha256}
            assert store.read_blob(sha256) is not None
