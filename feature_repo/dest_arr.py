"""Arrivals from New York at the destination in the last six hours."""

from datetime import timedelta

from entities import dest
from feast import FeatureView, Field, FileSource
from feast.types import Float32

dest_arr = FeatureView(
    name="dest_arr",
    entities=[dest],
    # The window itself: measured with a frozen feed, better than absent for all of its 6 h. Few flights reach one
    # destination, and 2 h would null the row of every sixth request.
    ttl=timedelta(hours=6),
    schema=[
        Field(name="dest_arr_delay", dtype=Float32, description="mean arrival delay of 6 h, minutes"),
        Field(name="dest_arr_count", dtype=Float32, description="arrivals in 6 h"),
    ],
    source=FileSource(name="dest_arr", path="dest_arr.parquet", timestamp_field="available_at"),
    description="Arrivals at the destination, 6 h",
    owner="flights",
    tags={
        "group": "now",
        "max_lateness": "15m",
        "materialize_every": "5m",
        "run_budget": "2m",
        "min_coverage": "0.6",
    },
)
