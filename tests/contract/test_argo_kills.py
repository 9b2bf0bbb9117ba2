"""Delete pods of a workflow anywhere, with the real launcher in them: it ends as an undisturbed one."""

import os
import random
import threading
from collections import Counter

import pytest

from tests.fakes.argo_world import EVENTS, TASKS, ArgoWorld
from tests.fakes.disturbed_pods import deleting
from tests.fakes.s3_server import s3, s3_endpoint

__all__ = ["s3", "s3_endpoint"]
pytestmark = pytest.mark.slow
EFFECTS = ("register", "promote")
STEPS = tuple(event for event in EVENTS if event not in {*EFFECTS, "observe"})
POINTS = {
    "before work": ((*STEPS, *EFFECTS), ()),
    "before commit": (STEPS, STEPS),
    "after commit": (STEPS, ()),
    "before move": (("promote",), ()),
    "after move": (("promote",), ()),
    "before done": (EFFECTS, EFFECTS),
    "after done": (EFFECTS, ()),
    "after outputs": (EVENTS, ("observe",)),
}
"""Which pods come to each point of the launcher, and the code of which steps runs again after that."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the end of one undisturbed workflow."""
    with ArgoWorld(tmp_path_factory.mktemp("undisturbed") / "project") as world:
        assert world.run("one") == "Succeeded", world.logs("one")
        assert world.executed() == dict.fromkeys(EVENTS, 1)
        state, outside = world.end()
        assert (len(outside["versions"]), len(state["refs"]["small/champion"])) == (1, 1)
        return state, outside


def require_same_end(world, undisturbed, *, deleted, repeated):
    """Run a workflow whose pods get deleted, and look."""
    with world:
        assert world.run("one") == "Succeeded", world.logs("one")
        assert world.deleted("one") == sorted(TASKS[event] for event in deleted)
        assert world.executed() == {event: 2 if event in repeated else 1 for event in EVENTS}
        assert world.end() == undisturbed


@pytest.mark.parametrize("event", EVENTS)
def test_a_pod_is_deleted_while_its_step_works(undisturbed, tmp_path, event):
    world = ArgoWorld(tmp_path / "project", before_pod=deleting(tasks={TASKS[event]}))

    require_same_end(world, undisturbed, deleted=[event], repeated=[event])


def test_every_pod_is_deleted_while_its_step_works(undisturbed, tmp_path):
    world = ArgoWorld(tmp_path / "project", before_pod=deleting())

    require_same_end(world, undisturbed, deleted=EVENTS, repeated=EVENTS)


def test_every_pod_is_asked_to_end_while_its_step_works(undisturbed, tmp_path):
    with ArgoWorld(tmp_path / "project", before_pod=deleting(grace_s=30)) as world:
        assert world.run("one") == "Succeeded", world.logs("one")

        assert Counter(code for _, code in world.controller.held["one"].workflow.pods) == {143: 12, 0: 12}
        assert world.executed() == dict.fromkeys(EVENTS, 2)
        assert world.end() == undisturbed


@pytest.mark.parametrize("point", POINTS)
def test_every_pod_is_deleted_where_it_comes_to_a_point(undisturbed, tmp_path, point):
    deleted, repeated = POINTS[point]
    world = ArgoWorld(tmp_path / "project", before_pod=deleting(point))

    require_same_end(world, undisturbed, deleted=deleted, repeated=repeated)


@pytest.mark.parametrize("seed", range(5))
def test_pods_are_deleted_at_random_moments(undisturbed, tmp_path, seed):
    deleted = []
    # On a quick machine pods are gone before late moments come.
    for latest_s in (1.5, 0.8, 0.4, 0.2, 0.1, 0.05):
        before_pod = deleting_at_random(random.Random(seed), latest_s)
        with ArgoWorld(tmp_path / f"{latest_s}/project", before_pod=before_pod) as world:
            assert world.run("one") == "Succeeded", world.logs("one")
            deleted = world.deleted("one")
            assert world.end() == undisturbed
        if deleted:
            break
    assert deleted


def deleting_at_random(chance, latest_s):
    def disturb(pod):
        if pod.attempt < 2:
            timer = threading.Timer(chance.uniform(0.02, latest_s), pod.delete)
            timer.daemon = True
            timer.start()

    return disturb


def test_two_workflows_of_one_file_at_once_share_the_work_and_end_as_one(undisturbed, tmp_path, s3):
    store = {name: value for name, value in os.environ.items() if name.startswith("AWS_")} | {"ARGOSY_STORE": s3}
    with ArgoWorld(tmp_path / "project", store) as world:
        for name in ("one", "two"):
            world.start(name)
        for name in ("one", "two"):
            assert world.controller.wait(name)["status"]["phase"] == "Succeeded", world.logs(name)

        executed = world.executed()
        assert executed.pop("observe") == 2
        assert set(executed.values()) == {1}, executed
        state, outside = world.end()
        # Two may observe at once; nothing else was done twice.
        assert (state, outside | {"overlap": False}) == undisturbed


def test_a_pod_on_s3_is_deleted_and_the_next_waits_for_its_lease(undisturbed, tmp_path, s3):
    store = {name: value for name, value in os.environ.items() if name.startswith("AWS_")} | {"ARGOSY_STORE": s3}
    world = ArgoWorld(tmp_path / "project", store, before_pod=deleting(tasks={"train", "register"}))

    require_same_end(world, undisturbed, deleted=["train", "register"], repeated=["train", "register"])
