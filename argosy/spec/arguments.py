"""Bind what a caller gave to the parameters of a pipeline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.spec.fields import did_you_mean, shorten
from argosy.spec.model import ABSENT, Absent, ArtifactSlot, JsonValue, Parameter, ParameterType, Pipeline
from argosy.spec.values import CALLED, typed_for

if TYPE_CHECKING:
    from collections.abc import Mapping


def bind_arguments(pipeline: Pipeline, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a value for every parameter that was given or has a default, and the texts given for artifacts.

    A text that is given to a parameter of another type is parsed: `3`, `0.5`, `true`, or JSON for lists and
    objects. An optional input without a default, not given, is not in the result.

    Raises:
        Mistake: A name is unknown, a value does not fit, or a required one is missing; all are named.

    """
    problems = [_unknown(name, pipeline) for name in given if name not in pipeline.inputs]
    bound: dict[str, JsonValue] = {}
    for name, slot in pipeline.inputs.items():
        try:
            value = _bind_artifact(slot, given) if isinstance(slot, ArtifactSlot) else _bind(slot, given)
        except Mistake as error:
            problems.append(str(error))
            continue
        if not isinstance(value, Absent):
            bound[name] = value
    if problems:
        raise Mistake("\n".join(problems))
    return bound


def _bind_artifact(slot: ArtifactSlot, given: Mapping[str, JsonValue]) -> JsonValue | Absent:
    place = f"input {slot.name!r}"
    value = given.get(slot.name, ABSENT)
    if value is ABSENT and not slot.optional:
        raise Mistake(f"{place}: missing; a path, or the digest of an artifact in the store (sha256:...), is needed")
    if slot.is_list or not isinstance(value, str | Absent):
        raise Mistake(f"{place}: got {shorten(value)}; one path or digest is needed, and lists cannot be given")
    return value


def _bind(parameter: Parameter, given: Mapping[str, JsonValue]) -> JsonValue | Absent:
    place = f"parameter {parameter.name!r}"
    if parameter.name in given:
        value = given[parameter.name]
        if isinstance(value, str) and parameter.type != "STRING":
            value = _parse(value, parameter.type, place)
        return typed_for(parameter, value, place)
    if isinstance(parameter.default, Absent) and not parameter.optional:
        raise Mistake(f"{place}: missing; {CALLED[parameter.type]} ({parameter.type}) is needed")
    return parameter.default


def _parse(text: str, type_: ParameterType, place: str) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(text.lower() if type_ == "BOOLEAN" else text)
    except (ValueError, RecursionError) as error:
        raise Mistake(f"{place}: got {shorten(text)}; {CALLED[type_]} ({type_}) is needed") from error
    return parsed


def _unknown(name: str, pipeline: Pipeline) -> str:
    known = list(pipeline.inputs)
    return f"parameter {name!r}: unknown{did_you_mean(name, known)}; parameters: {', '.join(known) or 'none'}"
