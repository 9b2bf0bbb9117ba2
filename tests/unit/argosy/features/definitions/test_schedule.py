import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.features.definitions.schedule import (
    duration_s,
    duration_text,
    problems_of_schedule,
    readable_s,
    ttl_text,
    warnings_of_view,
)
from tests.fakes.features import SECOND, a_view, described

WEATHER = {"max_lateness": "15m", "materialize_every": "1h", "run_budget": "5m"}
MINUTE, HOUR = 60, 3600


def scheduled(ttl_s, tags):
    """Return a described view with a TTL and a schedule."""
    view = described(a_view(ttl_us=ttl_s * SECOND))
    return view | {"tags": view["tags"] | tags}


def test_a_schedule_that_cannot_meet_a_ttl_is_refused_with_its_numbers_and_what_would_pass():
    assert problems_of_schedule(WEATHER, HOUR, online=True) == [
        "a row can be 80m old before it is served (max_lateness 15m + materialize_every 1h + run_budget 5m), its ttl "
        "is 1h: ttl=timedelta(minutes=140) lasts until the next one is served (any above 80m passes this check); "
        "materialize_every 39m or less passes, too"
    ]


@pytest.mark.parametrize(("ttl_s", "fine"), [(80 * MINUTE, False), (80 * MINUTE + 1, True)])
def test_lateness_interval_and_run_must_stay_below_the_ttl(ttl_s, fine):
    assert (problems_of_schedule(WEATHER, ttl_s, online=True) == []) is fine


def test_where_no_interval_is_short_enough_none_is_proposed():
    [problem] = problems_of_schedule(WEATHER | {"max_lateness": "1h"}, HOUR, online=True)

    assert "or less passes" not in problem


SPANS = st.integers(1, 3 * 86_400).map(duration_text)


@given(lateness=SPANS, every=SPANS, budget=SPANS, ttl_s=st.integers(1, 9 * 86_400))
def test_what_is_proposed_passes(lateness, every, budget, ttl_s):
    tags = {"max_lateness": lateness, "materialize_every": every, "run_budget": budget}
    for problem in problems_of_schedule(tags, ttl_s, online=True):
        unit, number = re.search(r"ttl=timedelta\((\w+)=(\d+)\)", problem).groups()
        shorter = re.search(r"materialize_every (\w+) or less", problem)

        assert problems_of_schedule(tags, int(timedelta(**{unit: int(number)}).total_seconds()), online=True) == []
        if shorter:
            assert problems_of_schedule(tags | {"materialize_every": shorter[1]}, ttl_s, online=True) == []


def test_an_online_view_without_a_schedule_is_refused_and_an_offline_one_is_not():
    incomplete = {tag: WEATHER[tag] for tag in ("max_lateness", "materialize_every")}

    assert "no `run_budget` tag" in problems_of_schedule(incomplete, HOUR, online=True)[0]
    assert problems_of_schedule(incomplete, HOUR, online=False) == []


@pytest.mark.parametrize(("ttl_s", "short"), [(99 * MINUTE, True), (100 * MINUTE, False)])
def test_less_than_a_fifth_above_the_lag_is_shown_and_not_refused(ttl_s, short):
    warnings = warnings_of_view(scheduled(ttl_s, WEATHER))

    assert problems_of_schedule(WEATHER, ttl_s, online=True) == []
    assert [("leaves 19% of its ttl of 99m" in line) for line in warnings] == ([True] if short else [])
    assert not short or "ttl=timedelta(minutes=100) leaves enough" in warnings[0]


@given(every=SPANS, ttl_s=st.integers(1, 9 * 86_400))
def test_the_ttl_of_a_warning_ends_it(every, ttl_s):
    tags = {"max_lateness": "15m", "materialize_every": every, "run_budget": "5m"}
    for warning in warnings_of_view(scheduled(ttl_s, tags)):
        unit, number = re.search(r"ttl=timedelta\((\w+)=(\d+)\)", warning).groups()

        assert warnings_of_view(scheduled(int(timedelta(**{unit: int(number)}).total_seconds()), tags)) == []


@pytest.mark.parametrize(("text", "seconds"), [("5s", 5), ("15m", 900), ("2h", 7200), ("28d", 2_419_200)])
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "15", "m", "1.5h", "1h30m", "-1h"])
def test_other_durations_are_refused(text):
    with pytest.raises(ValueError, match="is no duration"):
        duration_s(text)


@given(st.integers(1, 10**8))
def test_a_duration_is_written_as_it_is_read(seconds):
    assert duration_s(duration_text(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(45, "seconds=45"), (121, "minutes=3"), (7921, "minutes=135"), (7200, "hours=2"), (47_000, "hours=14")],
)
def test_a_proposed_ttl_is_one_that_people_would_write(seconds, written):
    assert ttl_text(readable_s(seconds)) == f"ttl=timedelta({written})"
