"""The items of a loop as Argo expands them: a JSON list that holds the text of each item.

Argo puts an item into the text of a task: a number and the text of a number would be the same. So each item is a text,
that of its JSON, and arrives as any other parameter does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from argosy.argo.conditions import value_of
from argosy.argo.expressions import (
    as_argument,
    as_expression,
    called,
    collected_depth,
    gathered,
    passed_on,
    pieces_of,
    require_store,
)
from argosy.argo.scopes import items_of
from argosy.argo.sizes import require_handed_alone
from argosy.argo.unsupported import refusal
from argosy.errors import Mistake
from argosy.launcher.canonical import unsubstituted_json
from argosy.launcher.inputs import parsed
from argosy.launcher.parameters import encode_items_of, encode_literal
from argosy.launcher.step import Input
from argosy.spec.model import (
    ArtifactSlot,
    Collected,
    Constant,
    FieldOf,
    FirstOf,
    Known,
    LoopItem,
    Parameter,
    PipelineInput,
    TaskOutput,
)

if TYPE_CHECKING:
    from argosy.argo.expressions import Reader
    from argosy.spec.model import JsonValue, Loop, Source

MARKED: Final = 'type(#) == "map" && "argosy" in # ? {{"argosy": "value", "value": #}} : #'
ESCAPED: Final = rf'replace(replace(toJson({MARKED}), "\u007b\u007b", "\\u007b\\u007b"), "$", "\\u0024")'
ENCODED: Final = f"toJson(map({{}}, {ESCAPED}))"
"""The items of a list, each as JSON text that `argosy.launcher.parameters` reads and nobody substitutes in."""
GATHERED: Final = 'toJson(map(filter(fromJSON({}), # != ""), type(#) == "string" ? # : toJson(#)))'
"""What Argo gathered of a loop: it keeps the texts, but for lists and objects, and absent ones are empty."""


def items_argument(loop: Loop, reader: Reader) -> str:
    """Return the argument `items` of a loop's task.

    Raises:
        Mistake: The items stand in the spec and are no list.
        Unsupported: Argo cannot make a list of them.

    """
    source = items_of(loop, reader.scopes.tasks)
    if isinstance(source, Constant):
        place = f"loop {loop.name}.items"
        items = [encode_literal(item, place) for item in _constant_items(source, loop)]
        for item in items:
            require_handed_alone(item, place)
        return unsubstituted_json(items)
    if isinstance(source, Known):
        return encode_items_of(source.entry or Input(None, None), require_store(reader))
    if isinstance(source, Collected) and collected_depth(source, reader) == 1:
        return f"{{{{={GATHERED.format(gathered(source, reader))}}}}}"
    if _is_ready(source, loop, reader):
        return as_argument(pieces_of(source, reader))
    if isinstance(source, TaskOutput | FirstOf) and reader.scopes.depth(source, reader.path) == 1:
        return f"{{{{={GATHERED.format(as_expression(passed_on(source, reader)))}}}}}"
    if isinstance(source, PipelineInput | LoopItem | FieldOf):
        return f"{{{{={ENCODED.format(_list_of(source, reader))}}}}}"
    raise refusal(f"loop {loop.name}.items", "items of a loop", called(source))


def _constant_items(source: Constant, loop: Loop) -> list[JsonValue]:
    items: JsonValue = parsed(source.value)
    if not isinstance(items, list):
        raise Mistake(f"loop {loop.name}.items: got {source.value!r:.200}; a list is needed here, or its JSON")
    return items


def _list_of(source: Source, reader: Reader) -> str:
    """Return the expression of a list, which may be given as its JSON text."""
    value = value_of(source, reader)
    slot = reader.scopes.pipeline.inputs.get(source.name) if isinstance(source, PipelineInput) else None
    if isinstance(slot, Parameter) and slot.type == "LIST":
        return value
    return f'(type({value}) == "string" ? fromJSON({value}) : {value})'


def _is_ready(source: Source, loop: Loop, reader: Reader) -> bool:
    """Say whether the text of a source is a list of texts as it stands."""
    match source:
        case TaskOutput():
            return not reader.scopes.depth(source, reader.path)
        case FirstOf(sources):
            return not reader.scopes.depth(source, reader.path) and all(
                _is_ready(each, loop, reader) for each in sources
            )
        case PipelineInput():
            return isinstance(loop.item, ArtifactSlot)
    return False
