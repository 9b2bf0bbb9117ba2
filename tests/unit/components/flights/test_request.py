import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.flights.request import MINUTE, NEVER, crowds, publication, queue_lengths, request_facts


def minutes(*values):
    """Return instants in minutes, None for never."""
    return np.array([NEVER if value is None else value * MINUTE for value in values], dtype=np.int64)


def test_a_departure_is_published_when_it_is_known_but_after_its_schedule():
    published = publication(minutes(90, 100, 101, 130, None), minutes(100, 100, 100, 100, 100))

    assert published.tolist() == minutes(101, 101, 101, 130, None).tolist()


@pytest.mark.parametrize(
    ("scheduled", "published", "length"),
    [(999, None, 1), (999, 1001, 1), (999, 1000, 0), (820, None, 1), (819, None, 0), (1000, None, 0), (1001, None, 0)],
)
def test_a_flight_waits_from_its_schedule_until_it_is_known_to_have_left_or_3_h_passed(scheduled, published, length):
    lengths = queue_lengths(minutes(1000, scheduled), minutes(None, published), np.array([0, 0]))

    assert lengths[0] == length


@pytest.mark.parametrize(("distance", "count"), [(-31, 1), (-30, 2), (0, 2), (30, 2), (31, 1)])
def test_a_crowd_reaches_30_minutes_both_ways_and_counts_the_flight(distance, count):
    assert crowds(minutes(1000, 1000 + distance), np.array([0, 0]))[0] == count


def test_keys_queue_and_crowd_apart():
    at, never = minutes(1000, 990, 990), minutes(None, None, None)

    assert queue_lengths(at, never, np.array([0, 0, 1])).tolist() == [1, 0, 0]
    assert crowds(at, np.array([0, 0, 1])).tolist() == [2, 2, 1]


def test_no_flights_give_no_facts():
    none = np.zeros(0, dtype=np.int64)

    facts = request_facts(sched_dep_at=none, sched_arr_at=none, published_at=none, origin=none, carrier=none)

    assert {name: len(values) for name, values in facts.items()} == dict.fromkeys(facts, 0)


FLIGHTS = st.lists(
    st.tuples(st.integers(0, 400), st.none() | st.integers(1, 300), st.integers(0, 1), st.integers(0, 1)),
    min_size=1,
    max_size=40,
)


def facts_of(scheduled, published, origin, carrier):
    """Return the request's facts."""
    at = {"sched_dep_at": scheduled, "sched_arr_at": scheduled + 90 * MINUTE, "published_at": published}
    return request_facts(**at, origin=np.array(origin), carrier=np.array(carrier))


@given(FLIGHTS)
def test_facts_agree_with_counting_flight_by_flight(flights):
    sched, late, origin, carrier = zip(*flights, strict=True)
    known = [None if delay is None else at + delay for at, delay in zip(sched, late, strict=True)]

    facts = facts_of(minutes(*sched), minutes(*known), origin, carrier)

    for n, at in enumerate(sched):
        here = [m for m in range(len(sched)) if origin[m] == origin[n]]
        queue = [m for m in here if at - 180 <= sched[m] < at and (known[m] is None or known[m] > at)]
        own = [m for m in queue if carrier[m] == carrier[n]]
        assert (facts["queue_origin"][n], facts["queue_carrier"][n]) == (len(queue), len(own))
        assert facts["crowd_origin"][n] == len([m for m in here if abs(sched[m] - at) <= 30])
    assert set(facts["block_min"].tolist()) == {90.0}


@given(FLIGHTS)
def test_serving_with_what_is_known_at_the_time_gives_what_training_gave(flights):
    sched, late, origin, carrier = zip(*flights, strict=True)
    scheduled = minutes(*sched)
    known = minutes(*[None if delay is None else at + delay for at, delay in zip(sched, late, strict=True)])
    training = facts_of(scheduled, known, origin, carrier)

    asked = len(flights) // 2
    so_far = np.where(known <= scheduled[asked], known, NEVER)
    serving = facts_of(scheduled, so_far, origin, carrier)

    assert {name: values[asked] for name, values in serving.items()} == {
        name: values[asked] for name, values in training.items()
    }
