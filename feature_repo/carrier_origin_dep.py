"""Departures of the carrier at the origin in the last three hours."""

from datetime import timedelta

from entities import carrier, origin
from feast import FeatureView, Field, FileSource
from feast.types import Float32

carrier_origin_dep = FeatureView(
    name="carrier_origin_dep",
    entities=[carrier, origin],
    # Less than the window: measured with a frozen feed, as good as absent at 2 h and worse beyond.
    ttl=timedelta(hours=2),
    schema=[
        Field(name="carrier_origin_dep_delay", dtype=Float32, description="mean departure delay of 3 h, minutes"),
    ],
    source=FileSource(name="carrier_origin_dep", path="carrier_origin_dep.parquet", timestamp_field="available_at"),
    description="Departures of the carrier at the origin, 3 h",
    owner="flights",
    tags={
        "group": "now",
        "max_lateness": "15m",
        "materialize_every": "5m",
        "run_budget": "2m",
        "min_coverage": "0.8",  # small carriers leave rarely
    },
)
