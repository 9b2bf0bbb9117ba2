import json
import math
from dataclasses import replace

import numpy as np
import pytest

from argosy.errors import BadInput
from argosy.features.replay.replay import replay
from argosy.features.replay.report import replay_markdown
from tests.fakes.replayed import (
    DAY,
    HOUR,
    LAG,
    RULES,
    START,
    Delivery,
    changed,
    delivered,
    replayed,
    world,
    write_events,
    write_log,
)

HALFWAY = START + 2 * DAY


def only(view):
    """Skew one view from halfway on, or one of its rows in so many."""

    def decorate(skew):
        def skewed(name, delivery):
            return skew(delivery) if name == view and delivery.event >= HALFWAY else delivery

        return skewed

    return decorate


@only("weather")
def stale_feed(_delivery):
    return None


@only("weather")
def celsius(delivery):
    return changed(delivery, temp=(delivery.row["temp"] - 32) * 5 / 9)


@only("weather")
def zero_for_null(delivery):
    return changed(delivery, gust=delivery.row["gust"] or 0.0)


@only("weather")
def local_time(delivery):
    return replace(delivery, event=delivery.event - 5 * HOUR)


@only("weather")
def an_hour_off(delivery):
    return replace(delivery, event=delivery.event - HOUR)


@only("tail")
def a_third_is_late(delivery):
    late = 3 * HOUR if delivery.row["delay"] % 3 == 0 else 0
    return replace(delivery, arrives_at=delivery.arrives_at + late)


@only("weather")
def without_the_logarithm(delivery):
    return changed(delivery, rain=float(np.float32(math.expm1(delivery.row["rain"]))))


def views_with_kinds(report):
    return {name: set(view["kinds"]) for name, view in report["views"].items() if view["kinds"]}


@pytest.mark.slow
def test_a_clean_log_of_ten_thousand_requests_has_no_false_cell(tmp_path):
    report = replayed(tmp_path, count=10_000)

    assert (report["requests"], report["cells"], report["false_cells"]) == (10_000, 130_000, 0)
    assert report["verdict"]["ok"]
    assert report["findings"] == []
    assert views_with_kinds(report) == {}


def test_a_clean_log_has_no_false_cell(tmp_path):
    assert replayed(tmp_path, count=1000)["false_cells"] == 0


@pytest.mark.parametrize(
    ("skew", "view", "kind", "cells"),
    [
        (stale_feed, "weather", "stale row", {"temp", "gust", "rain", "sky", "weather_age_s", "queue"}),
        (celsius, "weather", "unit", {"temp"}),
        (zero_for_null, "weather", "default instead of null", {"gust"}),
        (local_time, "weather", "time zone", {"temp", "gust", "rain", "sky", "weather_age_s", "queue"}),
        (an_hour_off, "weather", "time zone", {"temp", "gust", "rain", "sky", "weather_age_s", "queue"}),
        (a_third_is_late, "tail", "late data", {"delay", "slack", "same", "tail_age_s"}),
        (without_the_logarithm, "weather", "skipped transformation", {"rain"}),
    ],
    ids=["stale feed", "unit", "default", "time zone", "zone within the ttl", "late data", "transformation"],
)
def test_each_skew_is_found_and_named_and_nothing_else_is(tmp_path, skew, view, kind, cells):
    report = replayed(tmp_path, skew, count=5000 if kind == "late data" else 2000)

    assert set(report["features"]) == cells

    assert views_with_kinds(report) == {view: {kind}}
    assert not report["verdict"]["ok"]
    assert [reason.partition(":")[0] for reason in report["verdict"]["reasons"]] == [view]
    assert kind in report["verdict"]["reasons"][0]
    assert {finding["check"] for finding in report["findings"]} == {kind}


def test_a_shift_says_by_how_many_hours_the_instants_are_off(tmp_path):
    report = replayed(tmp_path, local_time)

    assert report["views"]["weather"]["shift_s"] == 5 * 3600
    assert "its instants are -5 h off" in report["findings"][0]["message"]


