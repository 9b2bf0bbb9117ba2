import re
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.features.offline.coverage import check_coverage
from tests.fakes.features import SECOND, T0, a_feature, a_request, a_row, a_view, rules_with, visible, write_rows

TTL = 60 * SECOND
HOUR = 3600 * SECOND


def checked(folder, *views, rows, requests, start="2013-01-01", end="2013-02-01"):
    """Judge the coverage of views over rows of one source and requests."""
    for view in views:
        write_rows(folder / f"{view.source}.parquet", rows, list(a_row()))
    write_rows(folder / "requests" / "part-p.parquet", requests)
    (folder / "features.json").write_text(rules_with(*views).to_json())
    return check_coverage(events=folder, features=folder / "features.json", start=start, end=end)


def hourly(rows, **changes):
    """Return a view with a lag of 80 minutes, as many rows an hour apart, and a day of requests a minute apart."""
    view = a_view(max_lateness_s=900, materialize_every_s=3600, run_budget_s=300, ttl_us=90 * 60 * SECOND, **changes)
    source = [a_row(known_at=T0 + hour * HOUR) for hour in range(rows)]
    requests = [a_request(id=str(n), t0=T0 + 3 * HOUR + n * 60 * SECOND) for n in range(24 * 60)]
    return view, source, requests


def test_rows_that_reach_the_store_too_late_are_refused_with_the_numbers_and_a_ttl_that_passes(tmp_path):
    view, rows, requests = hourly(30, min_coverage=0.95)

    found = checked(tmp_path, view, rows=rows, requests=requests)

    assert (found["verdict"], found["ok"]) == ("rejected", False)
    assert found["reasons"] == [
        "feature view 'temps': served 80m after they are known (max_lateness 15m + materialize_every 1h + run_budget "
        "5m), rows are inside its ttl of 90m for 18.33 % of 1,440 requests, its min_coverage asks for 95 %: "
        "ttl=timedelta(minutes=140) covers 100 %, and no lag at all 100 %"
    ]


@pytest.mark.parametrize("goal", [0.2, 0.5, 0.9, 0.99, 1.0])
def test_the_ttl_that_is_proposed_passes(tmp_path, goal):
    view, rows, requests = hourly(30, min_coverage=goal)
    [reason] = checked(tmp_path, view, rows=rows, requests=requests)["reasons"]
    unit, number = re.search(r"ttl=timedelta\((\w+)=(\d+)\)", reason).groups()

    ttl_us = timedelta(**{unit: int(number)}) // timedelta(microseconds=1)
    wider = a_view(**{**vars(view), "ttl_us": ttl_us})

    assert checked(tmp_path, wider, rows=rows, requests=requests)["ok"]


def test_where_too_few_requests_find_a_row_at_all_no_ttl_is_proposed(tmp_path):
    view, _, requests = hourly(1, min_coverage=0.95)

    [reason] = checked(tmp_path, view, rows=[a_row(k="b")], requests=requests)["reasons"]

    assert reason.endswith("no ttl does, for 0 % find a row at all; repair the feed or its keys")


def test_the_curve_says_what_each_ttl_would_cover_with_and_without_the_lag(tmp_path):
    view, rows, requests = hourly(30)

    measured = checked(tmp_path, view, rows=rows, requests=requests)["coverage"]["views"]["temps"]

    assert (measured["lag_s"], measured["coverage"], measured["with_lag"]) == (4800.0, 1.0, 0.183333)
    assert measured["age_s"] == {"p50": 6540.0, "p90": 7980.0, "p99": 8340.0, "max": 8340.0}
    curve = {point["ttl_s"]: (point["coverage"], point["with_lag"]) for point in measured["curve"]}
    assert [curve[ttl_s] for ttl_s in (1800, 3600, 5400, 7200)] == [
        (0.516667, 0.0),
        (1.0, 0.0),
        (1.0, 0.183333),
        (1.0, 0.683333),
    ]


def test_a_view_that_is_not_served_online_has_no_lag(tmp_path):
    view, rows, requests = hourly(30, online=False)

    found = checked(tmp_path, view, rows=rows, requests=requests)

    assert found["ok"]
    assert found["coverage"]["views"]["temps"]["lag_s"] is None


