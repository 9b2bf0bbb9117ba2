import copy

import pytest

from argosy.kubeflow.measured import find_measured, wire
from tests.fakes.specs import (
    a_component,
    a_group,
    a_parameter,
    a_spec,
    a_task,
    an_artifact,
    artifact_of,
    outer,
    output_of,
)

SECONDS = {"seconds": a_parameter("NUMBER_DOUBLE")}
DECLARED = {"comp-measure": frozenset({"Output", "trace"}), "comp-judge": frozenset(), "comp-show": frozenset()}


def wired(tasks, **groups):
    """Return a spec with companions, whose root has these tasks."""
    components = {
        "comp-measure": a_component(
            "exec-measure", outputs={"Output": a_parameter("NUMBER_DOUBLE"), "n": a_parameter(), "trace": an_artifact()}
        ),
        "comp-judge": a_component("exec-judge", inputs=SECONDS, outputs={"Output": a_parameter("BOOLEAN")}),
        "comp-show": a_component("exec-show", inputs={"trace": an_artifact()}, outputs={"Output": a_parameter()}),
        **groups,
    }
    spec = copy.deepcopy(a_spec({"measure": a_task("comp-measure"), **tasks}, components))
    wire(spec, find_measured(spec, DECLARED))
    return spec


def hidden_inputs(spec, task, within="root"):
    around = spec["root"] if within == "root" else spec["components"][within]
    parameters = around["dag"]["tasks"][task].get("inputs", {}).get("parameters", {})
    return {name: source for name, source in parameters.items() if name.startswith("argosy--")}


def companion(task, key="argosy--of--Output"):
    return output_of(task, key)


def test_a_declared_measurement_has_a_companion_and_other_outputs_have_none():
    spec = wired({"judge": a_task("comp-judge", seconds=output_of("measure"))})

    outputs = spec["components"]["comp-measure"]["outputDefinitions"]["parameters"]
    assert set(outputs) == {"Output", "n", "argosy--of--Output"}
    assert hidden_inputs(spec, "judge") == {"argosy--of--seconds": companion("measure")}


def test_a_value_has_no_companion():
    spec = wired({"judge": a_task("comp-judge", seconds=output_of("measure", "n"))})

    assert hidden_inputs(spec, "judge") == {}


def test_what_follows_from_a_measured_artifact_is_measured():
    tasks = {
        "show": a_task("comp-show", trace=artifact_of("measure", "trace")),
        "judge": a_task("comp-judge", seconds=output_of("show")),
    }

    assert hidden_inputs(wired(tasks), "judge") == {"argosy--of--seconds": companion("show")}


def test_a_companion_leaves_a_nested_pipeline_beside_its_measurement():
    inner = a_group({"measure-2": a_task("comp-measure")}, outputs={"took": ("measure-2", "Output")})
    tasks = {"inner": a_task("comp-inner"), "judge": a_task("comp-judge", seconds=output_of("inner", "took"))}

    spec = wired(tasks, **{"comp-inner": inner})

    selected = spec["components"]["comp-inner"]["dag"]["outputs"]["parameters"]["argosy--of--took"]
    assert selected == {
        "valueFromParameter": {"producerSubtask": "measure-2", "outputParameterKey": "argosy--of--Output"}
    }
    assert hidden_inputs(spec, "judge") == {"argosy--of--seconds": companion("inner", "argosy--of--took")}


def test_a_companion_enters_a_group_within_a_group():
    low = a_group({"judge": a_task("comp-judge", seconds=outer("took"))}, inputs={"took": a_parameter("NUMBER_DOUBLE")})
    high = a_group({"low": a_task("comp-low", took=outer("took"))}, inputs={"took": a_parameter("NUMBER_DOUBLE")})

    spec = wired({"high": a_task("comp-high", took=output_of("measure"))}, **{"comp-low": low, "comp-high": high})

    assert hidden_inputs(spec, "high") == {"argosy--of--took": companion("measure")}
    assert hidden_inputs(spec, "low", "comp-high") == {"argosy--of--took": outer("argosy--of--took")}
    assert hidden_inputs(spec, "judge", "comp-low") == {"argosy--of--seconds": outer("argosy--of--took")}


@pytest.mark.parametrize("loop", ["parameterIterator", "artifactIterator"])
def test_what_a_loop_gathers_stands_for_itself(loop):
    body = a_group({"measure-2": a_task("comp-measure")}, outputs={"took": ("measure-2", "Output")})
    tasks = {
        "loop": {**a_task("comp-loop"), loop: {"items": {"raw": "[1]"}, "itemInput": "i"}},
        "judge": a_task("comp-judge", seconds=output_of("loop", "took")),
    }

    assert hidden_inputs(wired(tasks, **{"comp-loop": body}), "judge") == {}


def test_a_field_of_a_measurement_stands_for_itself():
    field = {**output_of("measure"), "parameterExpressionSelector": 'parseJson(string_value)["a"]'}

    assert hidden_inputs(wired({"judge": a_task("comp-judge", seconds=field)}), "judge") == {}


def test_a_choice_of_measurements_stands_for_itself():
    group = a_group({"measure-2": a_task("comp-measure")}, outputs={})
    selector = {"producerSubtask": "measure-2", "outputParameterKey": "Output"}
    group["dag"]["outputs"]["parameters"]["one"] = {"valueFromOneof": {"parameterSelectors": [selector]}}
    tasks = {"group": a_task("comp-group"), "judge": a_task("comp-judge", seconds=output_of("group", "one"))}

    assert hidden_inputs(wired(tasks, **{"comp-group": group}), "judge") == {}


def test_a_measurement_of_what_runs_without_a_launcher_is_a_value():
    spec = a_spec(
        {"measure": a_task("comp-measure"), "judge": a_task("comp-judge", seconds=output_of("measure"))},
        {
            "comp-measure": a_component("exec-measure", outputs={"Output": a_parameter("NUMBER_DOUBLE")}),
            "comp-judge": a_component("exec-judge", inputs=SECONDS),
        },
    )
    before = copy.deepcopy(spec)

    wire(spec, find_measured(spec, {"comp-judge": frozenset()}))

    assert spec == before
