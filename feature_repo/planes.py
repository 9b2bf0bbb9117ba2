"""The register of aircraft: static."""

from datetime import timedelta

from entities import tailnum
from feast import FeatureView, Field, FileSource
from feast.types import Float32, String

planes = FeatureView(
    name="planes",
    entities=[tailnum],
    ttl=timedelta(0),
    schema=[
        Field(name="plane_year", dtype=Float32, description="year of manufacture"),
        Field(name="plane_seats", dtype=Float32, description="seats"),
        Field(name="plane_engines", dtype=Float32, description="engines"),
        Field(name="plane_maker", dtype=String, description="maker of 20 or more planes, else OTHER"),
    ],
    source=FileSource(name="planes", path="planes.parquet", timestamp_field="available_at"),
    description="Register of aircraft",
    owner="flights",
    tags={
        "ttl": "forever",  # what a plane is does not age
        "group": "plane",
        "min_coverage": "0.8",  # two carriers report fleet numbers instead of registrations
    },
)