def test_a_view_that_never_expires_is_judged_by_what_is_found(tmp_path):
    view = a_view(ttl_us=None, age_feature=None, min_coverage=0.6)
    requests = [a_request(), a_request(id="r2", k="b")]

    [reason] = checked(tmp_path, view, rows=[a_row(known_at=T0 - 9 * SECOND)], requests=requests)["reasons"]

    assert "rows are there for 50 % of 2 requests, its min_coverage asks for 60 %: no ttl does" in reason


def test_only_requests_of_the_window_count(tmp_path):
    requests = [a_request(), a_request(id="r2", day="2013-02-01", k="b")]
    view = a_view(online=False, min_coverage=1.0)

    assert checked(tmp_path, view, rows=[a_row()], requests=requests)["ok"]
    assert not checked(tmp_path, view, rows=[a_row()], requests=requests, end="2013-02-02")["ok"]
    with pytest.raises(BadInput, match=r"no request has a day in \[2014-01-01, 2014-02-01\)"):
        checked(tmp_path, view, rows=[a_row()], requests=requests, start="2014-01-01", end="2014-02-01")


@pytest.mark.parametrize(("value", "exact"), [(2**53, True), (2**53 + 1, False), (-(2**53) - 1, False)])
def test_whole_numbers_that_a_feature_would_change_are_named(tmp_path, value, exact):
    view = a_view(online=False, features=[a_feature(name="n", field="n", dtype="Int64")])

    found = checked(tmp_path, view, rows=[a_row(n=value)], requests=[a_request()])

    assert found["ok"] is exact
    assert exact or f"field 'n': 1 rows hold a whole number beyond 2^53, such as {value}" in found["reasons"][0]


def test_a_source_without_a_key_is_named_with_what_it_has(tmp_path):
    with pytest.raises(BadInput, match=r"temps\.parquet: no columns \['gone'\]; it has \['k', 'k2'"):
        checked(tmp_path, a_view(keys=["gone"]), rows=[a_row()], requests=[a_request(gone=1)])


INSTANTS = st.sampled_from([T0 + age for age in (-2 * TTL, -TTL - 1, -TTL, -TTL + 1, -SECOND, -1, 0, 1, SECOND, TTL)])
ROWS = st.lists(
    st.fixed_dictionaries({"k": st.sampled_from(["a", "b", None]), "known_at": INSTANTS, "created": INSTANTS}),
    max_size=15,
)
ASKED = st.lists(
    st.fixed_dictionaries({"k": st.sampled_from(["a", "b", None]), "t0": INSTANTS}), min_size=1, max_size=15
)


@settings(max_examples=25, deadline=None)
@given(
    rows=ROWS,
    asked=ASKED,
    ttl=st.sampled_from([None, SECOND, TTL]),
    lag_s=st.sampled_from([1, 30, 60]),
    availability=st.sampled_from([0, 2 * SECOND, "created"]),
)
def test_coverage_is_what_the_rule_finds_when_rows_come_a_lag_later(rows, asked, ttl, lag_s, availability):
    view = a_view(
        ttl_us=ttl, created="created", availability=availability, age_feature=None,
        max_lateness_s=lag_s, materialize_every_s=0, run_budget_s=0,
    )  # fmt: skip
    rows = [a_row(**row) for row in rows]
    requests = [a_request(id=str(number), **each) for number, each in enumerate(asked)]
    with tempfile.TemporaryDirectory() as folder:
        measured = checked(Path(folder), view, rows=rows, requests=requests)["coverage"]["views"]["temps"]

    share = {}
    for name, lag_us in (("coverage", 0), ("with_lag", lag_s * SECOND)):
        there = 0
        for request in requests:
            come = [row for row in rows if row["known_at"] + lag_us <= request["t0"]]
            there += visible(view, come, request)[0] in {"PRESENT", "NULL_VALUE"}
        share[name] = round(there / len(requests), 6)
    assert {name: measured[name] for name in share} == share
