"""Conditions as `when` of a DAG task: expr-lang over typed values, never bare words, which Argo takes for texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.argo.expressions import as_expression, called, pieces_of, quoted
from argosy.argo.unsupported import refusal
from argosy.spec.model import (
    ChannelOperand,
    Comparison,
    Conjunction,
    Constant,
    FieldOf,
    FirstOf,
    Known,
    LoopItem,
    Negation,
    Parameter,
    PipelineInput,
    TaskOutput,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.argo.expressions import Reader
    from argosy.errors import Unsupported
    from argosy.spec.model import Condition, Expression, JsonValue, Operand, Slot, Source

FUNCTIONS = {"int": "int", "double": "float"}


def when(conditions: Sequence[Condition], reader: Reader, choices: Sequence[FirstOf] = ()) -> str | None:
    """Return the field of a DAG task; None where it has no conditions.

    Args:
        conditions: The conditions of the plan.
        reader: The task.
        choices: What has to be there: the task is skipped where none of several was taken.

    """
    texts = [f'{as_expression(pieces_of(choice, reader))} != ""' for choice in choices]
    texts += [_expression(condition.expression, condition.channels, reader) for condition in conditions]
    if not texts:
        return None
    joined = texts[0] if len(texts) == 1 else " && ".join(f"({text})" for text in texts)
    return f"{{{{= {joined} }}}}"


def _expression(expression: Expression, channels: Mapping[str, Source], reader: Reader) -> str:
    match expression:
        case Comparison(sign, left, right):
            return f"{_operand(left, channels, reader)} {sign} {_operand(right, channels, reader)}"
        case Negation(operand):
            return f"!({_expression(operand, channels, reader)})"
        case Conjunction(operands):
            return " && ".join(_expression(operand, channels, reader) for operand in operands)


def _operand(operand: Operand, channels: Mapping[str, Source], reader: Reader) -> str:
    if not isinstance(operand, ChannelOperand):
        return literal(operand.value, reader)
    source = channels[operand.name]
    text = value_of(source, reader)
    # A number is one already; and Go's int would overflow where the number is large.
    casts = () if declared_type(source, reader) == "NUMBER_INTEGER" else operand.casts
    for cast in casts:
        text = f"{FUNCTIONS[cast]}({text})"
    return text


def declared_type(source: Source, reader: Reader) -> str:
    """Return the declared type of a source; empty where there is none."""
    slot: Slot | None = None
    if isinstance(source, TaskOutput):
        slot = reader.scopes.tasks[source.task].component.outputs.get(source.output)
    elif isinstance(source, PipelineInput):
        slot = reader.scopes.pipeline.inputs.get(source.name)
    return slot.type if isinstance(slot, Parameter) else ""


def literal(value: JsonValue, reader: Reader) -> str:
    """Return a number, text or truth value in expr-lang."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case int() | float():
            return repr(value)
    raise _refused(reader, str(value))


def value_of(source: Source, reader: Reader) -> str:
    """Return the expression of a source's value, of its own type."""
    match source:
        case Constant(value):
            return literal(value, reader)
        case Known(entry):
            return literal(entry.value if entry else None, reader)
        case FieldOf(inner, name):
            whole = value_of(inner, reader)
            return f'(type({whole}) == "string" ? fromJSON({whole}) : {whole})[{quoted(name)}]'
        case TaskOutput() | FirstOf() if reader.scopes.depth(source, reader.path):
            raise _refused(reader, called(source))
        case TaskOutput() | LoopItem() | FirstOf() | PipelineInput():
            text = f"fromJSON({as_expression(pieces_of(source, reader))})"
            return f"fromJSON({text}.value)" if reader.scopes.is_measured(source) else text
    raise _refused(reader, called(source))


def _refused(reader: Reader, got: str) -> Unsupported:
    """Return the error for a condition that Argo cannot read."""
    return refusal(f"tasks.{reader.name}.triggerPolicy.condition", "condition", got)
