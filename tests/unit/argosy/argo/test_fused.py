from dataclasses import replace

import pytest

from argosy.argo.fused import alike, members_of, with_shared_pods
from argosy.argo.wanted import Wanted
from argosy.spec.model import Constant, Pipeline, RunValue, Template
from tests.fakes.plans import a_task

CODE = "def step():\n    return 1\n"
TASK = a_task("a", CODE)
AFTER = a_task("b", CODE, after=["a"])


def told(name):
    return replace(TASK, inputs={"text": Template("{{x}}", {"x": RunValue(name)})})


def test_tasks_of_one_image_and_one_kind_of_pod_share_a_pod():
    plan = with_shared_pods(Pipeline("small", "", {}, (TASK, AFTER)), Wanted(fuse=True))

    assert [members_of(task) for task in plan.tasks] == [("a", "b")]


def test_nothing_shares_a_pod_where_nobody_asks_for_it():
    plan = Pipeline("small", "", {}, (TASK, AFTER))

    assert with_shared_pods(plan, Wanted()) is plan


@pytest.mark.parametrize("field", ["initContainers", "emptyDirMounts", "enabledSharedMemory", "genericEphemeralVolume"])
def test_a_task_that_finds_a_place_as_it_is_when_a_pod_starts_has_one_of_its_own(field):
    assert alike(replace(TASK, platform={field: [{"name": "a"}]})) is None


def test_a_task_whose_pod_is_given_something_of_the_run_has_one_of_its_own():
    assert alike(replace(TASK, channels={"secret": Constant("database")})) is None


@pytest.mark.parametrize("name", ["workspace_path", "pipeline_job_schedule_time_utc", "pipeline_root"])
def test_a_task_that_is_told_what_no_plan_within_a_pod_knows_has_one_of_its_own(name):
    assert alike(told(name)) is None


@pytest.mark.parametrize("name", ["pipeline_job_name", "pipeline_task_name"])
def test_a_task_that_is_told_what_the_plan_knows_may_share_a_pod(name):
    assert alike(told(name)) == alike(TASK)


def test_a_task_with_another_request_to_its_pod_is_not_alike():
    assert alike(replace(TASK, platform={"resources": {"resourceCpuLimit": "2"}})) != alike(TASK)
