import pytest

from argosy.kubeflow.wrap import wrap
from argosy.launcher.wrapping import Wrapping
from argosy.spec.wrapped import containers, tasks_of
from tests.fakes.specs import a_component, a_container, a_lightweight, a_parameter, a_spec, a_task, constant, with_field
from tests.fakes.wrapped_pipelines import measured_spec, program_spec, small_spec


def told(spec, label):
    """Return what the launcher is told in a container."""
    command = containers(spec)[label]["command"]
    assert command[:4] == ["python3", "-m", "argosy.launcher.pod", "--step"]
    assert command[5:8] == ["--executor_input", "{{$}}", "--"]
    return Wrapping.from_text(command[4])


def parameters(task):
    return task["inputs"]["parameters"]


def test_the_launcher_stands_in_front_and_the_own_command_behind_it():
    own = containers(small_spec())["exec-make"]

    container = containers(wrap(small_spec()).spec)["exec-make"]

    assert container["command"][8:] == own["command"]
    assert container["args"] == own["args"]


def test_the_launcher_is_told_what_kubeflow_does_not_tell():
    wrapping = told(wrap(small_spec(), lock="requirements.lock").spec, "exec-make")

    assert (wrapping.component, wrapping.function, wrapping.source_at) == ("make", "make", 6)
    assert (wrapping.inputs, wrapping.outputs) == ({"n": "NUMBER_INTEGER"}, {"Output": "NUMBER_INTEGER"})
    assert (wrapping.env, wrapping.declared_env) == (("LEVEL",), ("HOME",))
    assert (wrapping.packages, wrapping.lock) == (("numpy==2",), "requirements.lock")


def test_the_cache_of_kubeflow_is_off_and_the_authors_choice_travels_beside():
    tasks = tasks_of(wrap(small_spec()).spec["root"])

    assert [task["cachingOptions"] for task in tasks.values()] == [{}] * 4
    assert "argosy--caching" not in parameters(tasks["say"])
    assert parameters(tasks["say-2"])["argosy--caching"] == constant("{}")
    assert parameters(tasks["say-3"])["argosy--caching"] == constant('{"cacheKey":"k","enableCache":true}')


def test_texts_of_channels_are_left_to_the_pod():
    given = parameters(tasks_of(wrap(small_spec()).spec["root"])["say"])

    assert given["text"] == constant("n is {argosy{pipelinechannel--make-Output}}")
    assert "pipelinechannel--make-Output" in given


def test_variables_for_every_pod_are_added_but_replace_nothing_of_the_key():
    spec = wrap(small_spec(), env={"ARGOSY_STORE": "s3://b"}).spec

    assert {"name": "ARGOSY_STORE", "value": "s3://b"} in containers(spec)["exec-say"]["env"]
    assert told(spec, "exec-make").env == ("LEVEL",)


def test_wrapping_twice_is_wrapping_once():
    once = wrap(small_spec()).spec

    assert wrap(once).spec == once


def test_what_is_given_is_left_as_it_is():
    spec = small_spec()

    wrap(spec)

    assert spec == small_spec()


# Measurements


def test_a_measurement_takes_its_producer_along():
    spec = wrap(measured_spec()).spec
    root = tasks_of(spec["root"])

    source = {"taskOutputParameter": {"producerTask": "measure", "outputParameterKey": "argosy--of--Output"}}
    assert parameters(root["judge"])["argosy--of--seconds"] == source
    assert spec["components"]["comp-measure"]["outputDefinitions"]["parameters"]["argosy--of--Output"] == a_parameter()
    hidden = spec["components"]["comp-judge"]["inputDefinitions"]["parameters"]["argosy--of--seconds"]
    assert hidden == a_parameter(isOptional=True, defaultValue="")


def test_it_goes_into_the_groups_below():
    spec = wrap(measured_spec()).spec
    group = spec["components"]["comp-condition-1"]

    channel = "argosy--of--pipelinechannel--measure-Output"
    assert channel in group["inputDefinitions"]["parameters"]
    assert parameters(tasks_of(group)["judge-2"])["argosy--of--seconds"] == {"componentInputParameter": channel}
    assert parameters(tasks_of(group)["say"])[channel] == {"componentInputParameter": channel}


def test_what_follows_from_a_measurement_is_one():
    outputs = wrap(measured_spec()).spec["components"]["comp-judge"]["outputDefinitions"]["parameters"]

    assert "argosy--of--Output" in outputs


def test_values_have_no_companions():
    assert "argosy--of--" not in str(wrap(small_spec()).spec)


# What is left to Kubeflow


def test_a_program_of_python_keeps_its_template():
    wrapping = told(wrap(program_spec()).spec, "exec-own")

    assert wrapping.image == "team/tools:1"
    assert wrapping.argv == (
        "python3", "-m", "tools.write", "{{$.inputs.parameters['text']}}", "{{$.outputs.artifacts['out'].path}}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        (a_container(image="busybox:1", command=["cat"]), "image busybox:1 need not hold Python"),
        (a_container(command=[]), "its command stands in its image"),
        (a_container(args=["{{$.pipeline_job_name}}"]), "its arguments hold names of the run"),
    ],
)
def test_what_the_launcher_cannot_run_is_left_as_it_is_with_the_reason(container, reason):
    spec = a_spec({"t": a_task("comp-t")}, {"comp-t": a_component("exec-t")}, executors={"exec-t": container})

    wrapped = wrap(spec)

    assert wrapped.spec == spec
    assert reason in wrapped.left["comp-t"]


def test_a_program_in_the_image_of_a_python_step_gets_the_launcher():
    spec = with_field(program_spec(), "deploymentSpec.executors.exec-step", a_lightweight("def f(): pass", "f"))
    spec = with_field(spec, "components.comp-step", a_component("exec-step"))
    spec = with_field(spec, "deploymentSpec.executors.exec-other.container.image", "python:3.11")

    wrapped = wrap(spec)

    assert wrapped.left == {}
    assert told(wrapped.spec, "exec-other").argv[0] == "cat"


def test_an_importer_is_left_as_it_is():
    spec = a_spec({"t": a_task("comp-t")}, {"comp-t": a_component("exec-t")}, executors={"exec-t": {"importer": {}}})

    assert wrap(spec).left == {"comp-t": "it is no container"}


def test_a_step_that_is_told_how_the_run_ended_is_left_as_it_is():
    spec = with_field(
        small_spec(), "components.comp-say.inputDefinitions.parameters.text.parameterType", "TASK_FINAL_STATUS"
    )

    assert wrap(spec).left == {"comp-say": "it is told task final status"}
