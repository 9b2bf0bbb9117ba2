"""One retrieval in a process of its own: `SUBJECT DATA VIEWS`. Prints seconds, peak memory and a checksum as JSON.

What a subject imports and reads to know its definitions is done before the clock starts, and Feast has its data frame
of requests by then. Reading sources (by the others, requests too), joining and, where it is done, writing are measured.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable


THREADS = 2
# Feast's own store pairs each request with all rows of its key: of all views that is hours, and more than memory.
LIMIT_CPU_S = 120


def bare(data: Path, rules: dict[str, Any], out: Path | None = None) -> Callable[[], pa.Table]:
    """Join by hand: one statement of DuckDB, an ASOF join and a CASE for each view."""
    requests = f"read_parquet('{data}/requests/*.parquet')"
    columns, joins = [], []
    for number, view in enumerate(rules["views"]):
        row, at = f"e{number}", f"e{number}.{view['timestamp']}"
        alive = "TRUE" if view["ttl_us"] is None else f"r.t0 - {at} <= INTERVAL {view['ttl_us']} MICROSECONDS"
        columns += [f"CASE WHEN {alive} THEN {row}.{each['field']} END AS {each['field']}" for each in view["features"]]
        on = " AND ".join([*(f"r.{key} = {row}.{key}" for key in view["keys"]), f"r.t0 >= {at}"])
        joins.append(f"ASOF LEFT JOIN read_parquet('{data}/{view['source']}.parquet') {row} ON {on}")
    query = f"SELECT r.flight_id, {', '.join(columns)} FROM {requests} r {' '.join(joins)}"  # noqa: S608

    def join() -> pa.Table:
        with duckdb.connect(config={"threads": THREADS}) as db:
            if out is None:
                return db.sql(query).to_arrow_table()
            db.execute(f"COPY ({query}) TO '{out}/frame.parquet' (COMPRESSION zstd)")
        return pa.table({})

    return join


def bare_written(data: Path, rules: dict[str, Any], out: Path) -> Callable[[], pa.Table]:
    """Join by hand and write a Parquet file."""
    return bare(data, rules, out)


def argosy(data: Path, rules: dict[str, Any], out: Path) -> Callable[[], pa.Table]:
    """Retrieve as a step of the pipeline does: with statuses, ages and coverage, written as Parquet."""
    from argosy.features.offline.retrieval import retrieve

    features = out / "features.json"
    features.write_text(json.dumps(rules))

    def join() -> pa.Table:
        retrieve(requests=data / "requests", events=data, features=features, frame=out / "frame")
        return pa.table({})

    return join


def feast_ours(data: Path, rules: dict[str, Any], out: Path) -> Callable[[], pa.Table]:
    """Ask Feast, with our offline store."""
    return _feast({"type": "argosy.features.feast.offline.AsofOfflineStore"}, data, rules, out)


def feast_duckdb(data: Path, rules: dict[str, Any], out: Path) -> Callable[[], pa.Table]:
    """Ask Feast, with its own store on DuckDB."""
    return _feast({"type": "duckdb"}, data, rules, out)


def _feast(offline: dict[str, Any], data: Path, rules: dict[str, Any], out: Path) -> Callable[[], pa.Table]:
    """Ask Feast for the fields of the views, of definitions that are the project's own."""
    from feast import Entity, FeatureStore, FeatureView, RepoConfig

    sys.path.insert(0, os.environ.get("BENCHMARK_DEFINITIONS", str(data / "definitions")))
    names = [view["name"] for view in rules["views"]]
    views = [getattr(importlib.import_module(name), name) for name in names]
    entities = [each for each in vars(importlib.import_module("entities")).values() if isinstance(each, Entity)]
    assert all(isinstance(view, FeatureView) for view in views)  # noqa: S101 - a definition is not what it seems
    config = RepoConfig(
        project="benchmark", provider="local", repo_path=data, offline_store=offline,
        entity_key_serialization_version=3,
        registry={"registry_type": "sql", "path": f"sqlite:///{out}/registry.db"},
        online_store={"type": "sqlite", "path": f"{out}/online.db"},
    )  # fmt: skip
    store = FeatureStore(config=config)
    # Feast's own store reads a relative path from the current folder.
    os.chdir(data)
    store.apply([*entities, *views])
    refs = [f"{view['name']}:{each['field']}" for view in rules["views"] for each in view["features"]]
    keys = list(dict.fromkeys(key for view in rules["views"] for key in view["keys"]))
    frame = pq.read_table(data / "requests", columns=["flight_id", "t0", *keys]).to_pandas()
    frame = frame.rename(columns={"t0": "event_timestamp"})
    return lambda: store.get_historical_features(frame, refs).to_arrow()


def checksum(table: pa.Table, columns: list[str]) -> str:
    """Digest the rows in the order of their requests; a number counts as the nearest float32."""
    table = table.select(["flight_id", *columns]).sort_by("flight_id").combine_chunks()
    digest = hashlib.sha256()
    for column in table.columns:
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        values = column.cast(pa.string()).fill_null("") if text else column.cast(pa.float32(), safe=False)
        if not text:
            values = values.fill_null(-1e30).cast(pa.float64())
        digest.update(json.dumps(values.to_pylist()).encode())
    return digest.hexdigest()[:16]


def result_of(made: pa.Table, out: Path) -> pa.Table:
    """Return what was made, from memory or from where it was written."""
    if made.num_columns:
        return made
    return pa.concat_tables(pq.read_table(file) for file in sorted(out.rglob("*.parquet")))


SUBJECTS = {each.__name__: each for each in (bare, bare_written, argosy, feast_ours, feast_duckdb)}


def main(subject: str, data: Path, names: str) -> None:
    """Run one retrieval and print what it took."""
    rules = json.loads((data / "features.json").read_text())
    wanted = {view["name"] for view in rules["views"]} if names == "all" else set(names.split(","))
    rules["views"] = [view for view in rules["views"] if view["name"] in wanted]
    rules["request"] = []
    out = Path(tempfile.mkdtemp(prefix="retrieval-"))
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_CPU_S, LIMIT_CPU_S))
        join = SUBJECTS[subject](data, rules, *([] if subject == "bare" else [out]))
        began, cpu = time.perf_counter(), time.process_time()
        made = join()
        found: dict[str, Any] = {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
        found["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        # Retrieval derives some features of a field; all subjects have the others.
        kept = [f["field"] for view in rules["views"] for f in view["features"] if not f["since"] and not f["equals"]]
        table = result_of(made, out)
        found |= {"rows": table.num_rows, "checksum": checksum(table, kept)}
        print(json.dumps(found))
    finally:
        shutil.rmtree(out)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
