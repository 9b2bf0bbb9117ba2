"""Pushed rows through a real Redis stream into both online stores."""

import json
from contextlib import closing

import pytest
import redis

from argosy.errors import Outage
from argosy.features.instants import instant_text, now_us
from argosy.features.online import streaming
from argosy.features.online.connect import open_online
from argosy.features.online.marks import online_view
from argosy.features.online.streaming import Consumer, push
from tests.fakes.features import SECOND, T0, a_view
from tests.fakes.redis_server import redis_port  # noqa: F401 - a fixture

VIEW = a_view(max_lateness_s=10)


@pytest.fixture(params=["sqlite", "redis"])
def online(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/online.db"
    else:
        url = f"redis://127.0.0.1:{request.getfixturevalue('redis_port')}/0?project={tmp_path.name}"
    with closing(open_online(url)) as store:
        yield store


class Stream:
    """A stream of its own, and readers of it at a frozen instant."""

    def __init__(self, port, name, online):
        self.redis = redis.Redis(port=port)
        self.name = name
        self.online = online

    def reader(self, name="one", now=T0):
        made = Consumer(self.redis, self.name, name, {"temps": VIEW}, self.online, lambda: now)
        made.join()
        return made

    def push(self, *rows):
        assert push(self.redis, self.name, rows) == len(rows)

    def held(self):
        return {row.key[0]: (row.event_us, row.values["v"]) for row in self.online.rows(online_view(VIEW))}

    def pending(self):
        return self.redis.xpending(self.name, streaming.GROUP)["pending"]

    def refused(self):
        return [fields[b"reason"].decode() for _, fields in self.redis.xrange(f"{self.name}:refused")]


@pytest.fixture
def stream(redis_port, tmp_path, online):  # noqa: F811
    made = Stream(redis_port, f"pushed-{tmp_path.name}", online)
    yield made
    made.redis.close()


def a_row(k="a", at=T0, v=1.0):
    return {"view": "temps", "key": {"k": k}, "event": instant_text(at), "values": {"v": v}}


def test_a_pushed_row_is_held_and_acknowledged(stream):
    stream.push(a_row(v=2.5))
    reader = stream.reader()

    assert reader.take() == 1
    assert stream.held() == {"a": (T0, 2.5)}
    assert stream.pending() == 0
    assert reader.account.report() == {
        "temps": {"outcomes": {"due on arrival": 1, "superseded": 0, "written": 1}, "lag_s": {"<=1": 1}}
    }


def test_an_older_row_never_replaces_a_newer_one_and_is_counted(stream):
    stream.push(a_row(v=2.0), a_row(at=T0 - 5 * SECOND, v=1.0))
    reader = stream.reader()
    reader.take()

    assert stream.held() == {"a": (T0, 2.0)}
    assert reader.account.outcomes["temps", "superseded"] == 1


def test_a_correction_of_the_same_instant_wins(stream):
    stream.push(a_row(v=1.0))
    reader = stream.reader()
    reader.take()
    stream.push(a_row(v=2.0))
    reader.take()

    assert stream.held() == {"a": (T0, 2.0)}


def test_late_and_expired_rows_are_accounted_and_the_expired_are_not_written(stream):
    stream.push(a_row("late", T0 - 11 * SECOND), a_row("expired", T0 - 60 * SECOND - 1), a_row("old", T0 - 60 * SECOND))
    reader = stream.reader()
    reader.take()

    outcomes = reader.account.report()["temps"]["outcomes"]
    assert set(stream.held()) == {"late", "old"}
    assert (outcomes["late on arrival"], outcomes["expired"], outcomes["written"]) == (2, 1, 2)
    assert reader.account.report()["temps"]["lag_s"] == {"<=15": 1, "<=60": 1, "<=300": 1}


def test_a_row_from_far_ahead_is_set_aside_and_does_not_hide_the_valid_one(stream):
    stream.push(a_row(v=1.0), a_row(at=T0 + 3600 * SECOND, v=9.0))
    stream.reader().take()

    assert stream.held() == {"a": (T0, 1.0)}
    assert stream.refused() == [
        "temps: its event lies 3600.000 s ahead; allowed are 5 s: look at the sender's clock and time zone"
    ]


def test_a_row_a_little_ahead_is_held_until_its_instant(stream):
    ahead = now_us() + 300_000
    stream.push(a_row(at=ahead))
    reader = Consumer(stream.redis, stream.name, "one", {"temps": VIEW}, stream.online)
    reader.join()
    reader.take()

    assert now_us() >= ahead
    assert stream.held() == {"a": (ahead, 1.0)}


def test_what_is_no_row_is_set_aside_with_the_reason_and_the_rest_goes_on(stream):
    stream.redis.xadd(stream.name, {"row": "{"})
    stream.redis.xadd(stream.name, {"other": "x"})
    stream.redis.xadd(stream.name, {"row": json.dumps(a_row() | {"view": "tamps"})})
    stream.push(a_row())

    assert stream.reader().take() == 4
    assert stream.held() == {"a": (T0, 1.0)}
    assert [reason.split(":")[0] for reason in stream.refused()] == [
        "a pushed row is not JSON",
        "a pushed row is not JSON",
        "view",
    ]
    assert stream.pending() == 0


def test_rows_of_a_reader_that_died_before_it_acknowledged_are_taken_over(stream, monkeypatch):
    stream.push(a_row("a"), a_row("b"))
    dead = stream.reader("dead")
    stream.redis.xreadgroup(streaming.GROUP, dead.name, {stream.name: ">"})
    monkeypatch.setattr(streaming, "IDLE_MS", 0)

    assert stream.reader("heir").take() == 2
    assert set(stream.held()) == {"a", "b"}
    assert stream.pending() == 0


def test_rows_that_come_twice_are_held_once(stream):
    stream.push(a_row(), a_row())
    reader = stream.reader()
    reader.take()

    assert stream.held() == {"a": (T0, 1.0)}
    assert reader.account.outcomes["temps", "written"] == 1


def test_two_readers_share_the_rows(stream):
    stream.push(*(a_row(f"k{number}") for number in range(700)))
    one, two = stream.reader("one"), stream.reader("two")

    assert (one.take(), two.take()) == (500, 200)
    assert len(stream.held()) == 700


def test_a_stream_that_does_not_answer_is_an_outage(online):
    gone = Consumer(redis.Redis(port=1, retry=None), "s", "one", {"temps": VIEW}, online)

    with pytest.raises(Outage, match="does not answer"):
        gone.take()
