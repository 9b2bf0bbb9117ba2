"""Specs with groups: conditions, loops and nested pipelines of steps that all have one component."""

from argosy.spec.read import read_pipeline
from tests.fakes.specs import a_component, a_condition_task, a_group, a_parameter, a_spec, a_task, an_artifact

FLAG = {"flag": a_parameter()}
STEP = a_component("exec-step", inputs={"text": a_parameter(isOptional=True)}, outputs={"Output": a_parameter()})


def is_yes(name):
    """Return the condition that an input is yes."""
    return f"inputs.parameter_values['{name}'] == 'yes'"


def a_step(*after, **inputs):
    """Return a task of a component that gives a text, and may be given one."""
    return {**a_task("comp-step", **inputs), "dependentTasks": list(after)}


def a_branch(component, flag, *after):
    """Return the task of a group that runs where `flag`, given by this source, is yes."""
    return {**a_condition_task(component, is_yes("flag"), flag=flag), "dependentTasks": list(after)}


ITEM = "pipelinechannel--item"
LISTS = a_component("exec-list", outputs={"Output": a_parameter("LIST"), "files": an_artifact(isArtifactList=True)})


def a_loop(component, items="[1, 2]", *after, artifacts=False, limit=0, **inputs):
    """Return the task of a loop: over a list in JSON, or over one of its inputs."""
    kind, word = ("artifactIterator", "inputArtifact") if artifacts else ("parameterIterator", "inputParameter")
    source = {"raw": items} if items.startswith("[") else {word: items}
    iterator = {kind: {"itemInput": ITEM, "items": source}, "iteratorPolicy": {"parallelismLimit": limit}}
    return {**a_task(component, **inputs), **iterator, "dependentTasks": list(after)}


def a_round(tasks, inputs=None, outputs=None):
    """Return the component of a loop over values."""
    return a_group(tasks, inputs={ITEM: a_parameter(), **(inputs or {})}, outputs=outputs)


def pipeline(tasks, **groups):
    """Read a pipeline of tasks and of components by their names, without `comp-`."""
    components = {"comp-step": STEP, "comp-list": LISTS, **{f"comp-{name}": group for name, group in groups.items()}}
    parameters = {"answer": a_parameter(), "other": a_parameter(), "numbers": a_parameter("LIST")}
    return read_pipeline(a_spec(tasks, components, parameters=parameters))


def by_name(found):
    """Return the tasks of a pipeline by name."""
    return {task.name: task for task in found.tasks}
