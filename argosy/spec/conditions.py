"""Conditions of tasks.

Their types are checked when the spec is read, their values when the plan runs.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final, Literal

from argosy.errors import Mistake
from argosy.spec.cel import parse_expression
from argosy.spec.model import (
    ChannelOperand,
    Comparison,
    Condition,
    Conjunction,
    Expression,
    LiteralOperand,
    Negation,
    Operand,
    Operator,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from argosy.spec.model import Cast, JsonValue, ParameterType

Family = Literal["number", "text", "truth value"]
COMPARE: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
FAMILIES: Final[dict[ParameterType, Family]] = {
    "NUMBER_INTEGER": "number",
    "NUMBER_DOUBLE": "number",
    "STRING": "text",
    "BOOLEAN": "truth value",
}


def read_expression(text: str, types: Mapping[str, ParameterType], place: str) -> Expression:
    """Parse a condition and check its types.

    Args:
        text: CEL as kfp writes it.
        types: The types of the channels that the condition may name.
        place: Where the condition stands in the spec.

    Raises:
        Mistake: The text is outside the grammar, names an unknown channel, or compares values of two types.

    """
    expression = parse_expression(text, place)
    for comparison in comparisons(expression):
        _require_one_family(comparison, types, place)
    return expression


def channel_names(expression: Expression) -> list[str]:
    """Return the names of the channels of an expression, sorted."""
    operands = [side for found in comparisons(expression) for side in (found.left, found.right)]
    return sorted({operand.name for operand in operands if isinstance(operand, ChannelOperand)})


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """Yield the comparisons of an expression from left to right."""
    match expression:
        case Comparison():
            yield expression
        case Negation(operand):
            yield from comparisons(operand)
        case Conjunction(operands):
            for operand in operands:
                yield from comparisons(operand)


def evaluate(condition: Condition, values: Mapping[str, JsonValue]) -> bool:
    """Decide a condition.

    Args:
        condition: A condition of a task.
        values: The values of `condition.channels`, by channel name.

    Raises:
        Mistake: A value is missing or of another type than what it is compared with.

    """
    return _holds(condition.expression, values, condition.text)


def _holds(expression: Expression, values: Mapping[str, JsonValue], text: str) -> bool:
    match expression:
        case Conjunction(operands):
            return all(_holds(operand, values, text) for operand in operands)
        case Negation(operand):
            return not _holds(operand, values, text)
        case Comparison(sign, left, right):
            sides = _value(left, values, text), _value(right, values, text)
            if _family(sides[0]) != _family(sides[1]):
                raise Mistake(f"condition {text}: got {sides[0]!r} and {sides[1]!r}, which do not compare")
            return COMPARE[sign](*sides)


def _value(operand: Operand, values: Mapping[str, JsonValue], text: str) -> bool | int | float | str:
    if isinstance(operand, LiteralOperand):
        return operand.value
    value = values.get(operand.name)
    if value is None or isinstance(value, list | dict):
        raise Mistake(f"condition {text}: {operand.name} is {value!r}; a number, text or truth value is needed")
    for cast in operand.casts:
        value = _cast(cast, value, text)
    return value


def _cast(cast: Cast, value: bool | int | float | str, text: str) -> int | float:
    try:
        return float(value) if cast == "double" else int(value)
    except ValueError as error:
        raise Mistake(f"condition {text}: {cast}({value!r}) is no number") from error


def _family(value: bool | int | float | str) -> Family:
    if isinstance(value, bool):
        return "truth value"
    return "text" if isinstance(value, str) else "number"


def _require_one_family(comparison: Comparison, types: Mapping[str, ParameterType], place: str) -> None:
    left, right = (_declared_family(side, types, place) for side in (comparison.left, comparison.right))
    if left != right:
        raise Mistake(
            f"{place}: a {left} is compared with a {right}; compare values of one type, "
            "for example `flag == True` for a bool and `count > 3` for an int"
        )


def _declared_family(operand: Operand, types: Mapping[str, ParameterType], place: str) -> Family:
    if isinstance(operand, LiteralOperand):
        return _family(operand.value)
    if operand.name not in types:
        raise Mistake(f"{place}: {operand.name!r} is not an input; inputs here: {', '.join(types) or 'none'}")
    family = FAMILIES.get(types[operand.name])
    if family is None:
        raise Mistake(f"{place}: {operand.name!r} is a {types[operand.name]}; only numbers, texts and bools compare")
    if operand.casts and family == "truth value":
        raise Mistake(f"{place}: {operand.name!r} is a bool, which has no {operand.casts[0]}(); compare it with True")
    return "number" if operand.casts else family
