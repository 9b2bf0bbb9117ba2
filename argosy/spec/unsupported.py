"""What the plan does not carry yet: the reason, and what to write instead."""

from __future__ import annotations

from typing import Final, NoReturn

from argosy.errors import Unsupported

REFUSALS: Final = {
    "loop over parameters": (
        "dsl.ParallelFor is not planned yet",
        "call the component once per item in a Python `for`, which unrolls at compile time",
    ),
    "loop over artifacts": (
        "dsl.ParallelFor over artifacts is not planned yet",
        "give the list to one step, or call the component once per artifact",
    ),
    "expression on a loop item": (
        "it selects a field of a loop's item, and loops are not planned yet",
        "pass the field itself as a parameter",
    ),
    "nested pipeline": (
        "a pipeline inside a pipeline is not planned yet",
        "call its components from the outer pipeline, through a plain Python function",
    ),
    "OneOf": (
        "dsl.OneOf is not planned yet",
        "let each branch end in its own step, or choose inside one step",
    ),
    "exit handler": (
        "tasks that run whatever came before (dsl.ExitHandler, ignore_upstream_failure) are not planned yet",
        "clean up inside the step that makes the mess",
    ),
    "final status input": (
        "dsl.PipelineTaskFinalStatus belongs to exit handlers, which are not planned yet",
        "let the step return a verdict as a value",
    ),
    "importer": (
        "dsl.importer would bring in bytes that no key covers",
        'write an observe component (kind="observe") that returns the digest of what it sees',
    ),
    "list of artifacts": (
        "artifact lists (List[Dataset], dsl.Collected) are not planned yet",
        "write several files into one artifact's folder",
    ),
    "artifact input of a pipeline": (
        "a run takes parameters, not artifacts",
        "let the first task read it by its path or URI, given as a parameter",
    ),
    "workspace": (
        "a volume that steps share defeats the keys of the steps",
        "pass files between steps as artifacts",
    ),
    "task config passthrough": ("a step is keyed without its pod", "give what the step needs as a parameter"),
    "retry of a group": ("only a task can be retried", "set the retry on the tasks inside the group"),
    "container hook": ("lifecycle hooks are not run", "do the check inside the step"),
    "custom executor": ("only containers are run", "write the step as a component with an image"),
    "missing command": (
        "the entry point of an image is not known without pulling it",
        "write the command of the container into the component",
    ),
    "image chosen at run time": (
        "the image is part of what identifies a step",
        "write the image into the component",
    ),
    "storage claim": (
        "a volume that steps share defeats the keys of the steps",
        "pass files between steps as artifacts",
    ),
    "secret, config map or pod field": (
        "values from the cluster are no part of a step's key and do not exist on this machine",
        "declare the variable with `@step(env=[...])` and set it where the step runs",
    ),
    "mounted volume": (
        "mounts do not exist on this machine",
        "pass files between steps as artifacts; scratch space is the current folder",
    ),
    "init container": ("only the step's own container is run", "do its work inside the step"),
    "platform value known at run time": (
        "placement is decided before the run",
        "write the value itself in the pipeline",
    ),
    "other platform": ("only the platform `kubernetes` is known", "remove the platform's settings"),
    "platform part of a component": (
        "platform settings are read from the platform spec only",
        "compile with a kfp of 2.17 or newer",
    ),
    "placeholder of the run": (
        "a value that differs from run to run makes the step new in each",
        "give the value as a pipeline parameter",
    ),
    "schema version": ("only PipelineSpec 2.1.0 is read", "compile the pipeline with kfp 2"),
}


def refuse(place: str, construct: str, got: str = "") -> NoReturn:
    """Raise for a construct that has its row in the table."""
    reason, instead = REFUSALS[construct]
    name = f"{construct} ({got})" if got else construct
    raise Unsupported(f"{place}: {name}: unsupported: {reason}; {instead}")
