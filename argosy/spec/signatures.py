"""Read what enters and leaves a component or a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, get_args

from argosy.errors import Mistake
from argosy.spec.fields import did_you_mean, shorten
from argosy.spec.model import ABSENT, Absent, ArtifactSlot, JsonValue, Parameter, ParameterType
from argosy.spec.unsupported import refuse
from argosy.spec.values import typed

if TYPE_CHECKING:
    from argosy.spec.fields import Fields

TYPES: Final[tuple[ParameterType, ...]] = get_args(ParameterType)
Slots: TypeAlias = Mapping[str, Parameter | ArtifactSlot]


def read_inputs(fields: Fields) -> Slots:
    """Read `inputDefinitions`."""
    return _read_slots(fields.object("inputDefinitions"))


def read_outputs(fields: Fields) -> Slots:
    """Read `outputDefinitions`."""
    return _read_slots(fields.object("outputDefinitions"))


def _read_slots(fields: Fields) -> Slots:
    slots: dict[str, Parameter | ArtifactSlot] = {
        name: _read_parameter(name, entry) for name, entry in fields.entries("parameters")
    }
    for name, entry in fields.entries("artifacts"):
        if name in slots:
            raise Mistake(f"{entry.place}: {name!r} is a parameter too; a name is used once")
        slots[name] = _read_artifact(name, entry)
    return slots


def _read_parameter(name: str, fields: Fields) -> Parameter:
    type_ = _read_type(fields)
    default = fields.json("defaultValue")
    if not isinstance(default, Absent):
        default = None if default is None else typed(default, type_, fields.at("defaultValue"))
    literals = fields.json("literals") if "literals" in fields else []
    fields.text("description", default="")
    return Parameter(
        name=name,
        type=type_,
        optional=fields.flag("isOptional") or default is not ABSENT,
        default=default,
        literals=_read_literals(literals, type_, fields.at("literals")),
    )


def _read_literals(literals: JsonValue | Absent, type_: ParameterType, place: str) -> tuple[JsonValue, ...]:
    if not isinstance(literals, list):
        raise Mistake(f"{place}: got {shorten(literals)}; a list is needed here")
    return tuple(typed(literal, type_, f"{place}[{i}]") for i, literal in enumerate(literals))


def _read_type(fields: Fields) -> ParameterType:
    text = fields.text("parameterType")
    for type_ in TYPES:
        if text == type_:
            return type_
    place = fields.at("parameterType")
    if text == "TASK_FINAL_STATUS":
        return "STRUCT"
    if text == "TASK_CONFIG":
        refuse(place, "task config passthrough")
    raise Mistake(f"{place}: got {text!r}{did_you_mean(text, list(TYPES))}; allowed: {', '.join(TYPES)}")


def _read_artifact(name: str, fields: Fields) -> ArtifactSlot:
    kind = fields.object("artifactType")
    kind.text("schemaVersion", default="")
    fields.text("description", default="")
    return ArtifactSlot(
        name=name,
        schema_title=kind.text("schemaTitle"),
        is_list=fields.flag("isArtifactList"),
        optional=fields.flag("isOptional"),
    )
