"""Plans of small Python components, made without kfp, and runs of them in a lab."""

from argosy.local.runner import Run, run_tasks
from argosy.spec.model import (
    ArtifactSlot,
    ChannelOperand,
    Comparison,
    Component,
    Condition,
    Constant,
    Declaration,
    Executor,
    LiteralOperand,
    Parameter,
    Pipeline,
    Start,
    Task,
    TaskOutput,
)
from tests.fakes.launching import source_of


def a_task(name, code, *, inputs=None, outputs=None, after=(), **more):
    """Return a task that calls the function `step` of a text.

    An input is a value, or a (task, output) pair; both kinds of upstream tasks are waited for.
    """
    given = {key: source(value) for key, value in (inputs or {}).items()}
    upstream = [each.task for each in given.values() if isinstance(each, TaskOutput)]
    declared = {
        key: slot(key, kind) for key, kind in ({"Output": "NUMBER_INTEGER"} if outputs is None else outputs).items()
    }
    begun = {word: more.pop(word) for word in ("tolerates", "survives", "conditions") if word in more}
    executor = Executor("python:3.11", source=source_of(code), function="step", env=more.pop("env", {}))
    declaration = Declaration(**more.pop("declared", {}))
    component = Component(name, {}, declared, executor, declaration)
    waits = Start(after=tuple(dict.fromkeys([*upstream, *after])), **begun)
    return Task(name, component, given, waits, **more)


def source(value):
    """Return the source of an input."""
    return TaskOutput(*value) if isinstance(value, tuple) else Constant(value)


def slot(name, kind):
    """Return an output slot: `system.*` are artifacts, the rest parameters."""
    return ArtifactSlot(name, kind) if kind.startswith("system.") else Parameter(name, kind)


def holds(task, output, value):
    """Return the condition that an output equals a value."""
    expression = Comparison("==", ChannelOperand("it"), LiteralOperand(value))
    return Condition(f"{task}.{output} == {value}", expression, {"it": TaskOutput(task, output)})


def a_plan(*tasks, name="small"):
    """Return a pipeline of tasks, which stand in topological order."""
    return Pipeline(name, "", {}, tasks)


def start(lab, *tasks, name="small", **changes):
    """Return a run of tasks in a lab that has not begun."""
    return Run(a_plan(*tasks, name=name), {}, lab.context(**changes))


def run(lab, *tasks, concurrency=2, **changes):
    """Run tasks in a lab to their end."""
    begun = start(lab, *tasks, **changes)
    run_tasks(begun, concurrency=concurrency)
    return begun


def statuses(ended):
    """Return how each task of a run ended."""
    return {name: outcome.status for name, outcome in ended.outcomes.items()}
