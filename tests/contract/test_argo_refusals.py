"""What does not compile to Argo says where it stands, what was got, why, and what to write instead."""

import re

import pytest

from argosy.argo.emit import emit
from argosy.argo.unsupported import REFUSALS
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Mistake, Unsupported
from argosy.launcher.argo import BRACE
from argosy.spec.arguments import bind_arguments
from argosy.spec.model import Constant, Loop, Parameter, Pipeline
from argosy.spec.read import read_pipeline
from tests.fakes import plans
from tests.fakes.argo_pod_specs import an_import
from tests.fakes.argo_specs import (
    ENDED,
    ITEM,
    LOOP,
    NUMBER,
    NUMBERS,
    RETRY,
    TEXT,
    a_dag,
    a_loop,
    pipeline,
    when,
)
from tests.fakes.specs import (
    a_component,
    a_container,
    a_lightweight,
    a_parameter,
    a_spec,
    a_task,
    constant,
    outer,
    output_of,
    with_field,
)

COUNT = "deploymentSpec.executors.exec-count"
CHANNEL = "pipelinechannel--n"
N_OF_COUNT = f"{{{{$.inputs.parameters['{CHANNEL}']}}}}"


def with_platform(**fields):
    """Return a spec of a task `count` with fields of its pod."""
    executors = {"exec-count": fields}
    return {
        "pipeline_spec": RETRY,
        "platform_spec": {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}},
    }


def with_executor(executor):
    return with_field(RETRY, COUNT, executor)


def with_name_of_the_run(name):
    return pipeline({"say": a_task("comp-say", text=constant(f"{{{{$.{name}}}}}"))})


def with_condition_on_a_text():
    """Return a condition whose channel is a text made of values, which a nested pipeline was given."""
    inner = a_dag(
        {"branch": when(a_task("comp-branch", text=outer("text")), "inputs.parameter_values['text'] == 'x'")},
        inputs={"text": TEXT, CHANNEL: NUMBER},
    )
    branch = a_dag({"say": a_task("comp-say", text=outer("text"))}, inputs={"text": TEXT})
    given = {"text": constant(N_OF_COUNT), CHANNEL: output_of("count")}
    tasks = {"count": a_task("comp-count", n=constant(1)), "inner": a_task("comp-inner", **given)}
    return pipeline(tasks, inner=inner, branch=branch)


def with_loop_over_a_text():
    """Return a loop over a text made of values, which a nested pipeline was given."""
    loop = a_loop("comp-round", {"inputParameter": "items"}, items=outer("text"))
    inner = a_dag({"loop": loop}, inputs={"text": TEXT, CHANNEL: NUMBER})
    given = {"text": constant(f"[{N_OF_COUNT}]"), CHANNEL: output_of("count")}
    tasks = {"count": a_task("comp-count", n=constant(1)), "inner": a_task("comp-inner", **given)}
    a_round = a_dag({"count": a_task("comp-count", n=outer(ITEM))}, inputs={ITEM: NUMBER, "items": TEXT})
    return pipeline(tasks, inner=inner, round=a_round)


def with_loop_over(text):
    """Return a loop over a constant text, which may be the JSON of a list."""
    a_round = a_dag({"count": a_task("comp-count", n=outer(ITEM))}, inputs={ITEM: NUMBER, "items": TEXT})
    loop = a_loop("comp-round", {"inputParameter": "items"}, items=constant(text))
    return pipeline({"loop": loop}, round=a_round)


def with_status_of_another_loop():
    """Return a loop that comes after a group in any case, with a task that takes how the group ended."""
    status = {"taskFinalStatus": {"producerTask": "body"}}
    loop = {**a_loop("comp-round", {"raw": "[1]"}, status=status), "dependentTasks": ["body"], **ENDED}
    a_round = a_dag(
        {"report": a_task("comp-report", status=outer("status"))},
        inputs={ITEM: NUMBER, "status": a_parameter("TASK_FINAL_STATUS")},
    )
    body = a_dag({"count": a_task("comp-count", n=constant(1))})
    return pipeline({"body": a_task("comp-body"), "loop": loop}, body=body, round=a_round)


def with_wait_of_a_round():
    """Return the plan of a loop that is not skipped with the branch that a task in it waits for."""
    code = "def step():\n    return 1\n"
    in_branch = plans.a_task("a", code, after=["flag"], conditions=(plans.holds("flag", "Output", 1),))
    tasks = (plans.a_task("flag", code), in_branch, plans.a_task("b", code, after=["a"], loops=("loop",)))
    return Pipeline("small", "", {}, tasks, loops={"loop": Loop("loop", Constant([1]), Parameter("item", "STRING"))})


def with_large_parts():
    """Return a spec of tasks with a constant of 90 KB each."""
    return pipeline({f"say-{i}": a_task("comp-say", text=constant("x" * 90_000)) for i in range(11)})


def with_named_input(name):
    """Return a spec whose component has an input of some name."""
    component = a_component("exec-count", inputs={name: NUMBER}, outputs={"Output": NUMBER})
    return a_spec({"count": a_task("comp-count", **{name: constant(1)})}, {"comp-count": component})


def with_default(value):
    """Return a loop over a parameter with a default."""
    return with_field(
        pipeline(
            {"loop": a_loop("comp-round", {"inputParameter": "items"}, items=outer("items"))},
            parameters={"items": NUMBERS},
            round=a_dag({"count": a_task("comp-count", n=outer(ITEM))}, inputs={ITEM: NUMBER, "items": NUMBERS}),
        ),
        "root.inputDefinitions.parameters.items.defaultValue",
        value,
    )


