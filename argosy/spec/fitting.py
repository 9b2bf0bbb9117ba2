"""Whether what gives a value fits what takes it, as far as their declarations tell.

Where nothing is certain nothing is refused: the items of loops and the fields of objects have no type that a spec
tells, and a STRING takes any value, as its JSON text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from argosy.errors import Mistake
from argosy.spec.model import ArtifactSlot, FieldOf, LoopItem, Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.model import Slot, Source

NUMBERS: Final = ("NUMBER_INTEGER", "NUMBER_DOUBLE")


def require_fit(source: Source | None, got: Slot, wanted: Slot, place: str) -> None:
    """Raise where a source certainly gives nothing that a slot takes.

    Args:
        source: What gives the value in the plan.
        got: What is declared where the value comes from.
        wanted: What is declared where it goes.
        place: Where the one is given to the other.

    Raises:
        Mistake: One is a parameter and the other an artifact, or their types differ.

    """
    if isinstance(got, Parameter) and isinstance(wanted, Parameter) and isinstance(source, LoopItem | FieldOf):
        return
    if not _fits(got, wanted):
        raise Mistake(f"{place}: got {got.name!r}, {called(got)}; {called(wanted)} is needed here")


def require_items(source: Source, got: Slot, place: str) -> None:
    """Raise where a loop certainly gets no list of items; one of values may be given as JSON text."""
    if isinstance(source, LoopItem | FieldOf) and isinstance(got, Parameter):
        return
    if not (got.is_list if isinstance(got, ArtifactSlot) else got.type in {"LIST", "STRING"}):
        raise Mistake(f"{place}: got {got.name!r}, {called(got)}; a list of items is needed here")


def require_object(source: Source | None, got: Slot, place: str) -> None:
    """Raise where a field is taken of what is certainly no object; one may be given as JSON text."""
    if isinstance(got, Parameter) and (got.type in {"STRUCT", "STRING"} or isinstance(source, LoopItem | FieldOf)):
        return
    raise Mistake(f"{place}.parameterExpressionSelector: {got.name!r} is {called(got)}, which has no fields")


def require_declared(found: Mapping[str, Slot], declared: Mapping[str, Slot], place: str) -> None:
    """Raise where a DAG declares an output as something else than what its tasks give; `place` is the DAG's.

    A list is right for anything: kfp declares each output that `dsl.Collected` takes as one, and on its way there too.
    """
    for name, slot in declared.items():
        got = found[name]
        if not _is_same(got, slot) and not _is_same(collected(got), slot):
            raise Mistake(
                f"{place}.outputs.{kind_of(slot)}.{name}: gives {called(got)}; outputDefinitions says {called(slot)}"
            )


def collected(slot: Slot) -> Slot:
    """Return what an output of a task is outside of the loop that the task stands in."""
    return replace(slot, is_list=True) if isinstance(slot, ArtifactSlot) else Parameter(slot.name, "LIST")


def kind_of(slot: Slot) -> str:
    """Return under which field of a spec slots of this kind stand."""
    return "artifacts" if isinstance(slot, ArtifactSlot) else "parameters"


def called(slot: Slot) -> str:
    """Return what a slot takes or gives, in words."""
    if isinstance(slot, ArtifactSlot):
        return "a list of artifacts" if slot.is_list else "an artifact"
    return f"a parameter ({slot.type})"


def _is_same(one: Slot, other: Slot) -> bool:
    return _fits(one, other) and _fits(other, one)


def _fits(got: Slot, wanted: Slot) -> bool:
    if isinstance(got, ArtifactSlot) or isinstance(wanted, ArtifactSlot):
        both = isinstance(got, ArtifactSlot) and isinstance(wanted, ArtifactSlot)
        return both and (wanted.is_list or not got.is_list)  # type: ignore[union-attr]  # both are artifacts
    return wanted.type in {got.type, "STRING"} or {got.type, wanted.type} <= {*NUMBERS}
