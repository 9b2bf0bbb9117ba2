"""Workflows of small programs, made by hand: what runs them is asked, not what compiles them."""

API = "argoproj.io/v1alpha1"
OUTPUT = {"parameters": [{"name": "number", "valueFrom": {"path": "/tmp/outputs/number"}}]}  # noqa: S108  # a pod's


def a_program(name, code, *, outputs=True, **more):
    """Return a template whose program gets the folder for outputs and its input, `number`."""
    return {
        "name": name,
        "inputs": {"parameters": [{"name": "number", "default": "1"}]},
        **({"outputs": OUTPUT} if outputs else {}),
        "container": {
            "image": "python:3.11",
            "command": ["python3", "-c", f"import os, sys\nfolder, number = sys.argv[1:]\n{code}"],
            "args": ["/tmp/outputs", "{{inputs.parameters.number}}"],  # noqa: S108
            "env": [{"name": "POD", "value": "{{pod.name}}"}, {"name": "NODE", "value": "{{node.name}}"}],
        },
        **more,
    }


DOUBLE = 'os.mkdir(folder)\nopen(f"{folder}/number", "w").write(str(2 * int(number)))\nprint(os.environ["POD"])'
RETRIED = {"retryStrategy": {"limit": "1", "retryPolicy": "Always"}}


def a_task(name, template, depends="", number="3", **more):
    given = {"arguments": {"parameters": [{"name": "number", "value": number}]}} if number else {}
    return {"name": name, "template": template, **({"depends": depends} if depends else {}), **given, **more}


def a_workflow(*tasks, templates=(), name="small"):
    main = {"name": "main", "dag": {"failFast": False, "tasks": list(tasks)}}
    return {
        "apiVersion": API,
        "kind": "Workflow",
        "metadata": {"name": name, "labels": {"pipeline": "small"}},
        "spec": {
            "entrypoint": "main",
            "podGC": {"strategy": "OnPodSuccess"},
            "templates": [main, a_program("double", DOUBLE, **RETRIED), *templates],
        },
    }


CHAIN = a_workflow(
    a_task("first", "double"),
    a_task("second", "double", "first.Succeeded", "{{tasks.first.outputs.parameters.number}}"),
)

WAIT = """
import time
print("waiting", flush=True)
while not os.path.exists(os.path.join(os.environ["WHERE"], "go")):
    time.sleep(0.01)
"""
