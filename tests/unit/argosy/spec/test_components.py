import pytest

from argosy.errors import Mistake
from argosy.spec.components import Group, Step, read_components, read_executors
from argosy.spec.fields import Fields
from argosy.spec.platform import ExecutorPlatform, Platform
from tests.fakes.specs import a_component, a_container, a_group, a_parameter, a_task, with_field


def read(components, executors, platform=None):
    fields = Fields({"components": components, "deploymentSpec": {"executors": executors}})
    return read_components(fields, read_executors(fields.object("deploymentSpec")), platform or Platform())


def test_a_component_is_a_step_or_a_group():
    found = read({"comp-a": a_component("e"), "comp-g": a_group({"a": a_task("comp-a")})}, {"e": a_container()})

    assert isinstance(found["comp-a"], Step)
    assert isinstance(found["comp-g"], Group)


def test_a_step_carries_what_the_platform_says_of_its_executor():
    platform = Platform({"e": ExecutorPlatform(60.0, {"imagePullPolicy": "Always"})})

    found = read({"comp-a": a_component("e")}, {"e": a_container(resources={"cpuLimit": 1.0})}, platform)

    assert found["comp-a"].timeout_s == 60.0
    assert found["comp-a"].platform == {"imagePullPolicy": "Always", "resources": {"cpuLimit": 1.0}}


def test_an_executor_that_is_not_there_is_a_mistake():
    with pytest.raises(
        Mistake, match=r"^components\.comp-a\.executorLabel: 'f' is not among deploymentSpec\.executors"
    ):
        read({"comp-a": a_component("f")}, {"e": a_container()})


def test_an_output_of_a_group_that_no_task_gives_is_a_mistake():
    group = with_field(a_group({"a": a_task("comp-a")}), "outputDefinitions.parameters.score", a_parameter())

    with pytest.raises(Mistake, match=r"^components\.comp-g: output 'score' needs a place in outputDefinitions and in"):
        read({"comp-a": a_component("e"), "comp-g": group}, {"e": a_container()})
