import pytest

from argosy.launcher.artifacts import Artifact
from argosy.launcher.effects import (
    effect_path,
    natural_key,
    projection_path,
    read_done,
    write_done,
    write_intent,
)
from argosy.launcher.step import Input
from argosy.launcher.store import open_store
from tests.fakes.launching import a_step


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def test_a_natural_key_holds_values_digests_and_variables(monkeypatch):
    monkeypatch.setenv("REGISTRY", "sqlite://")
    model = Input(Artifact("sha256:m", {}), "sha256:m")
    step = a_step(inputs={"name": "flights", "model": model, "n": 1}, natural_key=("$REGISTRY", "name", "model"))

    assert natural_key(step) == {"$REGISTRY": "sqlite://", "name": "flights", "model": "sha256:m"}


def test_an_effect_is_not_done_before_it_is_over(store):
    path = effect_path("register", {"name": "a"})

    assert read_done(store, path) is None
    write_intent(store, path, {"name": "a"})
    assert read_done(store, path) is None
    write_done(store, path, {"name": "a"}, {"version": {"value": "1", "measured": True}})
    assert read_done(store, path)["outputs"] == {"version": {"value": "1", "measured": True}}


def test_an_intent_does_not_undo_what_is_done(store):
    path = effect_path("register", {"name": "a"})
    write_done(store, path, {"name": "a"}, {})

    write_intent(store, path, {"name": "a"})

    assert read_done(store, path) is not None


def test_a_damaged_entry_is_not_done(store):
    path = effect_path("register", {"name": "a"})
    write_done(store, path, {"name": "a"}, {})

    store.write(path, store.read(path)[:-3])

    assert read_done(store, path) is None


def test_effects_are_told_apart_by_kind_and_key():
    paths = {
        effect_path("register", {"a": 1}),
        effect_path("register", {"a": 2}),
        effect_path("alert", {"a": 1}),
        projection_path("r", 1),
        projection_path("r", 2),
        projection_path("q", 1),
    }

    assert len(paths) == 6
