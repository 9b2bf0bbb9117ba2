import random
from pathlib import Path

import numpy as np
import pytest

from argosy.features.offline.retrieval import retrieve
from components.flights.clean import validate
from components.flights.events import build_events
from components.flights.ingestion import ingest
from tests.fakes.features import rows_of
from tests.fakes.flight_history import (
    FIRST_DAY,
    HOUR,
    MINUTE,
    History,
    a_flight,
    blank_after,
    hourly_weather,
    random_flights,
    same,
    write_clean,
)

RULES = Path(__file__).parents[3] / "golden" / "flights_delay.features.json"
AS_OF = "2014-01-05T00:00:00Z"
LABELS = ("y", "label_at")


def frame_of(clean, folder):
    """Build events and retrieve; return the frame's rows by flight."""
    build_events(clean=clean, events=folder / "events")
    retrieve(requests=folder / "events" / "requests", events=folder / "events", features=RULES, frame=folder / "frame")
    files = sorted((folder / "frame").glob("*.parquet"))
    return {row["flight_id"]: row for file in files for row in rows_of(file)}


def features_of(folder, flights, weather=()):
    """Retrieve the features of a few flights."""
    return frame_of(write_clean(folder / "clean", flights, weather or hourly_weather(3)), folder)


@pytest.fixture(scope="module")
def january(tmp_path_factory):
    """Return the real January: clean tables and the frame."""
    folder = tmp_path_factory.mktemp("january")
    ingest(as_of=AS_OF, profile="month", out=folder / "raw")
    validate(raw=folder / "raw", as_of=AS_OF, clean=folder / "clean", quarantine=folder / "quarantine")
    return folder / "clean", frame_of(folder / "clean", folder)


def differing_cells(clean, frame, *, count, seed):
    """Compare random cells with the ones computed row by row."""
    history, rng = History(clean), random.Random(seed)
    features = history.features()
    wrong = []
    for _ in range(count):
        flight, name = rng.choice(history.flights), rng.choice(sorted(features))
        found, expected = frame[flight["flight_id"]][name], features[name](flight)
        if not same(found, expected):
            wrong.append((flight["flight_id"], name, found, expected))
    return wrong


@pytest.mark.parametrize("seed", range(3))
def test_every_cell_of_a_dense_history_is_the_one_computed_row_by_row(tmp_path, seed):
    clean = write_clean(tmp_path / "clean", random_flights(seed, 400), hourly_weather(80))

    assert differing_cells(clean, frame_of(clean, tmp_path), count=3_000, seed=seed) == []


def test_500_random_cells_of_january_are_those_computed_row_by_row(january):
    assert differing_cells(*january, count=500, seed=1) == []


def changed_by_the_future(clean_before, clean_after, folder, instant):
    """List flights, asked about by an instant, whose features depend on what became known after it."""
    before, after = frame_of(clean_before, folder / "before"), frame_of(clean_after, folder / "after")
    asked = [name for name, row in before.items() if row["t0"] <= instant]
    assert asked

    def features(row):
        return {name: value for name, value in row.items() if name not in LABELS}

    return [name for name in asked if features(before[name]) != features(after[name])]


@pytest.mark.parametrize("hours", [9.5, 20, 33.17, 57])
def test_taking_out_all_that_became_known_later_changes_no_feature(tmp_path, hours):
    flights, weather = random_flights(7, 400), hourly_weather(80)
    instant = FIRST_DAY + round(hours * 60) * MINUTE
    whole = write_clean(tmp_path / "whole", flights, weather)
    blanked = write_clean(tmp_path / "blanked", *blank_after(flights, weather, instant))

    assert changed_by_the_future(whole, blanked, tmp_path, instant) == []


@pytest.mark.slow
@pytest.mark.parametrize("day", [3, 14, 25])
def test_taking_out_the_future_changes_no_feature_of_the_real_january(january, tmp_path, day):
    clean, _ = january
    history = History(clean)
    weather = [row for rows in history.weather.values() for row in rows]
    instant = FIRST_DAY + (day * 24 + 13) * HOUR
    whole = write_clean(tmp_path / "whole", history.flights, weather)
    blanked = write_clean(tmp_path / "blanked", *blank_after(history.flights, weather, instant))

    assert changed_by_the_future(whole, blanked, tmp_path, instant) == []


DEPARTURES = ("origin_dep_delay", "origin_dep_count", "carrier_origin_dep_delay", "tail_dep_delay", "slack_min")


@pytest.mark.parametrize("early", [1, 9, 10, 11, 45])
def test_a_flight_never_sees_its_own_early_departure(tmp_path, early):
    frame = features_of(tmp_path, [a_flight(dep_delay=-early)])

    assert {name: frame["f1"][name] for name in DEPARTURES} == dict.fromkeys(DEPARTURES)
    assert frame["f1"]["origin_dep__status"] == "NOT_FOUND"


