"""The weather of a whole real year, under a schedule that serves it hourly."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from argosy.errors import Mistake
from argosy.features.definitions.compile import rules_of
from argosy.features.offline.coverage import check_coverage
from argosy.features.rules import read_rules
from components.flights.clean import validate
from components.flights.events import build_events
from components.flights.ingestion import ingest
from components.flights.profiles import PROFILES
from tests.fakes.features import described

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "flights_delay.features.json"
AS_OF = "2014-01-03T00:00:00Z"
HOURLY = {"max_lateness": "15m", "materialize_every": "1h", "run_budget": "5m", "min_coverage": "0.995"}
HOUR_US = 3600 * 1_000_000


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """The event rows and requests of 2013."""
    folder = tmp_path_factory.mktemp("year")
    ingest(as_of=AS_OF, profile="year", out=folder / "raw")
    validate(raw=folder / "raw", as_of=AS_OF, clean=folder / "clean", quarantine=folder / "quarantine")
    build_events(clean=folder / "clean", events=folder / "events")
    return folder / "events"


def hourly_weather(ttl_us):
    """Compile the weather of the flights, loaded hourly, with a TTL."""
    [weather] = [view for view in read_rules(GOLDEN).views if view.name == "weather"]
    view = described(replace(weather, ttl_us=ttl_us, created=None))
    view["tags"] |= HOURLY
    found = {"services": ["flights"], "id": "flight_id", "request": [], "views": [view], "on_demand": []}
    return rules_of(found, "flights")


def measured(events, rules, folder):
    """Check the coverage of the window that the flights train on."""
    (folder / "features.json").write_text(rules.to_json())
    plan = PROFILES["year"].training
    features = folder / "features.json"
    return check_coverage(events=events, features=features, start=plan.train.start, end=plan.calibrate.end)


def proposed_us(message):
    """Read the TTL that a message proposes."""
    unit, number = re.search(r"ttl=timedelta\((\w+)=(\d+)\)", message).groups()
    return timedelta(**{unit: int(number)}) // timedelta(microseconds=1)


def test_weather_of_an_hour_is_refused_and_what_is_proposed_covers_the_requests_of_the_year(year, tmp_path):
    with pytest.raises(Mistake) as refused:
        hourly_weather(HOUR_US)

    assert "a row can be 80m old before it is served (max_lateness 15m + materialize_every 1h" in str(refused.value)
    found = measured(year, hourly_weather(proposed_us(str(refused.value))), tmp_path)
    assert found["ok"], found["reasons"]
    assert found["coverage"]["views"]["weather"]["with_lag"] >= 0.995


def test_what_the_schedule_allows_and_the_feed_does_not_is_refused_by_the_data(year, tmp_path):
    found = measured(year, hourly_weather(85 * 60 * 1_000_000), tmp_path)

    assert (found["verdict"], found["coverage"]["views"]["weather"]["coverage"]) == (
        "rejected",
        pytest.approx(1, abs=1e-3),
    )
    again = measured(year, hourly_weather(proposed_us(found["reasons"][0])), tmp_path)
    assert again["ok"]
    assert again["coverage"]["views"]["weather"]["with_lag"] >= 0.995


def test_every_view_of_the_flights_is_there_in_time(year, tmp_path):
    found = measured(year, read_rules(GOLDEN), tmp_path)

    assert found["reasons"] == []
