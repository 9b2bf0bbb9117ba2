"""What every online store keeps to, on SQLite and on a real Redis."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.features.online.connect import open_online
from argosy.features.online.rows import OnlineRow, OnlineView, Written
from tests.fakes.features import T0, a_view
from tests.fakes.features import a_row as a_source_row
from tests.fakes.parity import engine_cells, offline_cells, online_row, online_view
from tests.fakes.redis_server import redis_port

__all__ = ["redis_port"]

TEMPS = OnlineView("temps", ("k",), ("String",), {"v": "Float64", "w": "String", "n": "Int64"})
WINDS = OnlineView("winds", ("k",), ("String",), {"speed": "Float32"})
ROUTES = OnlineView("routes", ("to", "from"), ("Int32", "String"), {"late": "Float32"})
SPAWNED = multiprocessing.get_context("spawn")
_numbers = itertools.count()


def a_row(key="a", event_us=10, created_us=None, **values):
    """Return a row of TEMPS."""
    return OnlineRow((key,), event_us, created_us, {"v": 1.0, "w": "x", "n": 1, **values})


def newest(rows):
    """Keep the newest row of each entity, the last of equal ones: the whole contract of writing."""
    held = {}
    for row in rows:
        before = held.get(row.key)
        if before is None or order(row) >= order(before):
            held[row.key] = row
    return held


def order(row):
    """Return what rows of an entity are ordered by; no created instant is before any."""
    return row.event_us, row.created_us is not None, row.created_us or 0


@pytest.fixture(params=["sqlite", "redis"])
def url(request, tmp_path):
    """Give the URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/online.db"
    port = request.getfixturevalue("redis_port")
    return f"redis://127.0.0.1:{port}/0?project=p{next(_numbers)}"


@pytest.fixture
def store(url):
    """Give an empty store."""
    opened = open_online(url)
    yield opened
    opened.close()


def test_a_row_comes_back_as_it_was_written(store):
    row = a_row(created_us=7, v=0.1, w="Zürich 東京 \x00 🛫", n=2**53 + 1)

    assert store.write(TEMPS, [row]) == Written(written=1, superseded=0)
    assert store.read([(TEMPS, ("a",))]) == [row]


def test_what_was_never_written_is_not_there(store):
    store.write(TEMPS, [a_row("a")])

    assert store.read([(TEMPS, ("b",)), (WINDS, ("a",)), (TEMPS, (None,))]) == [None, None, None]
    assert store.read([]) == []


def test_nulls_stay_nulls_and_a_missing_field_is_one(store):
    store.write(TEMPS, [OnlineRow(("a",), 1, None, {"v": None, "n": 0})])

    assert store.read([(TEMPS, ("a",))]) == [OnlineRow(("a",), 1, None, {"v": None, "w": None, "n": 0})]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("Int64", 2**63 - 1),
        ("Int64", -(2**63)),
        ("Int32", -(2**31)),
        ("Float64", 5e-324),
        ("Float32", 0.5),
        ("Bool", False),
        ("Bytes", b"\x00\xff*["),
        ("String", ""),
        ("UnixTimestamp", 1_357_000_000),
    ],
)
def test_each_type_keeps_its_extremes(store, dtype, value):
    view = OnlineView("typed", ("k",), ("Bytes",), {"x": dtype})
    store.write(view, [OnlineRow((b"\x00*[k]",), 1, None, {"x": value})])

    [row] = store.read([(view, (b"\x00*[k]",))])

    assert row.values == {"x": value}
    assert type(row.values["x"]) is type(value)


def test_several_keys_are_read_in_the_order_of_the_view(store):
    row = OnlineRow((-7, "JFK"), 1, None, {"late": 0.25})
    store.write(ROUTES, [row])

    assert store.read([(ROUTES, (-7, "JFK"))]) == [row]
    assert list(store.rows(ROUTES)) == [row]


def test_views_of_one_entity_do_not_touch_each_other(store):
    store.write(TEMPS, [a_row(event_us=5)])
    store.write(WINDS, [OnlineRow(("a",), 3, None, {"speed": 2.0})])

    temps, winds = store.read([(TEMPS, ("a",)), (WINDS, ("a",))])

    assert (temps.event_us, winds.event_us) == (5, 3)


@pytest.mark.parametrize("order_of", [list, lambda rows: list(reversed(rows))])
def test_a_backfill_never_replaces_a_newer_row(store, order_of):
    old, new = a_row(event_us=1, v=1.0), a_row(event_us=2, v=None)
    for row in order_of([old, new]):
        store.write(TEMPS, [row])

    assert store.read([(TEMPS, ("a",))]) == [new]


