"""Every pipeline of the benchmark by name."""

PIPELINES = {"parcels": "pipelines.parcels:parcels"}
