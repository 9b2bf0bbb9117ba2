import pytest
import redis

from argosy.errors import Outage
from argosy.features.online.packed import PackedRow
from argosy.features.online.redis import connect
from tests.fakes.redis_server import find_redis, free_port, redis_port, start_redis, stop_redis

__all__ = ["redis_port"]

ROW = PackedRow(b"key", 1, 2, b"values")


def test_a_server_that_is_away_is_an_outage_that_tells_no_password():
    port = free_port()
    rows = connect(f"redis://me:s3cret@127.0.0.1:{port}/0", "p")

    for call in (lambda: rows.get([("v", b"key")]), lambda: rows.put("v", [ROW]), rows.marks, rows.identity):
        with pytest.raises(
            Outage, match=rf"^redis://me:\*\*\*@127\.0\.0\.1:{port}/0: the online store does not answer"
        ):
            call()


def test_rows_and_identity_outlive_a_restart_but_not_a_flush(tmp_path):
    if find_redis() is None:
        pytest.skip("no Redis")
    port = free_port()
    server = start_redis(tmp_path, port)
    rows = connect(f"redis://127.0.0.1:{port}/0", "p")
    rows.put("v", [ROW])
    rows.mark("v", {"as_of": 1}, at_us=1)
    name = rows.identity()
    stop_redis(server)
    server = start_redis(tmp_path, port)
    try:
        assert rows.get([("v", b"key")]) == [ROW]
        assert rows.put("v", [ROW._replace(event_us=0)]).superseded == 1
        assert (rows.identity(), rows.marks()) == (name, {"v": {"as_of": 1}})
        with redis.Redis(port=port) as client:
            client.flushall()
        assert rows.get([("v", b"key")]) == [None]
        assert (rows.identity() != name, rows.marks()) == (True, {})
    finally:
        rows.close()
        server.kill()
        server.wait()


def test_all_views_of_all_entities_are_read_in_one_round_trip(redis_port, tmp_path):
    rows = connect(f"redis://127.0.0.1:{redis_port}/0", "trips")
    wanted = [(view, key) for view in ("v", "w", "x") for key in (b"k1", b"k2")]
    rows.get(wanted)
    with redis.Redis(port=redis_port) as client:
        before = client.info("stats")
        rows.get(wanted)
        after = client.info("stats")

    # One command per entity, and the one that asked for the statistics.
    assert after["total_commands_processed"] - before["total_commands_processed"] == 2 + 1
    assert after["total_connections_received"] == before["total_connections_received"]
    rows.close()


def test_a_row_lies_under_feasts_key_where_feast_finds_what_to_delete(redis_port):
    rows = connect(f"redis://127.0.0.1:{redis_port}/0", "shown")
    rows.put("v", [ROW])
    with redis.Redis(port=redis_port) as client:
        assert client.hkeys(b"keyshown") == [b"argosy:shown:v"]
    rows.close()


def test_a_dropped_view_takes_its_mark_along_and_the_store_has_another_identity(redis_port):
    rows = connect(f"redis://127.0.0.1:{redis_port}/0", "dropped")
    rows.put("v", [ROW])
    rows.put("w", [ROW])
    rows.mark("v", {"as_of": 1}, at_us=1)
    before = rows.identity()
    rows.drop_view("v", b"k")

    assert rows.get([("v", b"key"), ("w", b"key")]) == [None, ROW]
    assert rows.marks() == {}
    assert rows.identity() != before
    rows.close()