@pytest.mark.parametrize("created", [(None, 1), (1, 2), (-5, 3)])
def test_a_correction_of_the_same_instant_wins_whatever_comes_first(store, created):
    first, corrected = (a_row(created_us=instant, v=float(instant or 0)) for instant in created)
    store.write(TEMPS, [corrected])

    assert store.write(TEMPS, [first]) == Written(written=0, superseded=1)
    assert store.read([(TEMPS, ("a",))]) == [corrected]


def test_of_rows_that_tie_the_one_that_came_last_stays(store):
    store.write(TEMPS, [a_row(created_us=3, v=1.0), a_row(created_us=3, v=2.0)])

    assert store.read([(TEMPS, ("a",))])[0].values["v"] == 2.0


def test_instants_are_compared_to_the_microsecond_above_what_a_double_holds(store):
    far = 2**62
    store.write(TEMPS, [a_row(event_us=far + 1, v=1.0), a_row(event_us=far, v=2.0)])

    assert store.read([(TEMPS, ("a",))])[0].event_us == far + 1


rows_of_two_entities = st.lists(
    st.builds(
        a_row,
        st.sampled_from("ab"),
        event_us=st.integers(-3, 3),
        created_us=st.none() | st.integers(-2, 2),
        v=st.none() | st.floats(allow_nan=False),
        n=st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(rows=rows_of_two_entities)
def test_a_store_holds_the_newest_of_all_rows_in_the_order_they_came(url, rows):
    view = OnlineView(f"temps{next(_numbers)}", TEMPS.keys, TEMPS.key_types, TEMPS.fields)
    first, second = open_online(url), open_online(url)
    for number, row in enumerate(rows):
        (first if number % 2 else second).write(view, [row])

    assert {row.key: row for row in first.rows(view)} == newest(rows)
    first.close()
    second.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(rows=rows_of_two_entities, data=st.data())
def test_any_order_and_repetition_of_rows_leaves_the_same_state(store, rows, data):
    unlike = list({(row.key, row.event_us, row.created_us): row for row in rows}.values())
    repeated = unlike + (data.draw(st.lists(st.sampled_from(unlike), max_size=6)) if unlike else [])
    view = OnlineView(f"temps{next(_numbers)}", TEMPS.keys, TEMPS.key_types, TEMPS.fields)
    shuffled = data.draw(st.permutations(repeated))
    cut = data.draw(st.integers(0, len(shuffled)))
    store.write(view, shuffled[:cut])
    store.write(view, shuffled[cut:])

    assert {row.key: row for row in store.rows(view)} == newest(unlike)


arrivals = st.lists(
    st.builds(
        a_source_row,
        k=st.sampled_from("ab"),
        known_at=st.integers(T0 - 8, T0),
        created=st.integers(T0, T0 + 3),
        v=st.none() | st.sampled_from([0.5, 1.5]),
    ),
    unique_by=lambda row: (row["k"], row["known_at"], row["created"]),
    max_size=8,
)


@pytest.mark.parametrize("ttl", [None, 1, 4])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(rows=arrivals, data=st.data())
def test_whatever_arrives_in_whatever_order_a_cell_is_the_one_that_retrieval_gives(store, tmp_path, ttl, rows, data):
    number = next(_numbers)
    view = a_view(name=f"temps{number}", created="created", ttl_us=ttl, age_feature=None)
    entities = [("a",), ("b",), ("c",), (None,)]
    for row in data.draw(st.permutations(rows)):
        store.write(online_view(view), [online_row(view, row)] * data.draw(st.integers(1, 2)))

    offline = offline_cells(tmp_path / str(number), view, rows, entities, T0)
    assert engine_cells(store, view, entities, T0) == offline


def test_all_rows_of_a_view_are_listed_once_and_no_other(store):
    rows = [a_row(f"k{number}", n=number) for number in range(4_100)]
    store.write(TEMPS, rows)
    store.write(WINDS, [OnlineRow(("other",), 1, None, {"speed": 2.0})])

    assert sorted(store.rows(TEMPS), key=lambda row: row.values["n"]) == rows


def test_old_rows_are_dropped_and_counted(store):
    store.write(TEMPS, [a_row("old", event_us=-5), a_row("edge", event_us=10), a_row("new", event_us=11)])
    store.write(WINDS, [OnlineRow(("old",), -5, None, {"speed": 2.0})])

    assert store.drop_before(TEMPS, 10) == 1
    assert {row.key for row in store.rows(TEMPS)} == {("edge",), ("new",)}
    assert len(list(store.rows(WINDS))) == 1


def test_a_row_that_is_renewed_while_old_ones_are_dropped_stays(store):
    for event in range(10, 100, 10):
        store.write(TEMPS, [a_row(event_us=event - 1)])
        renewal = threading.Thread(target=store.write, args=(TEMPS, [a_row(event_us=event)]))
        renewal.start()
        store.drop_before(TEMPS, event)
        renewal.join()

        assert store.read([(TEMPS, ("a",))])[0].event_us == event


def test_projects_in_one_place_do_not_see_each_other(url, store):
    other = open_online(url.partition("?")[0] + "?project=q")
    longer = open_online(url.partition("?")[0] + "?project=xq")
    other.write(TEMPS, [a_row("a")])
    longer.write(TEMPS, [a_row("b")])

    assert store.read([(TEMPS, ("a",))]) == [None]
    assert {row.key for row in other.rows(TEMPS)} == {("a",)}
    assert other.identity() != store.identity()
    assert other.drop_before(TEMPS, 100) == 1
    assert longer.drop_before(TEMPS, 100) == 1
    other.close()
    longer.close()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (a_row(key=None), "null, which no request matches"),
        (a_row(key=3), "key 'k': 3 is no String"),
        (a_row(n=2**63), "field 'n': 9223372036854775808 is no Int64"),
        (a_row(v="warm"), "field 'v': 'warm' is no Float64"),
        (a_row(t=1.0), r"no fields \['t'\]; it has"),
    ],
)
def test_a_row_that_does_not_fit_its_view_is_refused(store, row, message):
    with pytest.raises(BadInput, match=message):
        store.write(TEMPS, [row])


