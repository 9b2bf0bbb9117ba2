"""What a model of flight delays is expected to do.

The bounds leave room for a model of one month: with the reference model of half a year the moves are three to
forty times as large, and the outages cost between a tenth and two thirds of what is allowed.
"""

from __future__ import annotations

from argosy.evaluation.cases import Cases, Direction, Outage, TableKey

SLICES = ("origin", "carrier")

CASES = Cases(
    directions=(
        Direction("a longer queue", {"queue_origin": 10, "queue_carrier": 5}, at_least=0.01),
        Direction("a shorter queue", {"queue_origin": -10, "queue_carrier": -5}, at_least=-0.005),
        Direction("more delay at the origin", {"origin_dep_delay": 20, "carrier_origin_dep_delay": 20}, at_least=0.01),
        Direction("more delay at the destination", {"dest_arr_delay": 30}, at_least=0.005),
        Direction("an aircraft that comes late", {"tail_arr_delay": 60, "slack_min": -90}, at_least=0.02),
        Direction("fog", {"visib": -9}, at_least=0.0),
        Direction("a carrier in trouble", {"carrier_late_24h": 0.3}, at_least=0.0),
    ),
    outages=(
        Outage("the weather feed", ("weather",), max_cost=0.02),
        Outage("the feeds of departures and arrivals", ("now",), max_cost=0.06),
        Outage("the statistics of days", ("slow",), max_cost=0.02),
        Outage("the aircraft's rotation", ("aircraft",), max_cost=0.03),
        Outage("the plane register", ("plane",), max_cost=0.01),
        Outage("every feed", ("weather", "now", "slow", "aircraft"), max_cost=0.15),
    ),
    table=(TableKey("carrier"), TableKey("origin"), TableKey("minute_of_day", width=60)),
    slices=SLICES,
)
