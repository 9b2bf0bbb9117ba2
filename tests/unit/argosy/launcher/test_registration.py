import pytest

from argosy.launcher.artifacts import Artifact
from argosy.launcher.registration import PodEntry, now_text, read_pods, register_pod, run_path, write_pod
from argosy.launcher.roots import find_needed
from argosy.launcher.step import Outcome, Output
from argosy.launcher.store import open_store

KEY = "sha256:" + "a" * 64


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def an_entry(pod="run-1-train-7", started="2026-01-01T00:00:00.000+00:00", **more):
    return PodEntry("run-1", pod, "run-1.main.train(0)", KEY, started, **more)


def test_an_attempt_is_read_back_with_how_it_ended(store):
    artifact = Artifact("sha256:" + "b" * 64, {"b" * 64: 3}, {"framework": "onnx"})
    outcome = Outcome("ran", KEY, {"model": Output(artifact), "n": Output(3, measured=True)}, 1.5, log="sha256:c")

    write_pod(store, an_entry(outcome=outcome, step="train[2]"))

    assert read_pods(store, "run-1") == [an_entry(outcome=outcome, step="train[2]")]


def test_attempts_come_in_the_order_of_their_beginning(store):
    write_pod(store, an_entry("b", "2026-01-01T00:00:02.000+00:00"))
    write_pod(store, an_entry("c", "2026-01-01T00:00:01.000+00:00"))

    assert [entry.pod for entry in read_pods(store, "run-1")] == ["c", "b"]
    assert read_pods(store, "run-2") == []


def test_the_first_attempt_registers_its_run_and_a_later_one_leaves_that_as_it_is(store):
    register_pod(store, "training", an_entry(started="early"))
    register_pod(store, "training", an_entry("another", started="late"))

    assert store.read_json(run_path("run-1")) == {
        "run": "run-1", "pipeline": "training", "started": "early", "target": "argo",
    }  # fmt: skip


def test_what_the_pods_of_a_run_name_is_kept_by_gc(store):
    blob = store.put_bytes(b"what a step gave")
    record = {"key": {}, "step": "s", "run": "run-1", "outputs": {}, "seconds": 1, "log": f"sha256:{blob}"}
    store.append(f"steps/{'a' * 64}", 1, record)

    register_pod(store, "training", an_entry(started=now_text()))

    needed = find_needed(store, store.now())
    assert "run-1" in needed.runs
    assert "a" * 64 in needed.keys
    assert blob in needed.blobs
