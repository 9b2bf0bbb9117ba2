"""What the plan does not carry yet: the reason, and what to write instead."""

from __future__ import annotations

from typing import Final, NoReturn

from argosy.errors import Unsupported

REFUSALS: Final = {
    "task config passthrough": ("a step is keyed without its pod", "give what the step needs as a parameter"),
    "container hook": ("lifecycle hooks are not run", "do the check inside the step"),
    "custom executor": ("only containers are run", "write the step as a component with an image"),
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
