"""The last departure of this aircraft from New York."""

from datetime import timedelta

from entities import tailnum
from feast import FeatureView, Field, FileSource
from feast.types import Float32, String, UnixTimestamp

tail_departure = FeatureView(
    name="tail_departure",
    entities=[tailnum],
    # A guard: the age is a feature and does the work; beyond a day the last delay says nothing of the next.
    ttl=timedelta(hours=24),
    schema=[
        Field(name="tail_dep_delay", dtype=Float32, description="delay of the last departure, minutes"),
        Field(
            name="ready_at",
            dtype=UnixTimestamp,
            description="departure, there and back, and an hour on the ground",
            tags={"feature": "slack_min", "since": "min"},
        ),
        Field(
            name="tail_dest",
            dtype=String,
            description="destination of the last departure",
            tags={"feature": "tail_same_dest", "equals": "dest"},
        ),
    ],
    source=FileSource(name="tail_departure", path="tail_departure.parquet", timestamp_field="available_at"),
    description="Last departure of the aircraft from New York",
    owner="flights",
    tags={
        "group": "aircraft",
        "max_lateness": "15m",
        "materialize_every": "5m",
        "run_budget": "2m",
        "min_coverage": "0.35",  # most aircraft come from elsewhere
    },
)
