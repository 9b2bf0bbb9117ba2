"""Let each step of a workflow fail in turn, then go on: only what must run does, and the end is the undisturbed one."""

import json
import re

import pytest

from tests.fakes.argo_world import EVENTS, TASKS, ArgoWorld, argo_world_spec, edited

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the end of one undisturbed workflow."""
    with ArgoWorld(tmp_path_factory.mktemp("undisturbed") / "project") as world:
        assert world.run("one") == "Succeeded", world.logs("one")
        return world.end()


class Failed(ArgoWorld):
    """A world in which one step failed, and nothing is in its way any more."""

    def __init__(self, folder, event):
        super().__init__(folder)
        self.event = event
        self.break_step(event)
        assert self.run("one") == "Failed"
        self.mend_step(event)
        self.before = self.executed()
        self.open = {each for each in EVENTS if self.before[each] == 0} | {event}
        assert self.before[event] == 1

    def executed_since(self):
        """Return the steps whose code began since, each of them once."""
        now = self.executed()
        assert max(now[each] - self.before[each] for each in EVENTS) == 1, now
        return {each for each in EVENTS if now[each] > self.before[each]}


@pytest.fixture(scope="module", params=EVENTS)
def failed(request, tmp_path_factory):
    with Failed(tmp_path_factory.mktemp("failed") / "project", request.param) as world:
        yield world


def test_what_is_retried_runs_what_failed_and_what_comes_after_it(failed, undisturbed):
    with failed.restored():
        assert failed.retry("one") == "Succeeded", failed.logs("one")

        started = [path.removeprefix("main.") for path, _ in failed.controller.held["one"].workflow.pods]
        assert sorted(started) == sorted(TASKS[event] for event in failed.open)
        assert failed.executed_since() == failed.open
        assert failed.end() == undisturbed


def test_what_is_submitted_again_runs_what_failed_and_what_comes_after_it(failed, undisturbed):
    with failed.restored():
        assert failed.run("two") == "Succeeded", failed.logs("two")

        assert failed.executed_since() == failed.open | {"observe"}
        assert endings(failed.logs("two"), "reused") == {step(event) for event in set(EVENTS) - failed.open} - {
            "observe"
        }
        assert failed.end() == undisturbed


def test_new_code_runs_what_it_changes_and_what_comes_after_it(failed, undisturbed):
    mended = step(failed.event)
    with failed.restored():
        assert failed.run("two", edited(argo_world_spec(), mended)) == "Succeeded", failed.logs("two")

        changed = {event for event in EVENTS if step(event) == mended}
        assert failed.executed_since() == failed.open | changed | {"observe"}
        assert without_keys(failed.end()) == without_keys(undisturbed)


def step(event):
    """Return the step whose code notes an event: a loop has several rounds of one."""
    return event.partition("-")[0]


def endings(logs, status):
    return set(re.findall(rf"argosy: (\w+): {status} ", logs))


def without_keys(end):
    """Return what does not depend on the code of a step: equal values come from other keys."""
    state, outside = end
    return {**state, "values": {json.dumps(each, sort_keys=True) for each in state["values"].values()}}, outside
