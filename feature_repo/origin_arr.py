"""Arrivals anywhere of flights from the origin in the last three hours."""

from datetime import timedelta

from entities import origin
from feast import FeatureView, Field, FileSource
from feast.types import Float32

origin_arr = FeatureView(
    name="origin_arr",
    entities=[origin],
    # The window itself: measured with a frozen feed, better than absent below 3 h, as good at 3 h.
    ttl=timedelta(hours=3),
    schema=[
        Field(name="origin_arr_delay", dtype=Float32, description="mean arrival delay of 3 h, minutes"),
        Field(name="origin_arr_late", dtype=Float32, description="share of 3 h that arrived 15+ minutes late"),
    ],
    source=FileSource(name="origin_arr", path="origin_arr.parquet", timestamp_field="available_at"),
    description="Arrivals of flights from the origin, 3 h",
    owner="flights",
    tags={
        "group": "now",
        "max_lateness": "15m",
        "materialize_every": "5m",
        "run_budget": "2m",
        "min_coverage": "0.85",
    },
)
