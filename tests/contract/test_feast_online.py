"""Feast's online stores under our rule: the same cells offline and online, by every way that Feast has."""

import asyncio
import itertools
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import uvicorn
import yaml

from argosy.errors import BadInput, Mistake
from argosy.features.online.connect import open_online
from argosy.features.online.rows import OnlineRow, OnlineView
from tests.fakes.features import SECOND, T0, a_feature, a_row, a_view, seconds
from tests.fakes.parity import (
    engine_cells,
    feast_cells,
    instant,
    offline_cells,
    online_row,
    online_view,
    response_cells,
)
from tests.fakes.redis_server import free_port, redis_port

__all__ = ["redis_port"]

ROOT = Path(__file__).parents[2]
TTL = 60 * SECOND
ENTITIES = 3_000
VIEW = a_view(created="created")
COUNTS = a_view(name="counts", source="counts", features=[a_feature(name="n", field="n", dtype="Int64")])
NEW_YORK = ZoneInfo("America/New_York")
_numbers = itertools.count()


class Sides:
    """One view offline, in our engine, and in Feast over the same rows; the clock stands at T0."""

    def __init__(self, folder, kind, port):
        from tests.fakes.feast_stores import online_config, open_feast

        self.folder, self.project = folder, f"p{next(_numbers)}"
        self.config = online_config(kind, folder=folder, port=port, as_of=T0)
        self.feast = open_feast(folder, self.config, [VIEW, COUNTS], self.project)
        place = f"redis://127.0.0.1:{port}/0" if port else f"sqlite:///{folder}/online.db"
        self.engine = open_online(f"{place}?project={self.project}")

    def push(self, rows, view=VIEW):
        """Write rows by Feast."""
        from tests.fakes.feast_stores import feast_frame

        self.feast.push(f"push_{view.name}", feast_frame(view, rows))

    def differing(self, rows, entities, view=VIEW):
        """Return the entities whose cells are not the same on all sides."""
        offline = offline_cells(self.folder / f"offline{next(_numbers)}", view, rows, entities, T0)
        sides = [
            engine_cells(self.engine, view, entities, T0),
            feast_cells(self.feast, view, entities, T0),
            response_cells(self.asked_async(view, entities), T0),
        ]
        assert len(offline) == len(entities)
        return [
            (entity, cells)
            for entity, *cells in zip(entities, offline, *sides, strict=True)
            if any(cell != cells[0] for cell in cells)
        ]

    def asked_async(self, view, entities):
        """Ask Feast by its asynchronous way."""
        asked = [dict(zip(view.keys, key, strict=True)) for key in entities]
        name = f"{view.name}:{view.features[0].field}"
        return asyncio.run(self.feast.get_online_features_async([name], asked)).proto


@pytest.fixture(params=["sqlite", "redis"])
def sides(request, tmp_path):
    port = request.getfixturevalue("redis_port") if request.param == "redis" else None
    made = Sides(tmp_path, request.param, port)
    yield made
    made.engine.close()


pytestmark = pytest.mark.slow  # Feast takes its time to import
ALL = [("a",)]


def test_three_thousand_entities_have_the_same_cells_offline_and_online(sides):
    luck = random.Random(7)
    edges = [0, 1, TTL - 1, TTL, TTL + 1, -1]
    rows = []
    for number in range(ENTITIES):
        age = edges[number % 30] if number % 30 < len(edges) else luck.randrange(3 * TTL)
        value = None if luck.random() < 0.1 else luck.random()
        rows += [a_row(k=f"k{number}", known_at=T0 - age, v=value)] if number % 17 else []
        rows += [a_row(k=f"k{number}", known_at=T0 - age - luck.randrange(TTL) - 1, v=9.0)] if number % 3 == 0 else []
    known = [row for row in rows if row["known_at"] <= T0]
    luck.shuffle(known)
    sides.push(known[::2])
    sides.engine.write(online_view(VIEW), [online_row(VIEW, row) for row in known[1::2]])
    entities = [(f"k{number}",) for number in range(ENTITIES)]

    assert sides.differing(rows, entities) == []
    statuses = {status for status, _, _ in feast_cells(sides.feast, VIEW, entities, T0)}
    assert statuses == {"PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"}


