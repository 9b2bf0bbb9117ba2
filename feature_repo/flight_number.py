"""Punctuality of the flight number over four weeks."""

from datetime import timedelta

from entities import carrier, flight
from feast import FeatureView, Field, FileSource
from feast.types import Float32

flight_number = FeatureView(
    name="flight_number",
    entities=[carrier, flight],
    # Measured with a frozen feed: better than absent after two days, no better after seven. A number may fly weekly,
    # and 48 h would null it on most days.
    ttl=timedelta(days=7),
    schema=[
        Field(
            name="flight_late_28d", dtype=Float32, description="share of 28 d that arrived late; null under 3 flights"
        ),
    ],
    source=FileSource(name="flight_number", path="flight_number.parquet", timestamp_field="available_at"),
    description="Arrivals of the flight number, 28 d",
    owner="flights",
    tags={
        "group": "slow",
        "max_lateness": "6h",
        "materialize_every": "1h",
        "run_budget": "5m",
        "min_coverage": "0.85",  # new numbers of a new timetable have no history
    },
)
