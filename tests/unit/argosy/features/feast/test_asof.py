import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.features.feast.asof import NONE, Rows, find, instants

INT = pa.int64()


def rows_of(rows, *, created=False, **changes):
    """Make rows of (key, event, created, value)."""
    keys, events, createds, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Rows(
        **{
            "where": "rows.parquet",
            "keys": {"k": chunked(keys, pa.string())},
            "event": chunked(events),
            "created": chunked(createds) if created else None,
            "fields": pa.table({"v": chunked(values)}),
            **changes,
        }
    )


def chunked(values, kind=INT):
    return pa.chunked_array([pa.array(values, kind)])


def found(requests, rows):
    """Find for requests of (key, instant); return the numbers of their rows."""
    keys, at = zip(*requests, strict=True)
    return find(chunked(at), {"k": chunked(keys, pa.string())}, rows).row.tolist()


def test_the_newest_row_up_to_the_instant_counts_with_its_event():
    rows = rows_of([("a", 10, 0, 1), ("a", 20, 0, 2), ("b", 15, 0, 3)])

    answer = find(chunked([19, 20, 9, 30]), {"k": chunked(["a", "a", "a", "b"], pa.string())}, rows)

    assert answer.row.tolist() == [0, 1, NONE, 2]
    assert answer.event.tolist() == [10, 20, 0, 15]


def test_a_null_key_and_a_null_instant_find_nothing():
    rows = rows_of([(None, 1, 0, 1), ("a", 1, 0, 2)])

    assert found([(None, 5), ("a", None), ("a", 5)], rows) == [NONE, NONE, 1]


def test_requests_that_are_alike_each_have_their_row_in_their_order():
    rows = rows_of([("a", 1, 0, 1), ("b", 1, 0, 2)])

    assert found([("b", 5), ("a", 5), ("b", 5), ("a", 5)], rows) == [1, 0, 1, 0]


def test_without_keys_all_rows_are_about_all_requests():
    rows = rows_of([("a", 10, 0, 1), ("b", 20, 0, 2)], keys={})

    assert find(chunked([5, 15, 25]), {}, rows).row.tolist() == [NONE, 0, 1]


def test_of_one_event_the_newest_created_counts_and_null_is_oldest():
    rows = rows_of([("a", 1, 7, 1), ("a", 1, 9, 2), ("a", 1, None, 3)], created=True)

    assert found([("a", 5)], rows) == [1]


def test_rows_that_say_the_same_are_one():
    assert found([("a", 5)], rows_of([("a", 1, 0, 4), ("a", 1, 0, 4)])) == [0]


def test_rows_that_are_tied_and_differ_are_refused_with_their_key_and_event():
    with pytest.raises(
        BadInput, match=r"rows.parquet: 2 different rows of \{'k': 'a'\} with one event, 1970-01-01T00:"
    ):
        found([("b", 5)], rows_of([("a", 1, 0, 4), ("a", 1, 0, 5)]))
    with pytest.raises(BadInput, match="with one event and created"):
        found([("b", 5)], rows_of([("a", 1, 2, 4), ("a", 1, 2, 5)], created=True))


def test_rows_that_differ_are_no_tie_below_a_newer_created():
    rows = rows_of([("a", 1, 2, 4), ("a", 1, 2, 5), ("a", 1, 3, 6)], created=True)

    assert found([("a", 5)], rows) == [2]


def test_a_delay_is_counted_before_a_row_counts_and_not_in_its_event():
    rows = rows_of([("a", 10, 0, 1)], known_after_us=5)

    answer = find(chunked([14, 15]), {"k": chunked(["a", "a"], pa.string())}, rows)

    assert answer.row.tolist() == [NONE, 0]
    assert answer.event.tolist() == [0, 10]


def test_a_row_that_came_to_light_late_counts_from_then_unless_a_newer_one_is_known():
    rows = rows_of(
        [("a", 10, 30, 1), ("a", 20, 25, 2), ("a", 40, 40, 3), ("a", 40, 60, 4), ("a", 50, None, 5)],
        created=True, known_when_created=True,
    )  # fmt: skip

    assert found([("a", at) for at in (24, 25, 30, 40, 59, 60)], rows) == [NONE, 1, 1, 2, 2, 3]


