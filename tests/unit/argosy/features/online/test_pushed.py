import json

import pytest

from argosy.errors import BadInput
from argosy.features.instants import instant_text
from argosy.features.online.pushed import arrival, read_pushed
from argosy.features.online.rows import OnlineRow
from tests.fakes.features import SECOND, T0, a_view

VIEW = a_view(
    stored={"v": "Float32", "n": "Int64", "w": "String", "s": "UnixTimestamp", "b": "Bool", "x": "Bytes"},
    max_lateness_s=10,
)
VIEWS = {"temps": VIEW}


def a_push(**changes):
    row = {"view": "temps", "key": {"k": "a"}, "event": instant_text(T0), "values": {"v": 1}}
    return json.dumps({**row, **changes})


def test_a_pushed_row_is_read_in_the_types_of_its_view():
    values = {"v": 1, "n": 2**53 + 1, "w": "æ", "s": "2013-01-01T00:00:00Z", "b": True}

    pushed = read_pushed(a_push(values=values), VIEWS)

    read = {"v": 1.0, "n": 2**53 + 1, "w": "æ", "s": 1_356_998_400, "b": True}
    assert pushed.row == OnlineRow(("a",), T0, None, read)
    assert type(pushed.row.values["v"]) is float


def test_a_null_and_a_missing_field_are_null():
    assert read_pushed(a_push(values={"v": None}), VIEWS).row.values == {"v": None}
    assert read_pushed(a_push(values={}), VIEWS).row.values == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"view": "temp"}, r"view: got 'temp'; allowed are \['temps'\]; did you mean 'temps'"),
        ({"key": {}}, "temps.key: got {}; needed are"),
        ({"key": {"k": None}}, "none of them null"),
        ({"key": {"k": 5}}, "temps.key.k: got 5; it is String"),
        ({"key": "a"}, "temps.key: got 'a'; it is an object"),
        ({"event": "2013-01-01T00:00:00"}, "has no time zone"),
        ({"values": {"vv": 1}}, r"temps.values.vv: unknown; .*did you mean 'v'"),
        ({"values": {"v": "warm"}}, "temps.values.v: got 'warm'; it is Float32"),
        ({"values": {"v": True}}, "temps.values.v: got True; it is Float32"),
        ({"values": {"n": 2**63}}, "temps.values.n: got 9223372036854775808; it is Int64"),
        ({"values": {"n": 1.5}}, "temps.values.n: got 1.5; it is Int64"),
        ({"values": {"s": "2013-01-01T00:00:00.5Z"}}, "whole seconds"),
        ({"values": {"x": "00"}}, "which a push cannot bring"),
    ],
)
def test_a_row_that_its_view_cannot_hold_is_refused_with_its_place(changes, said):
    with pytest.raises(BadInput, match=said):
        read_pushed(a_push(**changes), VIEWS)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '"row"'])
def test_what_is_no_row_is_refused(text):
    with pytest.raises(BadInput, match="a pushed row"):
        read_pushed(text, VIEWS)


def test_a_view_that_orders_by_creation_needs_one():
    views = {"temps": a_view(created="created")}

    with pytest.raises(BadInput, match=r"temps\.created: missing"):
        read_pushed(a_push(), views)
    assert read_pushed(a_push(created=instant_text(T0 + 1)), views).row.created_us == T0 + 1


@pytest.mark.parametrize(
    ("age_us", "how"),
    [
        (-1, "early"),
        (0, "due"),
        (10 * SECOND, "due"),
        (10 * SECOND + 1, "late"),
        (60 * SECOND, "late"),
        (60 * SECOND + 1, "expired"),
    ],
)
def test_a_row_is_due_late_or_expired_by_its_age_at_arrival(age_us, how):
    assert arrival(read_pushed(a_push(), VIEWS), T0 + age_us) == how