def test_a_late_row_is_the_same_offline_and_online(sides):
    rows = [a_row(known_at=T0 - 50, v=1.0), a_row(known_at=T0 - 9, at=T0 - TTL, v=2.0)]
    for row in rows:
        sides.push([row])

    assert sides.differing(rows, ALL) == []
    assert feast_cells(sides.feast, VIEW, ALL, T0)[0][1] == 2.0


def test_a_backfill_is_the_same_offline_and_online(sides):
    rows = [a_row(known_at=T0 - 9, v=2.0), a_row(known_at=T0 - TTL, v=1.0), a_row(known_at=T0 - 10, v=1.5)]
    for row in rows:
        sides.push([row])

    assert sides.differing(rows, ALL) == []
    assert feast_cells(sides.feast, VIEW, ALL, T0)[0][1] == 2.0


@pytest.mark.parametrize("order", [1, -1])
def test_a_correction_is_the_same_offline_and_online(sides, order):
    rows = [a_row(known_at=T0 - 9, created=T0 - 9, v=1.0), a_row(known_at=T0 - 9, created=T0 - 5, v=2.0)]
    for row in rows[::order]:
        sides.push([row])

    assert sides.differing(rows, ALL) == []
    assert feast_cells(sides.feast, VIEW, ALL, T0)[0][1] == 2.0


def test_a_duplicate_is_the_same_offline_and_online(sides):
    rows = [a_row(known_at=T0 - 9)] * 3
    sides.push(rows[:2])
    sides.push(rows[2:])

    assert sides.differing(rows, [*ALL, *ALL]) == []


def test_a_future_row_is_refused_and_what_it_would_hide_is_the_same_offline_and_online(sides):
    rows = [a_row(known_at=T0 - 9, v=1.0), a_row(known_at=T0 + 1, v=2.0)]
    with pytest.raises(BadInput, match=r"view 'temps': the row of k='a' has its event at .*future of 2013-"):
        sides.push(rows)
    sides.push(rows[:1])

    assert sides.differing(rows, ALL) == []


def test_a_future_row_that_another_writer_left_is_never_served(sides):
    sides.engine.write(online_view(VIEW), [online_row(VIEW, a_row(known_at=T0 + 1))])

    assert feast_cells(sides.feast, VIEW, ALL, T0) == [("NOT_FOUND", None, None)]
    assert engine_cells(sides.engine, VIEW, ALL, T0) == [("NOT_FOUND", None, None)]


def test_a_null_is_the_same_offline_and_online(sides):
    rows = [a_row(known_at=T0 - 9, v=None), a_row(known_at=T0 - 50, v=1.0)]
    sides.push(rows)

    assert sides.differing(rows, [*ALL, (None,)]) == []
    assert feast_cells(sides.feast, VIEW, ALL, T0) == [("NULL_VALUE", None, seconds(9))]


def test_an_int_above_2_to_53_stays_whole_and_is_the_same_offline_and_online(sides):
    big = 2**53 + 1
    rows = [{**a_row(known_at=T0 - 9), "n": big}]
    sides.push(rows, COUNTS)

    assert sides.differing(rows, ALL, COUNTS) == []
    assert sides.feast.get_online_features(["counts:n"], [{"k": "a"}]).to_dict()["n"] == [big]
    assert sides.engine.read([(online_view(COUNTS), ("a",))])[0].values == {"n": big}


def test_a_writer_in_new_york_and_a_reader_in_utc_see_the_same_instants(sides, monkeypatch):
    rows = [a_row(k="a", known_at=T0 - TTL), a_row(k="b", known_at=T0 - TTL - 1)]
    try:
        in_time_zone(monkeypatch, "America/New_York")
        sides.push(rows)
        sides.engine.write(online_view(VIEW), [online_row(VIEW, row) for row in rows])
        in_time_zone(monkeypatch, "UTC")

        assert sides.differing(rows, [("a",), ("b",)]) == []
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_hour_that_a_dst_night_repeats_is_two_hours(sides):
    from tests.fakes.feast_stores import feast_frame, open_feast

    first = datetime(2013, 11, 3, 1, 30, tzinfo=NEW_YORK)
    second = first.replace(fold=1)
    micros = [round(each.timestamp()) * SECOND for each in (first, second)]
    as_of = micros[1] + TTL
    store = open_feast(sides.folder, {**sides.config, "as_of": instant(as_of)}, (), sides.project)
    rows = [a_row(k=name, known_at=event, created=event) for name, event in zip("ab", micros, strict=True)]
    frame = feast_frame(VIEW, rows)
    frame["known_at"] = frame["known_at"].dt.tz_convert(NEW_YORK)
    store.push("push_temps", frame)
    entities = [("a",), ("b",)]

    assert micros[1] - micros[0] == 3600 * SECOND
    assert [status for status, _, _ in feast_cells(store, VIEW, entities, as_of)] == ["OUTSIDE_MAX_AGE", "PRESENT"]
    assert feast_cells(store, VIEW, entities, as_of) == offline_cells(sides.folder / "dst", VIEW, rows, entities, as_of)


