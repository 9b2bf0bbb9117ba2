import json
import threading
import time
from dataclasses import replace

import pytest

from argosy.errors import BadInput
from argosy.serving.follow import Follower, Target, describe_health, prepare
from tests.fakes.frames import tiny_model
from tests.fakes.serving import a_served, a_target


class Ref:
    """A ref that tests set; raises what it holds if that is an exception."""

    def __init__(self, target=None):
        self.target = target

    def __call__(self):
        if isinstance(self.target, Exception):
            raise self.target
        return self.target


def load_unless_bad(target):
    if "bad" in target.digest:
        raise BadInput(f"{target.digest}: not a model")
    return a_served(target)


def a_follower(ref, load=load_unless_bad):
    return Follower(ref, load=load)


def test_nothing_is_served_until_the_ref_names_a_model():
    ref = Ref()
    follower = a_follower(ref)
    follower.look()
    assert describe_health(follower) == {
        "status": "ok",
        "model": None,
        "model_name": None,
        "generation": None,
        "failed": None,
    }

    ref.target = a_target()
    follower.look()

    assert describe_health(follower)["model"] == "sha256:one"


def test_a_model_that_does_not_load_leaves_the_old_one_and_is_reported():
    ref = Ref(a_target())
    follower = a_follower(ref)
    follower.look()

    ref.target = a_target("sha256:bad", generation=2)
    follower.look()

    health = describe_health(follower)
    assert health["model"] == "sha256:one"
    assert health["failed"] == {"digest": "sha256:bad", "reason": "BadInput: sha256:bad: not a model"}


@pytest.mark.parametrize("way_out", ["sha256:one", "sha256:two"])
def test_a_failure_is_forgotten_once_the_ref_names_what_is_served(way_out):
    ref = Ref(a_target())
    follower = a_follower(ref)
    follower.look()
    ref.target = a_target("sha256:bad", generation=2)
    follower.look()

    ref.target = a_target(way_out, generation=3)
    follower.look()

    health = describe_health(follower)
    assert (health["model"], health["generation"], health["failed"]) == (way_out, 3, None)


def test_a_failed_model_is_not_loaded_again_at_every_look():
    loads = []

    def load(target):
        loads.append(target)
        raise BadInput("no")

    follower = a_follower(Ref(a_target()), load)
    for _ in range(5):
        follower.look()

    assert len(loads) == 1
    follower.failed = replace(follower.failed, at_s=time.monotonic() - 60)
    follower.look()
    assert len(loads) == 2


def test_a_store_that_does_not_answer_leaves_the_old_model_and_is_reported_until_it_does():
    ref = Ref(a_target())
    follower = a_follower(ref)
    follower.look()

    ref.target = OSError("the store is away")
    follower.look()
    health = describe_health(follower)
    assert health["model"] == "sha256:one"
    assert health["failed"] == {"digest": None, "reason": "OSError: the store is away"}

    ref.target = a_target()
    follower.look()
    assert describe_health(follower)["failed"] is None


def test_a_store_that_falters_does_not_reload_a_failed_model_in_a_hurry():
    loads = []

    def load(target):
        loads.append(target)
        raise BadInput("no")

    follower = a_follower(Ref(a_target()), load)
    follower.look()
    follower.look()

    assert len(loads) == 1


def test_a_new_generation_of_the_same_model_is_not_loaded_again():
    ref = Ref(a_target(generation=1))
    follower = a_follower(ref)
    follower.look()
    model = follower.served.model

    ref.target = a_target(generation=7)
    follower.look()

    assert follower.served.model is model
    assert describe_health(follower)["generation"] == 7


def test_the_old_model_answers_while_the_new_one_loads():
    loading, go_on = threading.Event(), threading.Event()

    def load(target):
        if target.digest == "sha256:slow":
            loading.set()
            assert go_on.wait(5)
        return a_served(target)

    ref = Ref(a_target())
    follower = Follower(ref, load=load, poll_s=0.01)
    follower.look()
    ref.target = a_target("sha256:slow", generation=2)
    follower.start()
    assert loading.wait(5)

    assert follower.served.target.digest == "sha256:one"
    go_on.set()
    deadline = time.monotonic() + 5
    while follower.served.target.digest != "sha256:slow" and time.monotonic() < deadline:
        time.sleep(0.005)
    follower.stop()
    assert follower.served.target.digest == "sha256:slow"


def test_a_model_is_prepared_by_answering_its_own_example(tmp_path):
    folder = tiny_model(tmp_path / "model")

    served = prepare(Target("sha256:x", "flights-delay", 3, folder))

    example = json.dumps({"features": served.signature["example"]}).encode()
    assert served.model.predict_rows([served.requests.decode_row(example)])[0] == pytest.approx(0.5, abs=0.5)
    assert served.inline_bytes > 1000


def test_a_folder_without_a_model_is_not_prepared(tmp_path):
    with pytest.raises(BadInput, match=r"model\.onnx"):
        prepare(Target("sha256:x", "flights-delay", 3, tmp_path))
