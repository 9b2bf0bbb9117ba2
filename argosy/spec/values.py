"""Values by declared type: numbers made whole again, everything else refused.

A spec went through protocol buffers, where every number is a double: 3 arrives as 3.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from argosy.errors import Mistake
from argosy.launcher.canonical import fault_of, normal_json
from argosy.spec.fields import shorten

if TYPE_CHECKING:
    from argosy.spec.model import JsonValue, Parameter, ParameterType

CALLED: Final[dict[ParameterType, str]] = {
    "NUMBER_INTEGER": "a whole number",
    "NUMBER_DOUBLE": "a finite number",
    "STRING": "a text",
    "BOOLEAN": "true or false",
    "LIST": "a list",
    "STRUCT": "an object",
}


def typed(value: JsonValue, type_: ParameterType, place: str) -> JsonValue:
    """Return a value as its type has it.

    Whole floats become ints for NUMBER_INTEGER and inside LIST and STRUCT.

    Raises:
        Mistake: The value is not of the type, or holds what JSON cannot carry.

    """
    whole = with_whole_numbers(value, place)
    if isinstance(whole, int) and not isinstance(whole, bool) and type_ == "NUMBER_DOUBLE":
        return float(whole)
    if not _has_type(whole, type_):
        raise Mistake(f"{place}: got {shorten(value)}; {CALLED[type_]} ({type_}) is needed here")
    return whole


def typed_for(parameter: Parameter, value: JsonValue, place: str) -> JsonValue:
    """Return a value as its parameter has it; null only where it is optional.

    Raises:
        Mistake: The value is not of the type or not among the parameter's literals.

    """
    if value is None and parameter.optional:
        return None
    result = typed(value, parameter.type, place)
    if parameter.literals and result not in parameter.literals:
        allowed = ", ".join(shorten(literal) for literal in parameter.literals)
        raise Mistake(f"{place}: got {shorten(result)}; allowed: {allowed}")
    return result


def with_whole_numbers(value: JsonValue, place: str) -> JsonValue:
    """Return a value in the form that keys and steps have it in: `normal_json`.

    Raises:
        Mistake: It holds what JSON cannot carry.

    """
    require_json(value, place)
    normal: JsonValue = normal_json(value)
    return normal


def require_json(value: JsonValue, place: str) -> None:
    """Raise where a value holds what JSON cannot carry: NaN, half a character, lists without end.

    Raises:
        Mistake: The message names the place in the value.

    """
    if fault := fault_of(value):
        raise Mistake(place + fault)


def _has_type(value: JsonValue, type_: ParameterType) -> bool:
    match type_:
        case "NUMBER_INTEGER":
            return isinstance(value, int) and not isinstance(value, bool)
        case "NUMBER_DOUBLE":
            return isinstance(value, float)
        case "STRING":
            return isinstance(value, str)
        case "BOOLEAN":
            return isinstance(value, bool)
        case "LIST":
            return isinstance(value, list)
        case "STRUCT":
            return isinstance(value, dict)
