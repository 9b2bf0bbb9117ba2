"""What comes up in the run and stands in fields of a pod: names of secrets, amounts of resources.

Each such channel of a task is an input of its template. Only Kubernetes reads it, so its text is plain and no JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.conditions import declared_type, value_of
from argosy.argo.names import slug, unique
from argosy.argo.unsupported import refusal
from argosy.spec.model import Constant, FieldOf, FirstOf, LoopItem, PipelineInput, TaskOutput
from argosy.spec.platform import runtime_sources
from argosy.spec.templates import CHANNEL

if TYPE_CHECKING:
    from argosy.argo.expressions import Reader
    from argosy.spec.model import Source, Task

CONSTRUCT: Final = "name that comes up in the run"


def channel_inputs(task: Task) -> dict[str, str]:
    """Return the name of the template's input for each channel of a task's pod."""
    found: dict[str, str] = {}
    for channel in task.channels:
        wanted = f"pod-{slug(channel.removeprefix('pipelinechannel--'))}"
        found[channel] = unique(wanted, [*task.component.inputs, *found.values()])
    return found


def channel_arguments(task: Task, reader: Reader) -> dict[str, str]:
    """Return what a task of a DAG gives to the channels of its pod."""
    return {name: _plain(task.channels[channel], reader) for channel, name in channel_inputs(task).items()}


def named(given: Any, task: Task, place: str) -> str:
    """Return a name that a platform spec gives as a constant or takes from the run.

    Args:
        given: The `InputParameterSpec`.
        task: The task whose pod it is for.
        place: The field, for messages.

    Raises:
        Unsupported: Nobody gives it.

    """
    constant = (given.get("runtimeValue") or {}).get("constant")
    if constant:
        return with_tags(str(constant), task)
    for source in runtime_sources([given]):
        channel = f"{source.task}.{source.output}" if isinstance(source, TaskOutput) else source.name
        if channel in task.channels:
            return _tag(channel, task)
    raise refusal(f"tasks.{task.name}.{place}", CONSTRUCT)


def with_tags(text: str, task: Task) -> str:
    """Return a text of the platform whose placeholders are tags of Argo."""
    return CHANNEL.sub(lambda found: _tag(found["name"] or f"$.{found['run']}", task), text)


def _tag(channel: str, task: Task) -> str:
    return f"{{{{inputs.parameters.{channel_inputs(task)[channel]}}}}}"


def _plain(source: Source, reader: Reader) -> str:
    match source:
        case Constant(value) if isinstance(value, str | int | float) and "{{" not in str(value):
            return str(value)
        case TaskOutput() | FirstOf() if reader.scopes.depth(source, reader.path):
            raise _refused(reader)
        case TaskOutput() | FirstOf() | LoopItem() | PipelineInput() | FieldOf():
            text = value_of(source, reader)
            is_text = declared_type(source, reader) == "STRING"
            return f"{{{{={text}}}}}" if is_text else f'{{{{=type({text}) == "string" ? {text} : toJson({text})}}}}'
    raise _refused(reader)


def _refused(reader: Reader) -> Exception:
    return refusal(f"tasks.{reader.name}", CONSTRUCT, "a text made of values, or what is collected of a loop")