def one_row(folder, *, event_age, served, rules=RULES, **changes):
    """Replay one request that asks for the weather at JFK, of which the events have rows of these ages."""
    at_us = START + DAY
    true = [
        {**world()["weather"][0], "origin": "JFK", "known_at": at_us - age, "temp": float(age)} for age in event_age
    ]
    rows = {**world(), "weather": true}
    write_events(folder / "events", rows)
    given = [Delivery(0, {**true[index], **changes}, true[index]["known_at"]) for index in served]
    write_log(folder / "served", {**delivered(rows, lambda _, each: each), "weather": given}, asked=[(at_us, "JFK")])
    (folder / "features.json").write_text(rules.to_json())
    report = replay(served=folder / "served", events=folder / "events", features=folder / "features.json")
    return report["views"]["weather"]["kinds"]


@pytest.mark.parametrize(
    ("ages", "served", "kinds"),
    [
        ((HOUR, LAG - 1), [0], {}),
        ((HOUR, LAG), [0], {"stale row": 1}),
        ((LAG - 1,), [], {}),
        ((LAG,), [], {"stale row": 1}),
        ((LAG + 5, LAG - 1, 3), [1], {}),
        ((2 * HOUR,), [], {"stale row": 1}),
        ((2 * HOUR + 1,), [], {}),
        ((), [], {}),
    ],
)
def test_a_row_that_was_known_for_less_than_the_lag_may_be_missing_to_the_microsecond(tmp_path, ages, served, kinds):
    assert one_row(tmp_path, event_age=ages, served=served) == kinds


def test_a_row_past_its_ttl_is_missed_where_the_policy_tells_expired_from_missing(tmp_path):
    referred = replace(RULES, views=[replace(RULES.views[0], on_expired="refer"), *RULES.views[1:]])

    assert one_row(tmp_path, event_age=[2 * HOUR + 1], served=[], rules=referred) == {"stale row": 1}


def test_what_expired_for_the_server_alone_is_a_null_instead_of_a_value(tmp_path):
    longer = replace(RULES, views=[replace(RULES.views[0], ttl_us=3 * HOUR), *RULES.views[1:]])
    nothing_to_show = {"temp": None, "gust": None, "rain": None, "sky": None}

    kinds = one_row(tmp_path, event_age=[2 * HOUR + 1], served=[0], rules=longer, **nothing_to_show)

    assert kinds == {"null instead of value": 1}


def test_records_of_other_features_are_counted_and_a_log_without_ours_proves_nothing(tmp_path):
    replayed(tmp_path, count=5)
    segment = tmp_path / "served" / "1.jsonl"
    records = [json.loads(line) for line in segment.read_text().splitlines()]
    segment.write_text("".join(json.dumps({**each, "features": {"other": 1.0}}) + "\n" for each in records))

    report = replay(served=tmp_path / "served", events=tmp_path / "events", features=tmp_path / "features.json")

    assert (report["requests"], report["others"]) == (0, 5)
    assert not report["verdict"]["ok"]
    assert report["verdict"]["reasons"] == ["no request of these features was logged; 5 records are of others"]


def test_a_threshold_is_the_largest_share_that_passes(tmp_path):
    share = replayed(tmp_path, celsius, count=500)["views"]["weather"]["share"]
    folders = {"served": tmp_path / "served", "events": tmp_path / "events", "features": tmp_path / "features.json"}

    assert replay(**folders, threshold=share)["verdict"]["ok"]
    assert not replay(**folders, threshold=share - 1e-6)["verdict"]["ok"]


def test_a_log_whose_requests_are_of_other_types_is_refused(tmp_path):
    replayed(tmp_path, count=5)
    segment = tmp_path / "served" / "1.jsonl"
    records = [json.loads(line) for line in segment.read_text().splitlines()]
    far = [{**each, "entity": {**each["entity"], "distance": "far"}} for each in records]
    segment.write_text("".join(json.dumps(each) + "\n" for each in far))

    with pytest.raises(BadInput, match="served: its records are not of this service's requests"):
        replay(served=tmp_path / "served", events=tmp_path / "events", features=tmp_path / "features.json")


def test_the_page_says_verdict_views_and_findings(tmp_path):
    page = replay_markdown(replayed(tmp_path, celsius, count=500))

    assert page.startswith("## Skewed\n")
    assert "500 requests were joined again" in page
    assert "- **unit** weather.temp: unit: served = 0.555556 * expected -17.7778" in page
