"""Rows as bytes: the entity's key and the values, as Feast writes them, without importing Feast.

A key is what Feast's `serialize_entity_key` gives in version 3. Values are Feast's message `feast.types.Map`, of which
this module describes the part that a view may use, in a pool of its own beside Feast's.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, cast

from google.protobuf import (  # type: ignore[import-untyped]  # ships no types
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from google.protobuf.message import DecodeError, EncodeError  # type: ignore[import-untyped]

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.features.online.rows import OnlineView, Value

_Kinds = descriptor_pb2.FieldDescriptorProto

# Of Feast's `Value`: the field of each type, its number there and its type on the wire. A null is the number 0.
VALUE_FIELDS: dict[str, tuple[str, int, int]] = {
    "Bytes": ("bytes_val", 1, _Kinds.TYPE_BYTES),
    "String": ("string_val", 2, _Kinds.TYPE_STRING),
    "Int32": ("int32_val", 3, _Kinds.TYPE_INT32),
    "Int64": ("int64_val", 4, _Kinds.TYPE_INT64),
    "Float64": ("double_val", 5, _Kinds.TYPE_DOUBLE),
    "Float32": ("float_val", 6, _Kinds.TYPE_FLOAT),
    "Bool": ("bool_val", 7, _Kinds.TYPE_BOOL),
    "UnixTimestamp": ("unix_timestamp_val", 8, _Kinds.TYPE_INT64),
}
_NULL = ("null_val", 19, _Kinds.TYPE_INT32)
_PYTHON = {"Bytes": bytes, "String": str, "Int32": int, "Int64": int}
_KEY_NUMBERS = {"Bytes": 1, "String": 2, "Int32": 3, "Int64": 4}
_KEY_NAMES = {number: name for name, number in _KEY_NUMBERS.items()}
_INTEGERS = {"Int32": "<i", "Int64": "<q"}
_NUMBER, _HEAD = struct.Struct("<I"), struct.Struct("<II")


def _map_class() -> Any:
    """Describe the messages `Value` and `Map`, and return the class of the latter."""
    file = descriptor_pb2.FileDescriptorProto(name="argosy/online.proto", package="argosy.online", syntax="proto3")
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="val")
    for name, number, kind in (*VALUE_FIELDS.values(), _NULL):
        value.field.add(name=name, number=number, type=kind, label=_Kinds.LABEL_OPTIONAL, oneof_index=0)
    holder = file.message_type.add(name="Map")
    entry = holder.nested_type.add(name="ValEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_Kinds.TYPE_STRING, label=_Kinds.LABEL_OPTIONAL)
    nested = {"type": _Kinds.TYPE_MESSAGE, "label": _Kinds.LABEL_OPTIONAL}
    entry.field.add(name="value", number=2, type_name=".argosy.online.Value", **nested)
    nested["label"] = _Kinds.LABEL_REPEATED
    holder.field.add(name="val", number=1, type_name=".argosy.online.Map.ValEntry", **nested)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("argosy.online.Map"))


_Map = _map_class()


def pack(view: OnlineView, values: Mapping[str, Value]) -> bytes:
    """Write a row's values; those of the view that are missing are null.

    Raises:
        BadInput: A value is not of its field's type, or the view has no such field.

    """
    unknown = sorted(values.keys() - view.fields.keys())
    if unknown:
        raise BadInput(f"view {view.name!r}: no fields {unknown}; it has {sorted(view.fields)}")
    packed = _Map()
    for name, dtype in view.fields.items():
        value, slot = values.get(name), packed.val[name]
        try:
            setattr(slot, *((_NULL[0], 0) if value is None else (_slot(dtype, view, name), value)))
        except (TypeError, ValueError) as error:
            raise BadInput(f"view {view.name!r}, field {name!r}: {value!r} is no {dtype} ({error})") from error
    try:
        return cast("bytes", packed.SerializeToString(deterministic=True))
    except EncodeError as error:  # protobuf can defer the check of a string to here
        raise BadInput(f"view {view.name!r}: {values!r} cannot be written: {error}") from error


def unpack(view: OnlineView, packed: bytes) -> dict[str, Value]:
    """Read a row's values, one for each field of the view; one that was not written is null.

    Raises:
        BadInput: The bytes are no row.

    """
    try:
        held = _Map.FromString(packed).val
    except DecodeError as error:
        raise BadInput(f"view {view.name!r}: a stored row is damaged ({error}); materialize the view again") from error
    values: dict[str, Value] = {}
    for name, dtype in view.fields.items():
        _slot(dtype, view, name)
        slot = held.get(name)
        kind = slot.WhichOneof("val") if slot is not None else None
        values[name] = None if kind is None or kind == _NULL[0] else getattr(slot, kind)
    return values


def key_bytes(view: OnlineView, key: Sequence[Value]) -> bytes | None:
    """Write an entity's key as Feast does, sorted by join key; None if a part is null, which matches nothing.

    Raises:
        BadInput: A part is not of its type, or there are too many or too few.

    """
    if len(key) != len(view.keys):
        raise BadInput(f"view {view.name!r}: the key {tuple(key)!r} has {len(key)} parts; its keys are {view.keys}")
    if any(part is None for part in key):
        return None
    parts = sorted(zip(view.keys, view.key_types, key, strict=True))
    return key_prefix(view) + b"".join(_key_part(view, name, dtype, part) for name, dtype, part in parts)


def key_prefix(view: OnlineView) -> bytes:
    """Write what the keys of all entities of a view begin with."""
    names = [name.encode() for name in sorted(view.keys)]
    return _NUMBER.pack(len(names)) + b"".join(_HEAD.pack(_KEY_NUMBERS["String"], len(name)) + name for name in names)


def read_key(view: OnlineView, raw: bytes) -> tuple[tuple[Value, ...], bytes]:
    """Read an entity's key, in the order of the view's keys, and return what follows it.

    Raises:
        BadInput: The bytes are not a key of this view.

    """
    at, found = len(key_prefix(view)), {}
    try:
        for name in sorted(view.keys):
            number, length = _HEAD.unpack_from(raw, at)
            at += _HEAD.size
            found[name] = _read_part(_KEY_NAMES[number], raw[at : at + length])
            at += length
    except (struct.error, KeyError, UnicodeDecodeError) as error:
        raise BadInput(f"view {view.name!r}: {raw!r} is no key of {view.keys} ({error!r})") from error
    return tuple(found[name] for name in view.keys), raw[at:]


def _slot(dtype: str, view: OnlineView, name: str) -> str:
    """Name the field of `Value` that holds a type."""
    if dtype not in VALUE_FIELDS:
        raise BadInput(f"view {view.name!r}, field {name!r}: it is {dtype}; an online row holds {list(VALUE_FIELDS)}")
    return VALUE_FIELDS[dtype][0]


def _key_part(view: OnlineView, name: str, dtype: str, part: Value) -> bytes:
    """Write one part of a key."""
    if dtype not in _PYTHON or not isinstance(part, _PYTHON[dtype]) or isinstance(part, bool):
        raise BadInput(
            f"view {view.name!r}, key {name!r}: {part!r} is no {dtype}; a key is one of {list(_PYTHON)}: "
            "give it in the type of the entity"
        )
    try:
        raw = _raw_part(dtype, part)
    except (struct.error, UnicodeEncodeError) as error:
        raise BadInput(f"view {view.name!r}, key {name!r}: {part!r} is no {dtype} ({error})") from error
    return _HEAD.pack(_KEY_NUMBERS[dtype], len(raw)) + raw


def _raw_part(dtype: str, part: Value) -> bytes:
    """Write the value of a part of a key."""
    if isinstance(part, str):
        return part.encode()
    return part if isinstance(part, bytes) else struct.pack(_INTEGERS[dtype], part)


def _read_part(dtype: str, raw: bytes) -> Value:
    """Read the value of a part of a key."""
    if dtype == "String":
        return raw.decode()
    return raw if dtype == "Bytes" else cast("int", struct.unpack(_INTEGERS[dtype], raw)[0])
