"""The data of the benchmark: the flights' events of a year, and synthetic rows of any number."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
AS_OF = "2014-01-05T00:00:00Z"
INSTANT = pa.timestamp("us", tz="UTC")
START_US, SPAN_US = 1_700_000_000_000_000, 90 * 86_400_000_000
ROWS_PER_KEY = 50
# An hour-long TTL of rows that come every other day would find nothing, one of a week most.
TTL_DAYS = 7

_ENTITIES = 'from feast import Entity, ValueType\n\nk = Entity(name="k", join_keys=["k"], value_type=ValueType.INT64)\n'
_VIEW = """
from datetime import timedelta

from entities import k
from feast import FeatureView, Field, FileSource
from feast.types import Float32

synthetic = FeatureView(
    name="synthetic", entities=[k], ttl=timedelta(days={ttl}),
    schema=[Field(name=f"v{{number}}", dtype=Float32) for number in range(5)],
    source=FileSource(name="synthetic", path="synthetic.parquet", timestamp_field="available_at"),
    tags={{"group": "g", "max_lateness": "1h", "materialize_every": "1h", "run_budget": "1m"}},
)
"""


def flights(folder: Path) -> Path:
    """Make the event rows and requests of a year of flights, once, and return their folder."""
    from argosy.features.definitions.compile import compile_features
    from components.flights.clean import validate
    from components.flights.events import build_events
    from components.flights.ingestion import ingest

    events = folder / "events"
    if (events / "features.json").exists():
        return events
    shutil.rmtree(folder, ignore_errors=True)
    ingest(as_of=AS_OF, profile="year", out=folder / "raw")
    validate(raw=folder / "raw", as_of=AS_OF, clean=folder / "clean", quarantine=folder / "quarantine")
    build_events(clean=folder / "clean", events=events)
    shutil.copytree(ROOT / "feature_repo", events / "definitions")
    compile_features(feature_repo=ROOT / "feature_repo", service="flights_delay", out=events / "features.json")
    return events


def synthetic(folder: Path, rows: int) -> Path:
    """Make a view of as many rows as requests, fifty rows a key, and return their folder."""
    data = folder / f"synthetic-{rows}"
    if (data / "features.json").exists():
        return data
    (data / "definitions").mkdir(parents=True)
    (data / "requests").mkdir()
    draw = np.random.default_rng(rows)
    keys = rows // ROWS_PER_KEY
    offered: dict[str, pa.Array] = {
        "k": pa.array(np.repeat(np.arange(keys), ROWS_PER_KEY)),
        # One row of a key in each of fifty equal spans, so that no two have one instant.
        "available_at": _instants(
            np.tile(np.arange(ROWS_PER_KEY), keys) / ROWS_PER_KEY, draw.random(rows) / ROWS_PER_KEY
        ),
    }
    offered |= {f"v{number}": pa.array(draw.random(rows, dtype=np.float32)) for number in range(5)}
    asked = {
        "flight_id": pa.array(np.arange(rows)),
        "t0": _instants(draw.random(rows), np.zeros(rows)),
        "k": pa.array(draw.integers(0, keys, rows)),
    }
    pq.write_table(pa.table(offered), data / "synthetic.parquet")
    pq.write_table(pa.table(asked), data / "requests" / "part-all.parquet")
    (data / "definitions" / "entities.py").write_text(_ENTITIES)
    (data / "definitions" / "synthetic.py").write_text(_VIEW.format(ttl=TTL_DAYS))
    fields = [{"field": f"v{number}", "since": None, "equals": None} for number in range(5)]
    view = {
        "name": "synthetic", "source": "synthetic", "timestamp": "available_at", "keys": ["k"],
        "ttl_us": TTL_DAYS * 86_400_000_000, "features": fields,
    }  # fmt: skip
    (data / "features.json").write_text(json.dumps({"views": [view]}))
    return data


def _instants(begin: np.ndarray, further: np.ndarray) -> pa.Array:
    """Place shares of the span in time."""
    return pa.array(START_US + ((begin + further) * SPAN_US).astype(np.int64)).cast(INSTANT)
