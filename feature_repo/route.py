"""Punctuality of the route over two weeks."""

from datetime import timedelta

from entities import dest, origin
from feast import FeatureView, Field, FileSource
from feast.types import Float32

route = FeatureView(
    name="route",
    entities=[origin, dest],
    # Measured: as good as absent after 72 h, harmful after 30 days.
    ttl=timedelta(hours=48),
    schema=[
        Field(
            name="route_late_14d", dtype=Float32, description="share of 14 d that arrived late; null under 5 flights"
        ),
    ],
    source=FileSource(name="route", path="route.parquet", timestamp_field="available_at"),
    description="Arrivals of the route, 14 d",
    owner="flights",
    tags={
        "group": "slow",
        "max_lateness": "6h",
        "materialize_every": "1h",
        "run_budget": "5m",
        "min_coverage": "0.95",
    },
)
