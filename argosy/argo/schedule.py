"""Time of a scheduled run: the input `as_of` is what the schedule said, not when a pod came up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from argosy.spec.model import Parameter

if TYPE_CHECKING:
    from argosy.spec.model import Pipeline

AS_OF: Final = "as_of"
INSTANT: Final = 'date(workflow.scheduledTime).UTC().Format("2006-01-02T15:04:05Z")'
DAY: Final = 'date(workflow.scheduledTime).UTC().Format("2006-01-02")'
"""Go writes layouts by this one day. Argo tells the time in the zone of the schedule, and is asked for UTC."""


def takes_schedule(pipeline: Pipeline, name: str) -> bool:
    """Say whether an input of a pipeline is given the time of a schedule."""
    slot = pipeline.inputs.get(name)
    return name == AS_OF and isinstance(slot, Parameter) and slot.type == "STRING"


def scheduled_value(pipeline: Pipeline, name: str) -> str:
    """Return the expression of such an input: what a person gave, else the time, as a day where the default is one."""
    slot = pipeline.inputs[name]
    default = slot.default if isinstance(slot, Parameter) else ""
    time = DAY if re.fullmatch(r"\d{4}-\d\d-\d\d", str(default)) else INSTANT
    given = f"workflow.parameters.{name}"
    return f'({given} != "" ? {given} : toJson({time}))'
