"""The last arrival of this aircraft after a departure from New York."""

from datetime import timedelta

from entities import tailnum
from feast import FeatureView, Field, FileSource
from feast.types import Float32

tail_arrival = FeatureView(
    name="tail_arrival",
    entities=[tailnum],
    # A guard, as for the last departure.
    ttl=timedelta(hours=24),
    schema=[
        Field(name="tail_arr_delay", dtype=Float32, description="delay of the last arrival, minutes"),
    ],
    source=FileSource(name="tail_arrival", path="tail_arrival.parquet", timestamp_field="available_at"),
    description="Last arrival of the aircraft",
    owner="flights",
    tags={
        "group": "aircraft",
        "max_lateness": "15m",
        "materialize_every": "5m",
        "run_budget": "2m",
        "min_coverage": "0.35",  # most aircraft come from elsewhere
    },
)