def test_materialize_loads_what_was_known_and_an_older_run_after_it_changes_nothing(sides):
    from tests.fakes.feast_stores import write_source

    rows = [a_row(k="a", known_at=T0 - 9, v=2.0), a_row(k="a", known_at=T0 - TTL, v=1.0), a_row(k="b", known_at=T0 + 1)]
    write_source(sides.folder, VIEW, rows)
    sides.feast.materialize(instant(T0 - 2 * TTL), instant(T0), feature_views=["temps"])
    sides.feast.materialize(instant(T0 - 2 * TTL), instant(T0 - TTL), feature_views=["temps"])

    assert sides.differing(rows, [("a",), ("b",)]) == []


def test_several_views_and_repeated_entities_are_answered_in_their_places(sides):
    sides.push([a_row(k="a", known_at=T0, v=0.5), a_row(k="b", known_at=T0 - TTL - 1)])
    sides.push([{**a_row(k="b", known_at=T0), "n": 3}], COUNTS)

    found = sides.feast.get_online_features(["counts:n", "temps:v"], [{"k": key} for key in "abxba"]).to_dict()

    assert found == {"k": list("abxba"), "n": [None, 3, None, 3, None], "v": [0.5, None, None, None, 0.5]}


def test_a_deleted_view_loses_its_rows_and_teardown_those_of_all(sides):
    sides.push([a_row(known_at=T0)])
    sides.push([{**a_row(known_at=T0), "n": 3}], COUNTS)
    before = sides.engine.identity()
    sides.feast.apply([], objects_to_delete=[sides.feast.get_feature_view("counts")], partial=False)

    assert list(sides.engine.rows(online_view(COUNTS))) == []
    assert len(list(sides.engine.rows(online_view(VIEW)))) == 1
    assert sides.engine.identity() != before
    sides.feast.teardown()
    assert list(sides.engine.rows(online_view(VIEW))) == []


def test_a_precomputed_service_is_refused(sides):
    from feast import FeatureService

    sides.feast.apply(
        [FeatureService(name="s", features=[sides.feast.get_feature_view("temps")], precompute_online=True)]
    )

    with pytest.raises(Mistake, match="feature service 's': precomputed vectors outlive their TTL"):
        sides.feast.get_online_features(sides.feast.get_feature_service("s"), [{"k": "a"}])


def test_a_request_without_a_key_of_the_view_is_told_so(sides):
    with pytest.raises(Exception, match=r"lacks its keys \['k'\]|Missing join key"):
        sides.feast.get_online_features(["temps:v"], [{"other": "a"}])


def test_the_feature_server_answers_and_takes_pushes_under_the_rule(sides):
    rows = [a_row(k="a", known_at=T0 - TTL, v=0.5), a_row(k="b", known_at=T0 - TTL - 1)]
    frame = {
        "k": [row["k"] for row in rows],
        "v": [row["v"] for row in rows],
        "known_at": [instant(row["known_at"]).isoformat(timespec="microseconds") for row in rows],
        "created": [instant(T0).isoformat() for _ in rows],
    }
    with feature_server(sides.feast) as client:
        pushed = client.post("/push", json={"push_source_name": "push_temps", "df": frame, "to": "online"})
        answer = client.post(
            "/get-online-features", json={"features": ["temps:v"], "entities": {"k": ["a", "b", "x"]}}
        ).json()
        frame["known_at"][0] = instant(T0 + 1).isoformat(timespec="microseconds")
        refused = client.post("/push", json={"push_source_name": "push_temps", "df": frame, "to": "online"})

    assert pushed.status_code == 200
    assert answer["results"][1] == {
        "values": [0.5, None, None],
        "statuses": ["PRESENT", "OUTSIDE_MAX_AGE", "NOT_FOUND"],
        "event_timestamps": ["2013-01-01T00:25:40Z", "2013-01-01T00:25:39.999999Z", "1970-01-01T00:00:00Z"],
    }
    assert refused.status_code == 500
    assert "in the future of" in refused.text


