import pytest

from argosy.argo.channels import channel_arguments, channel_inputs
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.spec.model import Component, Constant, Executor, Parameter, Task, Template
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pod_specs import names_of_the_run


def asking(**channels):
    component = Component("train", {"pod-a": Parameter("pod-a", "STRING")}, {}, Executor("python:3.11"))
    return Task("train", component, channels=channels)


def arguments_of(spec, name):
    made = manifest(read_pipeline(spec), Wanted())["spec"]["templates"][0]["dag"]["tasks"]
    task = next(each for each in made if each["name"] == name)
    return {each["name"]: each["value"] for each in task["arguments"]["parameters"]}


def test_no_channel_is_called_as_an_input_of_the_component():
    task = asking(**{"pipelinechannel--a": Constant("1"), "a": Constant("2"), "step.out_put": Constant("3")})

    assert list(channel_inputs(task).values()) == ["pod-a-2", "pod-a-3", "pod-step-out-put"]


def test_a_channel_arrives_as_plain_text():
    found = arguments_of(names_of_the_run(), "login")

    assert found["pod-secret"] == "{{=fromJSON(workflow.parameters.secret)}}"
    assert found["pod-name-output"] == '{{=fromJSON(tasks["name"].outputs.parameters["Output"])}}'


def test_a_constant_is_written_down():
    assert channel_arguments(asking(a=Constant("db")), reader=None) == {"pod-a-2": "db"}


def test_a_number_arrives_as_its_json():
    spec = names_of_the_run()
    spec["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]["memory"] = {
        "parameterType": "NUMBER_INTEGER", "defaultValue": 5.0, "isOptional": True,
    }  # fmt: skip

    value = "fromJSON(workflow.parameters.memory)"
    assert (
        arguments_of(spec, "login")["pod-memory"] == f'{{{{=type({value}) == "string" ? {value} : toJson({value})}}}}'
    )


@pytest.mark.parametrize("source", [Template("a-{{x}}", {}), Constant("{{x}}"), Constant({"a": 1})])
def test_what_is_no_value_of_its_own_is_refused(source):
    class Reader:
        name = "train"

    with pytest.raises(Unsupported, match=r"^tasks\.train: name that comes up in the run \(a text made of values"):
        channel_arguments(asking(a=source), Reader())
