"""Weather at the origin: one row per hour, known 60 minutes after the hour began."""

from datetime import timedelta

from entities import origin
from feast import FeatureView, Field, FileSource
from feast.types import Float32

weather = FeatureView(
    name="weather",
    entities=[origin],
    # 2 h from availability, 3 h from the event: a healthy row is at most 60 min old; at 6 h it is worth nothing.
    ttl=timedelta(hours=2),
    schema=[
        Field(name="temp", dtype=Float32, description="degrees Fahrenheit"),
        Field(name="dewp", dtype=Float32, description="dew point, degrees Fahrenheit"),
        Field(name="humid", dtype=Float32, description="relative humidity, percent"),
        Field(name="wind_speed", dtype=Float32, description="miles per hour"),
        Field(name="wind_gust", dtype=Float32, description="miles per hour; null without gusts"),
        Field(name="wind_dir_sin", dtype=Float32, description="sine of the wind's direction; null when variable"),
        Field(name="wind_dir_cos", dtype=Float32, description="cosine of the wind's direction; null when variable"),
        Field(name="precip", dtype=Float32, description="inches in the hour"),
        Field(name="precip_3h", dtype=Float32, description="inches in three hours"),
        Field(name="pressure", dtype=Float32, description="hectopascal at sea level"),
        Field(name="visib", dtype=Float32, description="miles, at most 10"),
    ],
    source=FileSource(name="weather", path="weather.parquet", timestamp_field="available_at"),
    description="Weather at the origin",
    owner="flights",
    tags={
        "group": "weather",
        "max_lateness": "15m",  # of a row that is due; that rows are an hour apart is seen in the data
        "materialize_every": "15m",
        "run_budget": "5m",
        "min_coverage": "0.95",
    },
)