@pytest.mark.parametrize(
    ("kind", "setting", "message"),
    [
        ("Sqlite", {"as_of": "2013-01-01T00:00:00"}, "timezone"),
        ("Sqlite", {"vector_enabled": True}, "vector_enabled is True; leave it out"),
        ("Redis", {"key_ttl_seconds": 60}, "key_ttl_seconds is 60; leave it out"),
        ("Redis", {"skip_dedup": True}, "skip_dedup is True; leave it out"),
        ("Redis", {"redis_type": "redis_cluster"}, "allowed are redis and redis_sentinel"),
    ],
)
def test_settings_that_break_the_rule_are_refused(kind, setting, message):
    from argosy.features.feast import online as feast_online

    with pytest.raises(ValueError, match=message):
        getattr(feast_online, f"{kind}TtlOnlineStoreConfig")(**setting)


def test_feast_serves_the_projects_definitions_from_the_rows_that_argosy_writes(tmp_path, monkeypatch):
    repository = tmp_path / "feature_repo"
    shutil.copytree(ROOT / "feature_repo", repository, ignore=shutil.ignore_patterns("__pycache__"))
    settings = repository / "feature_store.yaml"
    changed = yaml.safe_load(settings.read_text()) | {"offline_store": {"type": "dask"}}
    settings.write_text(yaml.safe_dump(changed))
    (tmp_path / ".argosy").mkdir()
    feast = [str(Path(sys.executable).with_name("feast")), "-c", str(repository)]
    done = subprocess.run([*feast, "apply"], capture_output=True, text=True, env=os.environ | {"PYTHONOPTIMIZE": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    store = open_online(f"sqlite:///{tmp_path}/.argosy/online.db")
    now_us = time.time_ns() // 1_000
    weather = OnlineView("weather", ("origin",), ("String",), {"temp": "Float32"})
    store.write(weather, [OnlineRow(("JFK",), now_us - 1, None, {"temp": 41.5})])

    from feast import FeatureStore

    monkeypatch.chdir(repository)  # the registry's path starts there
    asked = [{"origin": "JFK", "dest": "LAX", "carrier": "UA", "flight": 1, "tailnum": "N1"}]
    opened = FeatureStore(repo_path=".")
    found = opened.get_online_features(opened.get_feature_service("flights_delay"), asked).to_dict()

    assert (found["temp"], found["dewp"], found["plane_seats"]) == ([41.5], [None], [None])
    store.close()


APPLY = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.fakes.features import a_view
from tests.fakes.feast_stores import online_config, open_feast
folder, number = Path(sys.argv[1]), sys.argv[2]
view = a_view(name=f"view{number}", source=f"source{number}")
(folder / f"ready{number}").touch()
while len(list(folder.glob("ready*"))) < 6:
    pass
open_feast(folder, online_config("sqlite", folder=folder), [view])
"""


def test_six_applies_at_once_leave_six_views(tmp_path):
    from tests.fakes.feast_stores import online_config, open_feast

    # Feast makes the registry's tables when it is first asked something, and that it cannot do twice at once.
    assert open_feast(tmp_path, online_config("sqlite", folder=tmp_path)).list_feature_views() == []
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", APPLY, str(tmp_path)]
    applies = [subprocess.Popen([*command, str(number)], env=env, stderr=subprocess.PIPE) for number in range(6)]
    errors = [apply.communicate()[1].decode() for apply in applies]

    assert [apply.returncode for apply in applies] == [0] * 6, errors
    store = open_feast(tmp_path, online_config("sqlite", folder=tmp_path))
    assert {view.name for view in store.list_feature_views()} == {f"view{number}" for number in range(6)}


@contextmanager
def feature_server(store):
    """Serve as `feast serve` does, over HTTP."""
    from feast.feature_server import get_app

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(get_app(store), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def in_time_zone(monkeypatch, name):
    """Let this process live elsewhere."""
    monkeypatch.setenv("TZ", name)
    time.tzset()
