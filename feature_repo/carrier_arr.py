"""Punctuality of the carrier over a day and a week."""

from datetime import timedelta

from entities import carrier
from feast import FeatureView, Field, FileSource
from feast.types import Float32

carrier_arr = FeatureView(
    name="carrier_arr",
    entities=[carrier],
    # Measured: as good as absent after 72 h, harmful after 30 days.
    ttl=timedelta(hours=48),
    schema=[
        Field(name="carrier_late_24h", dtype=Float32, description="share of 24 h that arrived 15+ minutes late"),
        Field(name="carrier_late_7d", dtype=Float32, description="share of 7 d that arrived 15+ minutes late"),
    ],
    source=FileSource(name="carrier_arr", path="carrier_arr.parquet", timestamp_field="available_at"),
    description="Arrivals of the carrier, 24 h and 7 d",
    owner="flights",
    tags={
        "group": "slow",
        "max_lateness": "6h",
        "materialize_every": "1h",
        "run_budget": "5m",
        "min_coverage": "0.95",
    },
)
