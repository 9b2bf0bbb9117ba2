"""What values mean in a PipelineSpec: how inputs fit, conditions are decided, texts written."""

from __future__ import annotations

import json
import operator
import re
from enum import Enum
from typing import Any

OPERATORS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Nothing(Enum):
    """Why there is no value: nobody gave one, or the task that would have was skipped or failed."""

    ABSENT = "absent"
    MISSING = "missing"


ABSENT, MISSING = Nothing.ABSENT, Nothing.MISSING


class Wrong(Exception):
    """A value does not fit, or a step failed."""


def text_of(value: Any) -> str:
    """Return a value as it stands in a text."""
    if value is None or isinstance(value, Nothing):
        raise Wrong("no value for a text")
    return value if isinstance(value, str) else json.dumps(whole(value), ensure_ascii=False)


def whole(value: Any) -> Any:
    """Return a value with the whole numbers that protocol buffers made floats of, and names in their order."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    return {key: whole(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def fitted(value: Any, slot: dict[str, Any]) -> Any:
    """Return a value as an input has it: of its type, or its default, or nothing where that may be."""
    if value is ABSENT:
        if "defaultValue" in slot:
            return fitted(slot["defaultValue"], slot)
        return _allowed(ABSENT, slot)
    if "artifactType" in slot:
        return _artifacts(value, slot.get("isArtifactList", False))
    return _allowed(None, slot) if value is None else _typed(whole(value), slot["parameterType"])


def _allowed(nothing: Any, slot: dict[str, Any]) -> Any:
    if not slot.get("isOptional") and "defaultValue" not in slot:
        raise Wrong("no value")
    return nothing


def _artifacts(value: Any, is_list: bool) -> Any:
    if isinstance(value, list) and not is_list:
        raise Wrong("one artifact is needed")
    return [value] if is_list and not isinstance(value, list) else value


def _typed(value: Any, kind: str) -> Any:
    if kind == "STRING":
        return text_of(value)
    if kind == "NUMBER_DOUBLE" and type(value) is int:
        return float(value)
    python = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "BOOLEAN": bool, "LIST": list}.get(kind, dict)
    if type(value) is not python:
        raise Wrong(f"{value} is no {kind}")
    return value


def holds(text: str, given: dict[str, Any]) -> bool:
    """Decide a condition of made specs, which are comparisons, `!( )` and `&&` between two."""
    first, _, second = text.partition(" && ")
    if second and not text.startswith("!("):
        return holds(first, given) and holds(second, given)
    if text.startswith("!("):
        return not holds(text[2:-1], given)
    left, sign, right = text.split(" ", 2)
    return bool(OPERATORS[sign](_operand(left, given), _operand(right, given)))


def _operand(text: str, given: dict[str, Any]) -> Any:
    if text.startswith(("int(", "double(")):
        return (int if text.startswith("int") else float)(_operand(text[text.index("(") + 1 : -1], given))
    if match := re.fullmatch(r"inputs\.parameter_values\['(.+)'\]", text):
        value = given[match[1]]
        if value is None or isinstance(value, Nothing | list | dict):
            raise Wrong(f"{value} cannot be compared")
        return value
    return text[1:-1] if text.startswith("'") else json.loads(text)


def parsed(value: Any) -> Any:
    """Return what a JSON text holds, and any other value as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def field_of(value: Any) -> Any:
    """Return the field `a` of an object, which may be given as JSON text."""
    value = parsed(value)
    if not isinstance(value, dict) or "a" not in value:
        raise Wrong("no such field")
    return value["a"]
