"""Specs whose wrapping has something to do: caching options, texts of channels, measurements across DAGs, a program."""

import json

from tests.fakes.specs import (
    a_component,
    a_condition_task,
    a_container,
    a_lightweight,
    a_parameter,
    a_spec,
    a_task,
    an_artifact,
    artifact_of,
    constant,
    definitions,
    outer,
    output_of,
    with_field,
)

MAKE = "def make(n: int) -> int:\n    return n\n"
SAY = "def say(text: str) -> str:\n    return text\n"
MEASURE = "def measure(trace: Output[Dataset]) -> float:\n    return 1.0\n"
JUDGE = "def judge(seconds: float) -> bool:\n    return seconds < 2\n"
TEXT = "n is {{$.inputs.parameters['pipelinechannel--make-Output']}}"


def small_spec():
    """Return a chain with a text of a channel, a task without cache and one with a salt."""
    components = {
        "comp-make": a_component(
            "exec-make", inputs={"n": a_parameter("NUMBER_INTEGER")}, outputs={"Output": a_parameter("NUMBER_INTEGER")}
        ),
        "comp-say": a_component("exec-say", inputs={"text": a_parameter()}, outputs={"Output": a_parameter()}),
    }
    channel = {"pipelinechannel--make-Output": output_of("make")}
    tasks = {
        "make": a_task("comp-make", n=constant(3)),
        "say": a_task("comp-say", text=constant(TEXT), **channel),
        "say-2": {**a_task("comp-say", text=constant("twice")), "cachingOptions": {}},
        "say-3": {
            **a_task("comp-say", text=constant("salted")),
            "cachingOptions": {"enableCache": True, "cacheKey": "k"},
        },
    }
    env = [{"name": "LEVEL", "value": "1"}, {"name": "ARGOSY_ENV", "value": '["HOME"]'}]
    executors = {
        "exec-make": a_lightweight(MAKE, "make", install="python3 -m pip install numpy==2", env=env),
        "exec-say": a_lightweight(SAY, "say"),
    }
    return a_spec(tasks, components, executors=executors)


def measured_spec():
    """Return a measurement that is judged in the root and within a condition, also as part of a text."""
    seconds = {"seconds": a_parameter("NUMBER_DOUBLE")}
    components = {
        "comp-measure": a_component(
            "exec-measure", outputs={"Output": a_parameter("NUMBER_DOUBLE"), "trace": an_artifact()}
        ),
        "comp-judge": a_component("exec-judge", inputs=seconds, outputs={"Output": a_parameter("BOOLEAN")}),
        "comp-say": a_component("exec-say", inputs={"text": a_parameter()}, outputs={"Output": a_parameter()}),
        "comp-condition-1": {
            "dag": {
                "tasks": {
                    "judge-2": a_task("comp-judge", seconds=outer("pipelinechannel--measure-Output")),
                    "say": a_task(
                        "comp-say",
                        text=constant("{{$.inputs.parameters['pipelinechannel--measure-Output']}} s"),
                        **{"pipelinechannel--measure-Output": outer("pipelinechannel--measure-Output")},
                    ),
                }
            },
            "inputDefinitions": definitions(
                {
                    "pipelinechannel--judge-Output": a_parameter("BOOLEAN"),
                    "pipelinechannel--measure-Output": a_parameter("NUMBER_DOUBLE"),
                }
            ),
        },
    }
    tasks = {
        "measure": a_task("comp-measure"),
        "judge": a_task("comp-judge", seconds=output_of("measure")),
        "condition-1": a_condition_task(
            "comp-condition-1",
            "inputs.parameter_values['pipelinechannel--judge-Output'] == true",
            **{
                "pipelinechannel--judge-Output": output_of("judge"),
                "pipelinechannel--measure-Output": output_of("measure"),
            },
        ),
    }
    declared = [{"name": "ARGOSY_MEASUREMENTS", "value": json.dumps(["Output", "trace"])}]
    executors = {
        "exec-measure": a_lightweight(MEASURE, "measure", env=declared),
        "exec-judge": a_lightweight(JUDGE, "judge"),
        "exec-say": a_lightweight(SAY, "say"),
    }
    return a_spec(tasks, components, executors=executors)


def program_spec():
    """Return two programs: one of Python, one of an image that need not hold Python."""
    words = ["{{$.inputs.parameters['text']}}", "{{$.outputs.artifacts['out'].path}}"]
    slots = {"inputs": {"text": a_parameter()}, "outputs": {"out": an_artifact()}}
    components = {
        "comp-own": a_component("exec-own", **slots),
        "comp-other": a_component("exec-other", inputs={"out": an_artifact()}),
    }
    executors = {
        "exec-own": a_container(image="team/tools:1", command=["python3", "-m", "tools.write"], args=words),
        "exec-other": a_container(image="busybox:1", command=["cat"], args=["{{$.inputs.artifacts['out'].path}}"]),
    }
    tasks = {
        "own": a_task("comp-own", text=constant("hello")),
        "other": a_task("comp-other", out=artifact_of("own", "out")),
    }
    return with_field(a_spec(tasks, components, executors=executors), "sdkVersion", "kfp-2.17.0")