SECRET = {"secretNameParameter": {"componentInputParameter": "name"}, "mountPath": "/secret"}
CASES = {
    "program": (with_executor(a_container(image="alpine", command=["sh"])), "tasks.count", "alpine"),
    "command of the image": (with_executor(a_container(image="alpine", command=[])), "tasks.count", "alpine"),
    "importer": (with_executor({"importer": {"artifactUri": {"constant": "gs://b/f"}}}), "tasks.count", "gs://b/f"),
    "URI of an importer": (an_import("oci://registry/model"), "tasks.importer", "oci://registry/model"),
    "claim of storage": (
        with_executor(a_container(image="argostub/createpvc")), "tasks.count", "pvc_name_suffix is not one of its own",
    ),
    "init container": (
        with_platform(
            initContainers=[{"name": "a", "image": "b", "volumeMounts": [{"volumeName": "c", "mountPath": "/c"}]}]
        ),
        "tasks.count.initContainers",
        "volume c",
    ),
    "security context": (
        with_platform(securityContext={"runAsUser": 0}), "tasks.count.securityContext", "runAsUser: 0",
    ),
    "claim of a device": (
        with_platform(podResourceClaims=[{"name": "gpu"}]), "tasks.count.podResourceClaims", '[{"name": "gpu"}]',
    ),
    "name that comes up in the run": (with_platform(secretAsVolume=[SECRET]), "tasks.count.secretAsVolume", ""),
    "placeholder in image or environment": (
        with_executor(a_container(image="{{$.inputs.parameters['n']}}")), "tasks.count", "{{$.inputs.parameters['n']}}",
    ),
    "workspace": (with_name_of_the_run("workspace_path"), "tasks.say", ""),
    "condition": (with_condition_on_a_text(), "tasks.say.triggerPolicy.condition", "a text made of values"),
    "items of a loop": (with_loop_over_a_text(), "loop inner/loop.items", "a text made of values"),
    "status of tasks in another loop": (with_status_of_another_loop(), "tasks.report", "body"),
    "wait in a loop": (with_wait_of_a_round(), "tasks.b.dependentTasks", "waits for a"),
    "backoff factor": (
        with_field(RETRY, "root.dag.tasks.count.retryPolicy.backoffFactor", 1.5),
        "tasks.count.retryPolicy.backoffFactor",
        "1.5",
    ),
    "value that Argo would change": (
        with_default([2**53 + 1]), "parameter 'items'", "[9007199254740993], items of a loop",
    ),
    "name of an input or output": (with_named_input("a b"), "tasks.count", "'a b'"),
    "brace": (with_executor(a_lightweight(f"def count():\n    '{BRACE}'\n", "count")), "tasks.count", BRACE),
    "size of a pod": (
        pipeline({"say": a_task("comp-say", text=constant("x" * 200_000))}), "tasks.say", "N KB of at most 120",
    ),
    "size": (with_large_parts(), "small", "N KB of at most 900"),
}  # fmt: skip
"""For each construct that is refused: a spec with it, its place, and what was got."""


def compiled(spec):
    return emit(manifest(spec if isinstance(spec, Pipeline) else read_pipeline(spec), Wanted()))


def test_there_is_a_spec_for_every_refusal():
    assert set(CASES) == set(REFUSALS)


@pytest.mark.parametrize("construct", CASES)
def test_a_refusal_says_where_what_why_and_what_to_write_instead(construct):
    spec, place, got = CASES[construct]
    reason, instead = REFUSALS[construct]

    with pytest.raises(Unsupported) as caught:
        compiled(spec)

    said = f"{construct} ({got})" if got else construct
    message = re.sub(r"\d+ KB of", "N KB of", str(caught.value))
    assert message == f"{place}: {said}: cannot compile to Argo: {reason}; {instead}"


MISTAKES = {
    "a list that is none": (
        with_loop_over("a, b"),
        Wanted(),
        "loop loop.items: got 'a, b'; a list is needed here, or its JSON",
    ),
    "a policy that is none": (
        with_platform(imagePullPolicy="Sometimes"),
        Wanted(),
        "tasks.count.imagePullPolicy: got 'Sometimes'; allowed: Always, IfNotPresent, Never",
    ),
    "a number that JSON does not have": (
        with_field(LOOP, "components.comp-round.dag.tasks.count.inputs.parameters.n", constant(float("nan"))),
        Wanted(),
        "components.comp-round.dag.tasks.count.inputs.parameters.n.runtimeValue.constant: got nan; "
        "JSON has no such number, use a text or leave it out",
    ),
    "a schedule that is missing": (
        RETRY,
        Wanted("CronWorkflow"),
        "--schedule: got none with --kind CronWorkflow; a CronWorkflow needs one, like '0 6 * * *', and nothing else "
        "takes one",
    ),
    "a schedule that nothing takes": (
        RETRY,
        Wanted(schedule="0 6 * * *"),
        "--schedule: got 0 6 * * * with --kind Workflow; a CronWorkflow needs one, like '0 6 * * *', and nothing else "
        "takes one",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_says_where_what_and_what_is_allowed(name):
    spec, wanted, message = MISTAKES[name]

    with pytest.raises(Mistake) as caught:
        manifest(read_pipeline(spec), wanted)

    assert str(caught.value) == message


@pytest.mark.parametrize("given", [{"n": float("inf")}, {"n": "many"}, {"m": 1}])
def test_an_argument_that_does_not_fit_names_its_parameter(given):
    read = read_pipeline(pipeline({"count": a_task("comp-count", n=outer("n"))}, parameters={"n": NUMBER}))

    with pytest.raises(Mistake, match=r"^parameter '\w': (got .*|unknown.*); "):
        bind_arguments(read, given)