def test_an_early_departure_is_seen_by_the_next_flight_a_minute_later(tmp_path):
    early = a_flight(dep_delay=-45)
    after = a_flight(flight_id="f2", sched_dep_at=early["sched_dep_at"] + MINUTE)
    frame = features_of(tmp_path, [early, after])

    assert (frame["f2"]["origin_dep_delay"], frame["f2"]["tail_dep_delay"]) == (-45.0, -45.0)
    assert frame["f2"]["queue_origin"] == 0.0


def test_events_of_one_key_and_instant_are_one_row(tmp_path):
    flights = [a_flight(flight_id=f"f{n}", dep_delay=delay) for n, delay in enumerate((0, 30, 30))]
    clean = write_clean(tmp_path / "clean", flights, hourly_weather(3))
    build_events(clean=clean, events=tmp_path / "events")

    rows = rows_of(tmp_path / "events" / "origin_dep.parquet")
    assert [(row["origin_dep_count"], row["origin_dep_delay"]) for row in rows] == [(1.0, 0.0), (3.0, 20.0)]


def test_an_event_leaves_its_window_to_the_microsecond_after_it(tmp_path):
    first = FIRST_DAY + 8 * HOUR
    flights = [
        a_flight(flight_id="f1", sched_dep_at=first),
        a_flight(flight_id="f2", sched_dep_at=first + 2 * HOUR - MINUTE),
        a_flight(flight_id="f3", sched_dep_at=first + 2 * HOUR),
    ]
    clean = write_clean(tmp_path / "clean", flights, hourly_weather(3))
    build_events(clean=clean, events=tmp_path / "events")

    rows = rows_of(tmp_path / "events" / "origin_dep.parquet")
    assert [row["origin_dep_count"] for row in rows] == [1.0, 2.0, 2.0]


def test_a_row_says_when_it_happened_and_when_it_was_known(tmp_path):
    flight = a_flight(dep_delay=-45)
    build_events(clean=write_clean(tmp_path / "clean", [flight], hourly_weather(3)), events=tmp_path / "events")

    [row] = rows_of(tmp_path / "events" / "origin_dep.parquet")
    assert (row["event_at"], row["available_at"]) == (flight["dep_at"], flight["sched_dep_at"] + MINUTE)


def test_every_flight_is_asked_about_and_only_arrivals_have_labels(tmp_path):
    flights = [
        a_flight(flight_id="late", arr_delay=15),
        a_flight(flight_id="fine", arr_delay=14),
        a_flight(flight_id="lost", arr_delay=None),
        a_flight(flight_id="none", dep_delay=None, arr_delay=None, tailnum=None),
    ]
    frame = features_of(tmp_path, flights)

    assert {name: row["y"] for name, row in frame.items()} == {"late": 1, "fine": 0, "lost": None, "none": None}
    assert {name: row["label_at"] for name, row in frame.items()} == {
        row["flight_id"]: row["arr_available_at"] for row in flights
    }


def test_a_silent_departure_feed_takes_the_queue_with_it(tmp_path):
    first = a_flight()
    stuck = [
        a_flight(
            flight_id=f"s{n}", sched_dep_at=first["sched_dep_at"] + n * 20 * MINUTE, dep_delay=None, arr_delay=None
        )
        for n in range(1, 10)
    ]
    frame = features_of(tmp_path, [first, *stuck])

    assert [frame[f"s{n}"]["queue_origin"] for n in range(1, 10)] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, None, None, None]


def test_a_history_without_departures_gives_nulls(tmp_path):
    frame = features_of(tmp_path, [a_flight(dep_delay=None, arr_delay=None, tailnum=None)])

    assert {name: frame["f1"][name] for name in (*DEPARTURES, "queue_origin", "route_late_14d")} == dict.fromkeys(
        (*DEPARTURES, "queue_origin", "route_late_14d")
    )


def test_makers_of_few_planes_are_one_category(tmp_path):
    frame = features_of(tmp_path, [a_flight(tailnum="N1")])

    assert (frame["f1"]["plane_maker"], frame["f1"]["plane_year"]) == ("OTHER", 2001.0)


def test_the_same_clean_tables_give_the_same_bytes(tmp_path):
    flights = random_flights(3, 200)
    for name, flip in (("one", 1), ("two", -1)):
        clean = write_clean(tmp_path / name, flights[::flip], hourly_weather(80)[::flip])
        build_events(clean=clean, events=tmp_path / name / "events")

    one, two = (sorted((tmp_path / name / "events").rglob("*.parquet")) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_no_departure_of_january_is_published_by_its_scheduled_departure(january):
    clean, _ = january
    flights = rows_of(clean / "flights" / "part-2013-01.parquet")
    early = [row for row in flights if row["dep_available_at"] and row["dep_available_at"] <= row["sched_dep_at"]]

    assert len(early) > 100
    assert np.mean([row["dep_delay"] for row in early]) <= -10
