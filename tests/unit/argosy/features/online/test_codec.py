import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.features.online.codec import VALUE_FIELDS, key_bytes, key_prefix, pack, read_key, unpack
from argosy.features.online.rows import OnlineView

FIELDS = {
    "f": "Float32", "d": "Float64", "i": "Int32", "l": "Int64", "s": "String", "b": "Bool", "y": "Bytes",
    "t": "UnixTimestamp", "z": "Float32",
}  # fmt: skip
VIEW = OnlineView("view", ("to", "from", "n", "raw"), ("Int32", "String", "Int64", "Bytes"), FIELDS)
VALUES = {
    "f": 0.5, "d": 0.1, "i": -1, "l": 2**53 + 1, "s": "é", "b": True, "y": b"\xff", "t": 1_357_000_000, "z": None,
}  # fmt: skip
KEY = (-7, "Zürich", 2**53 + 1, b"\x00*")

# What Feast 0.67 writes of the same: serialize_entity_key in version 3, and its message Map.
FEASTS_KEY = (
    "04000000020000000400000066726f6d02000000010000006e02000000030000007261770200000002000000746f"
    "02000000070000005ac3bc72696368040000000800000001000000000020000100000002000000002a0300000004000000f9ffffff"
)
FEASTS_MAP = (
    "0a070a0162120238010a0e0a01641209299a9999999999b93f0a0a0a01661205350000003f0a100a0169120b18ffffffffffffffffff01"
    "0a0e0a016c12092081808080808080100a090a017312041202c3a90a0b0a0174120640c0da8887050a080a017912030a01ff"
    "0a080a017a1203980100"
)

STRATEGIES = {
    "Bytes": st.binary(),
    "String": st.text(st.characters(codec="utf-8")),
    "Int32": st.integers(-(2**31), 2**31 - 1),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "Float64": st.floats(allow_nan=False),
    "Float32": st.floats(allow_nan=False, width=32),
    "Bool": st.booleans(),
    "UnixTimestamp": st.integers(-(2**63), 2**63 - 1),
}


def test_the_bytes_are_feasts():
    assert key_bytes(VIEW, KEY).hex() == FEASTS_KEY
    assert pack(VIEW, VALUES).hex() == FEASTS_MAP


@pytest.mark.slow
@given(data=st.data())
def test_whatever_is_written_is_what_feast_would_write(data):
    from feast.infra.key_encoding_utils import serialize_entity_key, serialize_entity_key_prefix
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import NULL, Map, Value

    key = [data.draw(STRATEGIES[kind]) for kind in VIEW.key_types]
    values = {name: data.draw(st.none() | STRATEGIES[kind]) for name, kind in FIELDS.items()}
    parts = [Value(**{VALUE_FIELDS[kind][0]: part}) for kind, part in zip(VIEW.key_types, key, strict=True)]
    held = Map()
    for name, value in values.items():
        slot = {"null_val": NULL} if value is None else {VALUE_FIELDS[FIELDS[name]][0]: value}
        held.val[name].CopyFrom(Value(**slot))

    assert key_bytes(VIEW, key) == serialize_entity_key(EntityKey(join_keys=VIEW.keys, entity_values=parts), 3)
    assert key_prefix(VIEW) == serialize_entity_key_prefix(list(VIEW.keys))
    assert pack(VIEW, values) == held.SerializeToString(deterministic=True)


@given(st.tuples(*(STRATEGIES[kind] for kind in VIEW.key_types)), st.binary(max_size=4))
def test_a_key_is_read_back_with_what_follows_it(key, rest):
    raw = key_bytes(VIEW, key)

    assert raw.startswith(key_prefix(VIEW))
    assert read_key(VIEW, raw + rest) == (key, rest)


@given(st.fixed_dictionaries({name: st.none() | STRATEGIES[kind] for name, kind in FIELDS.items()}))
def test_values_are_read_back(values):
    assert unpack(VIEW, pack(VIEW, values)) == values


def test_a_field_that_came_later_is_null_and_one_that_went_is_passed_over():
    old = OnlineView("view", ("k",), ("String",), {"gone": "Int64", "kept": "Int64"})
    new = OnlineView("view", ("k",), ("String",), {"kept": "Int64", "came": "Float32"})

    assert unpack(new, pack(old, {"gone": 1, "kept": 2})) == {"kept": 2, "came": None}


def test_a_key_with_a_null_has_no_bytes():
    assert key_bytes(VIEW, (1, None, 2, b"")) is None


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ((1, "JFK", 2), r"has 3 parts; its keys are \('to', 'from', 'n', 'raw'\)"),
        (("1", "JFK", 2, b""), "key 'to': '1' is no Int32"),
        ((True, "JFK", 2, b""), "key 'to': True is no Int32"),
        ((2**31, "JFK", 2, b""), "key 'to': 2147483648 is no Int32"),
        ((1, "\ud800", 2, b""), "key 'from': .* is no String"),
        ((1, "JFK", 2.0, b""), "key 'n': 2.0 is no Int64"),
    ],
)
def test_a_key_of_another_shape_is_refused(key, message):
    with pytest.raises(BadInput, match=rf"^view 'view'.*{message}"):
        key_bytes(VIEW, key)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"l": 2**63}, "field 'l': 9223372036854775808 is no Int64"),
        ({"s": 1}, "field 's': 1 is no String"),
        ({"d": "warm"}, "field 'd': 'warm' is no Float64"),
        ({"q": 1}, r"no fields \['q'\]; it has \['b'"),
    ],
)
def test_a_value_of_another_type_is_refused(values, message):
    with pytest.raises(BadInput, match=rf"^view 'view'.*{message}"):
        pack(VIEW, values)


def test_a_field_of_a_type_that_no_row_holds_is_refused_both_ways():
    view = OnlineView("view", ("k",), ("String",), {"v": "Array(Float32)"})

    for call in (lambda: pack(view, {"v": 1.0}), lambda: unpack(view, b"")):
        with pytest.raises(BadInput, match=r"field 'v': it is Array\(Float32\); an online row holds \['Bytes'"):
            call()


def test_damaged_bytes_are_told():
    with pytest.raises(BadInput, match="view 'view': a stored row is damaged"):
        unpack(VIEW, b"\xff\xff")
    with pytest.raises(BadInput, match="is no key of"):
        read_key(VIEW, b"\x01")
