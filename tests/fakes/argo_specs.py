"""Small pipelines, one for each construct, whose manifests are compared as whole documents.

`python -m tests.fakes.argo_specs` writes the documents anew, for a person to read line by line.
"""

import sys
from pathlib import Path
from typing import Any

from argosy.argo.emit import emit
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pod_specs import POD_CONSTRUCTS
from tests.fakes.specs import (
    a_component,
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
)

GOLDENS = Path(__file__).parents[1] / "golden" / "argo"
COUNT = "def count(n: int) -> int:\n    return n + 1\n"
LIST = "def spread(n: int) -> list:\n    return list(range(n))\n"
SAY = "def say(text: str, note: str = 'none') -> str:\n    return text\n"
WRITE = "def write(text: str, file: Output[Dataset]):\n    with open(file.path, 'w') as out:\n        out.write(text)\n"
TOTAL = "def total(numbers: list) -> int:\n    return sum(numbers)\n"
MEASURE = "def measure(file: Input[Dataset]) -> float:\n    return 0.5\n"
NUMBER, TEXT, NUMBERS = a_parameter("NUMBER_INTEGER"), a_parameter(), a_parameter("LIST")
ITEM = "pipelinechannel--item"
ENDED = {"triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}}
COMPONENTS = {
    "comp-count": a_component("exec-count", inputs={"n": NUMBER}, outputs={"Output": NUMBER}),
    "comp-spread": a_component("exec-spread", inputs={"n": NUMBER}, outputs={"Output": NUMBERS}),
    "comp-say": a_component(
        "exec-say",
        inputs={"text": TEXT, "note": a_parameter(defaultValue="none", isOptional=True)},
        outputs={"Output": TEXT},
    ),
    "comp-write": a_component("exec-write", inputs={"text": TEXT}, outputs={"file": an_artifact()}),
    "comp-total": a_component("exec-total", inputs={"numbers": NUMBERS}, outputs={"Output": NUMBER}),
    "comp-measure": a_component(
        "exec-measure", inputs={"file": an_artifact()}, outputs={"Output": a_parameter("NUMBER_DOUBLE")}
    ),
    "comp-report": a_component(
        "exec-report", inputs={"status": a_parameter("TASK_FINAL_STATUS"), "text": a_parameter(isOptional=True)}
    ),
}
EXECUTORS = {
    "exec-count": a_lightweight(COUNT, "count"),
    "exec-spread": a_lightweight(LIST, "spread"),
    "exec-say": a_lightweight(SAY, "say"),
    "exec-write": a_lightweight(WRITE, "write"),
    "exec-total": a_lightweight(TOTAL, "total"),
    "exec-measure": a_lightweight(MEASURE, "measure", env=[{"name": "ARGOSY_MEASUREMENTS", "value": '["Output"]'}]),
    "exec-report": a_lightweight(
        "def report(status: PipelineTaskFinalStatus, text: str = ''):\n    print(status.state, text)\n", "report"
    ),
}


def a_dag(tasks: dict[str, Any], *, inputs: Any = None, outputs: Any = None) -> dict[str, Any]:
    """Return a component that is a DAG; `outputs` are (task, output, slot) by name."""
    selected = {
        name: {"valueFromParameter": {"producerSubtask": task, "outputParameterKey": key}}
        for name, (task, key, _) in (outputs or {}).items()
    }
    slots = {name: slot for name, (_, _, slot) in (outputs or {}).items()}
    dag = {"tasks": tasks, "outputs": {"parameters": selected}}
    return {"dag": dag, "inputDefinitions": definitions(inputs), "outputDefinitions": definitions(slots)}


def pipeline(tasks: dict[str, Any], *, parameters: Any = None, outputs: Any = None, **groups: Any) -> dict[str, Any]:
    """Return a spec of tasks and of groups by their names, without `comp-`; `outputs` are those of `a_dag`."""
    components = {**COMPONENTS, **{f"comp-{name.replace('_', '-')}": group for name, group in groups.items()}}
    used = {name: one for name, one in components.items() if name in str([tasks, groups])}
    executors = {one["executorLabel"]: EXECUTORS[one["executorLabel"]] for one in used.values() if "dag" not in one}
    spec = a_spec(tasks, used, parameters=parameters, executors=executors)
    root = a_dag(tasks, outputs=outputs)
    spec["root"] |= {"dag": root["dag"], "outputDefinitions": root["outputDefinitions"]}
    return spec


def a_loop(component: str, over: dict[str, Any], /, *, limit: int = 0, **inputs: Any) -> dict[str, Any]:
    """Return the task of a loop."""
    iterator = {"itemInput": ITEM, "items": over}
    return {**a_task(component, **inputs), "parameterIterator": iterator, "iteratorPolicy": {"parallelismLimit": limit}}


def when(task: dict[str, Any], condition: str) -> dict[str, Any]:
    """Return a task with a condition."""
    return {**task, "triggerPolicy": {"condition": condition}}


CHAIN = pipeline(
    {
        "count": a_task("comp-count", n=outer("n")),
        "count-2": a_task("comp-count", n=output_of("count")),
        "write": a_task("comp-write", text=outer("text")),
        "measure": a_task("comp-measure", file=artifact_of("write", "file")),
        "say": a_task("comp-say", text=constant("{{braces}} \"quotes\" 'and' é\n"), note=outer("text")),
    },
    parameters={
        "n": a_parameter("NUMBER_INTEGER", defaultValue=3.0, isOptional=True),
        "text": TEXT,
    },
    outputs={"number": ("count-2", "Output", NUMBER)},
)
BRANCHES = {
    "comp-one": a_dag(
        {"say-yes": a_task("comp-say", text=constant("yes"))},
        inputs={"number": NUMBER},
        outputs={"said": ("say-yes", "Output", TEXT)},
    ),
    "comp-other": a_dag(
        {"say-no": a_task("comp-say", text=constant("no"))},
        inputs={"number": NUMBER},
        outputs={"said": ("say-no", "Output", TEXT)},
    ),
}
EITHER = {
    "dag": {
        "tasks": {
            "one": when(a_task("comp-one", number=outer("number")), "int(inputs.parameter_values['number']) > 3"),
            "other": when(
                a_task("comp-other", number=outer("number")), "!(int(inputs.parameter_values['number']) > 3)"
            ),
        },
        "outputs": {
            "parameters": {
                "said": {
                    "valueFromOneof": {
                        "parameterSelectors": [
                            {"producerSubtask": "one", "outputParameterKey": "said"},
                            {"producerSubtask": "other", "outputParameterKey": "said"},
                        ]
                    }
                }
            }
        },
    },
    "inputDefinitions": definitions({"number": NUMBER}),
    "outputDefinitions": definitions({"said": TEXT}),
}
CONDITION = pipeline(
    {
        "count": a_task("comp-count", n=constant(3)),
        "either": a_task("comp-either", number=output_of("count")),
        "say": a_task("comp-say", text=output_of("either", "said")),
    },
    either=EITHER,
    one=BRANCHES["comp-one"],
    other=BRANCHES["comp-other"],
)
COUNTED = a_dag(
    {"count": a_task("comp-count", n=outer(ITEM))},
    inputs={ITEM: NUMBER},
    outputs={"counted": ("count", "Output", NUMBERS)},
)
LOOP = pipeline(
    {
        "loop": a_loop("comp-round", {"raw": '[1, "two", {"a": null}]'}, limit=2),
        "total": a_task("comp-total", numbers=output_of("loop", "counted")),
    },
    outputs={"numbers": ("loop", "counted", NUMBERS)},
    round=COUNTED,
)
LOOP_OVER_RESULT = pipeline(
    {
        "spread": a_task("comp-spread", n=outer("n")),
        "loop": a_loop("comp-round", {"inputParameter": "items"}, items=output_of("spread"), text=outer("text")),
    },
    parameters={"n": NUMBER, "text": TEXT},
    round=a_dag(
        {
            "count": a_task("comp-count", n=outer(ITEM)),
            "say": a_task("comp-say", text=outer("text"), note=output_of("count")),
        },
        inputs={ITEM: NUMBER, "items": NUMBERS, "text": TEXT},
    ),
)
LOOP_IN_LOOP = pipeline(
    {
        "loop": a_loop("comp-outer", {"inputParameter": "items"}, items=outer("items")),
        "say": a_task("comp-say", text=output_of("loop", "all")),
    },
    parameters={"items": NUMBERS},
    outer=a_dag(
        {"inner": a_loop("comp-inner", {"raw": "[1]"}, around=outer(ITEM))},
        inputs={ITEM: NUMBER, "items": NUMBERS},
        outputs={"all": ("inner", "counted", NUMBERS)},
    ),
    inner=a_dag(
        {"count": a_task("comp-count", n=outer(ITEM)), "count-2": a_task("comp-count", n=outer("around"))},
        inputs={ITEM: NUMBER, "around": NUMBER},
        outputs={"counted": ("count", "Output", NUMBERS)},
    ),
)
EXIT_HANDLER = pipeline(
    {
        "body": a_task("comp-body"),
        "report": {
            **a_task("comp-report", status={"taskFinalStatus": {"producerTask": "body"}}),
            "dependentTasks": ["body"],
            **ENDED,
        },
    },
    body=a_dag({"count": a_task("comp-count", n=constant(1)), "spread": a_task("comp-spread", n=output_of("count"))}),
)
TEXT_OF_VALUES = pipeline(
    {
        "count": a_task("comp-count", n=constant(1)),
        "say": a_task(
            "comp-say",
            text=constant("{{$.inputs.parameters['pipelinechannel--count-Output']}} of {{$.pipeline_job_name}}"),
            **{"pipelinechannel--count-Output": output_of("count")},
        ),
    }
)
MEASUREMENT = pipeline(
    {
        "write": a_task("comp-write", text=constant("x")),
        "measure": a_task("comp-measure", file=artifact_of("write", "file")),
        "judge": when(a_task("comp-judge", seconds=output_of("measure")), "inputs.parameter_values['seconds'] < 1.5"),
    },
    judge=a_dag({"say": a_task("comp-say", text=constant("fast"))}, inputs={"seconds": a_parameter("NUMBER_DOUBLE")}),
)
RETRY = pipeline(
    {
        "count": {
            **a_task("comp-count", n=constant(1)),
            "retryPolicy": {
                "maxRetryCount": 3, "backoffDuration": "10s", "backoffFactor": 2.0, "backoffMaxDuration": "60s",
            },
            "cachingOptions": {},
        },
    }
)  # fmt: skip
PROGRAM = a_spec(
    {"shout": a_task("comp-shout", text=constant("x"))},
    {"comp-shout": a_component("exec-shout", inputs={"text": TEXT}, outputs={"said": TEXT})},
    executors={
        "exec-shout": a_container(
            command=["python3", "-c", "import sys; open(sys.argv[2], 'w').write(sys.argv[1])"],
            args=["{{$.inputs.parameters['text']}}", "{{$.outputs.parameters['said'].output_file}}"],
            env=[{"name": "LEVEL", "value": "3"}],
        )
    },
)
POD = {
    "pipeline_spec": {
        **pipeline({"count": a_task("comp-count", n=constant(1))}),
        "deploymentSpec": {
            "executors": {
                "exec-count": {
                    "container": {
                        **EXECUTORS["exec-count"]["container"],
                        "resources": {
                            "resourceCpuLimit": "2", "resourceMemoryLimit": "4Gi", "resourceMemoryRequest": "1Gi",
                            "accelerator": {"resourceType": "nvidia.com/gpu", "resourceCount": "1"},
                        },
                    }
                }
            }
        },
    },
    "platform_spec": {
        "platforms": {
            "kubernetes": {
                "deploymentSpec": {
                    "executors": {
                        "exec-count": {
                            "activeDeadlineSeconds": 600,
                            "nodeSelector": {"labels": {"disk": "fast"}},
                            "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
                            "podMetadata": {"labels": {"team": "ml"}, "annotations": {"note": "yes"}},
                            "imagePullPolicy": "IfNotPresent",
                            "imagePullSecret": [{"secretName": "registry"}],
                            "secretAsEnv": [
                                {
                                    "secretName": "database",
                                    "keyToEnv": [{"secretKey": "password", "envVar": "PASSWORD"}],
                                }
                            ],
                            "configMapAsVolume": [{"configMapName": "tables", "mountPath": "/tables"}],
                            "emptyDirMounts": [{"volumeName": "scratch", "mountPath": "/scratch", "sizeLimit": "1Gi"}],
                        }
                    }
                },
                "pipelineConfig": {"resourceTtlOnCompletion": 3600},
            }
        }
    },
}  # fmt: skip
CONSTRUCTS: dict[str, dict[str, Any]] = {
    "chain": CHAIN,
    "condition": CONDITION,
    "loop": LOOP,
    "loop-over-result": LOOP_OVER_RESULT,
    "loop-in-loop": LOOP_IN_LOOP,
    "exit-handler": EXIT_HANDLER,
    "text-of-values": TEXT_OF_VALUES,
    "measurement": MEASUREMENT,
    "retry": RETRY,
    "program": PROGRAM,
    "pod": POD,
    **POD_CONSTRUCTS,
}

KINDS = {
    "Workflow": Wanted(),
    "WorkflowTemplate": Wanted("WorkflowTemplate"),
    "CronWorkflow": Wanted("CronWorkflow", schedule="0 6 * * *"),
}


def document(name: str) -> str:
    """Return the manifest of a construct."""
    return emit(manifest(read_pipeline(CONSTRUCTS[name]), Wanted(lock="requirements.lock")))


def main() -> int:
    """Write all documents."""
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for name in CONSTRUCTS:
        (GOLDENS / f"{name}.yaml").write_text(document(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