def test_marks_only_move_on(store):
    assert store.marks() == {}
    assert store.mark("temps", {"as_of": "b", "digest": "1"}, at_us=2)
    assert not store.mark("temps", {"as_of": "a", "digest": "2"}, at_us=1)
    assert store.mark("temps", {"as_of": "b", "digest": "3"}, at_us=2)
    assert store.mark("winds", {"as_of": "a"}, at_us=-9)

    assert store.marks() == {"temps": {"as_of": "b", "digest": "3"}, "winds": {"as_of": "a"}}


def test_a_store_keeps_its_identity_when_it_is_opened_again(url, store):
    store.write(TEMPS, [a_row()])
    again = open_online(url)

    assert again.identity() == store.identity()
    assert again.read([(TEMPS, ("a",))]) == [a_row()]
    again.close()


def write_many(url, first, count, barrier=None):
    """Write one row of each of ten entities per instant, newest values last."""
    store = open_online(url)
    if barrier:
        barrier.wait()
    for event in range(first, first + count):
        store.write(TEMPS, [a_row(f"k{key}", event_us=event, n=event, w=str(event)) for key in range(10)])
    store.close()


@pytest.mark.slow
def test_writers_in_processes_of_their_own_leave_the_newest_rows(url):
    barrier = SPAWNED.Barrier(3)
    writers = [SPAWNED.Process(target=write_many, args=(url, first, 60, barrier)) for first in (0, 20, 40)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    store = open_online(url)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert {(row.key[0], row.event_us, row.values["n"]) for row in store.rows(TEMPS)} == {
        (f"k{key}", 99, 99) for key in range(10)
    }
    store.close()


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_only_whole_rows(url):
    words = f"from tests.contract.test_online_store import write_many; write_many({url!r}, 0, 10**9)"
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", words], env={**os.environ, "PYTHONPATH": str(Path.cwd())})
        store = open_online(url)
        until = time.monotonic() + 60
        before = len(list(store.rows(TEMPS))) and store.read([(TEMPS, ("k0",))])[0].event_us
        while (store.read([(TEMPS, ("k0",))])[0] or a_row(event_us=-1)).event_us in (-1, before):
            assert writer.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(0.2)
        writer.send_signal(signal.SIGKILL)
        writer.wait()

        rows = list(store.rows(TEMPS))
        assert len(rows) == 10
        assert all(row.values["n"] == row.event_us and row.values["w"] == str(row.event_us) for row in rows)
        assert store.write(TEMPS, [a_row("k0", event_us=10**9)]).written == 1
        store.drop_before(TEMPS, 10**9 + 1)
        store.close()


def test_a_reader_sees_whole_rows_while_a_thread_writes(store):
    done = threading.Event()

    def write():
        for event in range(200):
            store.write(TEMPS, [a_row(event_us=event, n=event, w=str(event))])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = []
    while not done.is_set():
        [row] = store.read([(TEMPS, ("a",))])
        if row is not None:
            seen.append(row)
    thread.join()

    assert all(row.values["w"] == str(row.event_us) == str(row.values["n"]) for row in seen)
    assert [row.event_us for row in seen] == sorted(row.event_us for row in seen)
