"""Departures at the origin in the last two hours."""

from datetime import timedelta

from entities import origin
from feast import FeatureView, Field, FileSource
from feast.types import Float32

origin_dep = FeatureView(
    name="origin_dep",
    entities=[origin],
    # The window itself: an older row speaks of departures that have all left it.
    ttl=timedelta(hours=2),
    schema=[
        Field(name="origin_dep_delay", dtype=Float32, description="mean departure delay of 2 h, minutes"),
        Field(name="origin_dep_count", dtype=Float32, description="departures in 2 h"),
    ],
    source=FileSource(name="origin_dep", path="origin_dep.parquet", timestamp_field="available_at"),
    description="Departures at the origin, 2 h",
    owner="flights",
    tags={
        "group": "now",
        "max_lateness": "15m",
        "materialize_every": "5m",
        "run_budget": "2m",
        "min_coverage": "0.9",  # nothing leaves at night, so the first flights of a day find no fresh row
    },
)
