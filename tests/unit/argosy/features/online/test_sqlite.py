import multiprocessing
import shutil
import sqlite3
import threading

import pytest

from argosy.errors import BadInput, Outage
from argosy.features.online import sqlite
from argosy.features.online.packed import PackedRow
from argosy.features.online.sqlite import SqliteRows

SPAWNED = multiprocessing.get_context("spawn")
ROW = PackedRow(b"key", 1, 2, b"values")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "online.db"


@pytest.fixture
def rows(path):
    opened = SqliteRows(path, "p")
    yield opened
    opened.close()


def test_a_file_that_is_replaced_is_left_for_the_new_one(path, rows, tmp_path):
    rows.put("v", [ROW])
    before = rows.identity()
    other = SqliteRows(tmp_path / "other.db", "p")
    other.put("v", [ROW._replace(event_us=9)])
    other.close()
    for each in path.parent.iterdir():
        each.unlink()
    (tmp_path / "other.db").replace(path)

    assert rows.get([("v", b"key")]) == [ROW._replace(event_us=9)]
    assert rows.identity() != before
    assert rows.put("v", [ROW]).superseded == 1
    rows.close()
    assert rows.get([("v", b"key")]) == [ROW._replace(event_us=9)]


def test_a_copy_that_takes_the_place_of_a_file_has_another_identity(path, rows, tmp_path):
    before = rows.identity()
    rows.close()
    shutil.copy(path, tmp_path / "backup.db")
    (tmp_path / "backup.db").replace(path)

    assert rows.identity() != before


def test_a_file_that_is_deleted_is_an_empty_store_of_another_identity(path, rows):
    rows.put("v", [ROW])
    rows.mark("v", {"as_of": 1}, at_us=1)
    before = rows.identity()
    for each in path.parent.iterdir():
        each.unlink()

    assert rows.get([("v", b"key")]) == [None]
    assert rows.marks() == {}
    assert rows.identity() != before


def test_a_dropped_view_takes_its_mark_along_and_the_store_has_another_identity(rows):
    rows.put("v", [ROW])
    rows.put("w", [ROW])
    rows.mark("v", {"as_of": 1}, at_us=1)
    before = rows.identity()
    rows.drop_view("v", b"key")

    assert rows.get([("v", b"key"), ("w", b"key")]) == [None, ROW]
    assert rows.marks() == {}
    assert rows.identity() != before


def test_what_is_no_database_is_named(path, rows):
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)

    with pytest.raises(BadInput, match=rf"^{path}: no online store \(file is not a database\); name another file"):
        rows.get([("v", b"key")])


def test_a_file_of_a_later_format_is_refused(path, rows):
    rows.identity()
    rows.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()

    with pytest.raises(BadInput, match="an online store of format 9; this code reads 1"):
        rows.get([("v", b"key")])


def test_a_writer_that_is_stuck_is_an_outage_and_readers_read_on(path, rows, monkeypatch):
    monkeypatch.setattr(sqlite, "PATIENCE_S", 0.05)
    rows.put("v", [ROW])
    rows.close()
    stuck = sqlite3.connect(path, isolation_level=None)
    stuck.execute("BEGIN IMMEDIATE")

    with pytest.raises(Outage, match=r"does not answer .*database is locked"):
        rows.put("v", [ROW])
    assert rows.get([("v", b"key")]) == [ROW]
    stuck.close()
    assert rows.put("v", [ROW._replace(packed=b"newer")]).written == 1


def test_a_batch_that_fails_leaves_none_of_its_rows(rows):
    with pytest.raises(BadInput, match="no online store"):
        rows.put("v", [ROW, ROW._replace(key=b"other", event_us=None)])

    assert rows.get([("v", b"key")]) == [None]


def test_threads_share_an_open_store(rows):
    def write(name):
        for event in range(50):
            rows.put("v", [PackedRow(name, event, 0, b"x")])
            assert rows.get([("v", name)])[0].event_us == event

    threads = [threading.Thread(target=write, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {(row.key, row.event_us) for row in rows.scan("v", b"")} == {(b"a", 49), (b"b", 49), (b"c", 49)}


def name_it(path, names, barrier):
    """Open a store at the same moment as others and say how it is called."""
    barrier.wait()
    rows = SqliteRows(path, "p")
    names.put(rows.identity())
    rows.close()


@pytest.mark.slow
def test_processes_that_make_a_store_at_once_make_one(path):
    names, barrier = SPAWNED.Queue(), SPAWNED.Barrier(6)
    makers = [SPAWNED.Process(target=name_it, args=(path, names, barrier)) for _ in range(6)]
    for maker in makers:
        maker.start()
    found = {names.get(timeout=60) for _ in makers}
    for maker in makers:
        maker.join()

    assert len(found) == 1