def test_keys_that_do_not_compare_are_refused():
    rows = rows_of([("a", 1, 0, 1)])

    with pytest.raises(BadInput, match=r"rows\.parquet: its keys do not compare with the request's"):
        find(chunked([5]), {"k": chunked([1])}, rows)
    with pytest.raises(BadInput, match=r"rows\.parquet: its keys do not compare with the request's"):
        find(chunked([5]), {"k": chunked([[1]], pa.list_(INT))}, rows_of([("a", 1, 0, 1)], keys={"k": chunked([1])}))


def test_a_categorical_key_is_its_text():
    rows = rows_of([("a", 1, 0, 1), ("b", 1, 0, 2)])
    keys = pa.chunked_array([pa.array(["b", None, "c"]).dictionary_encode()])

    assert find(chunked([5, 5, 5]), {"k": keys}, rows).row.tolist() == [1, NONE, NONE]


def test_keys_of_different_widths_compare_by_value():
    rows = rows_of([(None, 1, 0, 1)], keys={"k": chunked([7], pa.int32())})

    assert find(chunked([5, 5]), {"k": chunked([7, 2**40])}, rows).row.tolist() == [0, NONE]


KEYS = st.sampled_from(["a", "b", None])
TIMES = st.integers(0, 6)
ROWS = st.lists(st.tuples(KEYS, TIMES, st.one_of(st.none(), TIMES), st.integers(0, 1)), max_size=12)
REQUESTS = st.lists(st.tuples(KEYS, TIMES), min_size=1, max_size=6)


@settings(max_examples=40)
@given(rows=ROWS, requests=REQUESTS, cutoff=st.booleans(), delay=st.integers(0, 2), created=st.booleans())
def test_what_counts_is_what_a_search_of_all_rows_finds(rows, requests, cutoff, delay, created):
    cutoff = cutoff and created
    offered = rows_of(rows, created=created, known_when_created=cutoff, known_after_us=delay)

    def counting(key, at):
        """Search all rows: the best (event, created), and the values that rows of that rank have."""
        usable = [
            (event, (-1 if made is None else made) if created else 0, value)
            for k, event, made, value in rows
            if k == key and k is not None and event + delay <= at and (not cutoff or (made is not None and made <= at))
        ]
        best = max(usable, default=None)
        return best and (best[0], {value for event, made, value in usable if (event, made) == best[:2]})

    try:
        answer = find(
            chunked([at for _, at in requests]), {"k": chunked([k for k, _ in requests], pa.string())}, offered
        )
    except BadInput:
        assert any(a[0] == b[0] and a[:2] == b[:2] and a[3] != b[3] for a in rows for b in rows)
        return
    for request, number, event in zip(requests, answer.row, answer.event, strict=True):
        expected = counting(*request)
        if expected is None:
            assert number == NONE
        else:
            assert (event, {rows[number][3]}) == expected


def test_timestamps_of_every_unit_and_zone_are_microseconds_rounded_down():
    ns = pa.array(np.array([1_999, -1], dtype="datetime64[ns]"))

    assert instants(pa.chunked_array([ns]), "c").to_pylist() == [1, -1]
    for kind, raw, expected in (
        (pa.timestamp("s"), 3, 3_000_000),
        (pa.timestamp("ms", tz="America/New_York"), 3, 3_000),
        (pa.timestamp("us", tz="UTC"), 3, 3),
        (pa.date32(), 1, 86_400_000_000),
    ):
        column = pa.chunked_array([pa.array([raw, None], pa.int32() if kind == pa.date32() else INT).cast(kind)])
        assert instants(column, "c").to_pylist() == [expected, None]


def test_text_is_no_instant():
    with pytest.raises(BadInput, match="column 'at' is string; an instant is a timestamp"):
        instants(chunked(["2024-01-01"], pa.string()), "column 'at'")
