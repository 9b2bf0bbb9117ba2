"""How much Argo has to hand to a pod: the template with all that fills it, in one variable of the environment.

Linux takes 128 KB for one. What is longer Argo would put into a config map, which its own installation does not allow
the controller to make.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from argosy.argo.unsupported import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_BYTES: Final = 120_000
"""Of 131,072; the rest is for values that come up in the run, of a kilobyte at most each."""
GIVEN: Final = re.compile(r"""workflow\.parameters(?:\.(?P<dotted>[-\w]+)|\["(?P<quoted>[-\w]+)"\])""", re.ASCII)
GROWING: Final = re.compile("[<>&\u2028\u2029]")


def require_handed(templates: Iterable[Mapping[str, Any]], parameters: Iterable[Mapping[str, Any]]) -> None:
    """Raise where what the manifest gives to a pod is too much for Argo to hand over.

    Args:
        templates: All of a workflow.
        parameters: Those of the workflow, with their defaults.

    Raises:
        Unsupported: The first such task is named.

    """
    defaults = {each["name"]: _size(each.get("value", "")) for each in parameters}
    pods = {each["name"]: _size(_handed(each)) for each in templates if "container" in each}
    tasks = [task for each in templates if "dag" in each for task in each["dag"]["tasks"]]
    for task in tasks:
        if task["template"] in pods:
            given = [each["value"] for each in task.get("arguments", {}).get("parameters", [])]
            named = [match["dotted"] or match["quoted"] for text in given for match in GIVEN.finditer(text)]
            filled = sum(map(_size, given)) + sum(defaults.get(name, 0) for name in named)
            _require_small(pods[task["template"]] + filled, f"tasks.{task['name']}")


def require_handed_alone(text: str, place: str) -> None:
    """Raise where the text of one value is too much for Argo to hand to any pod.

    Raises:
        Unsupported: It is that long.

    """
    _require_small(_size(text), place)


def _require_small(size: int, place: str) -> None:
    if size > MOST_BYTES:
        raise refusal(place, "size of a pod", f"{size // 1000} KB of at most {MOST_BYTES // 1000}")


def _handed(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Argo leaves of a template: the parameters stand in the arguments of the container already."""
    inputs = {"artifacts": template.get("inputs", {}).get("artifacts", [])}
    return {**template, "inputs": inputs}


def _size(value: Any) -> int:
    """Return the bytes of a value as JSON that Go writes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode()) + 5 * len(GROWING.findall(text))
