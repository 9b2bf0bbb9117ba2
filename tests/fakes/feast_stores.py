"""A Feast repository of views as the rules have them, over an online store of ours or of Feast's."""

from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig, ValueType
from feast import types as feast_types

from tests.fakes.parity import instant

OURS = "argosy.features.feast.online."


def online_config(kind, *, folder, port=None, as_of=None):
    """Describe a store: `sqlite`, `redis`, or as Feast ships them `stock-sqlite`, `stock-redis`."""
    where = {"connection_string": f"127.0.0.1:{port}"} if "redis" in kind else {"path": str(folder / "online.db")}
    if kind.startswith("stock-"):
        return {"type": kind.removeprefix("stock-"), **where}
    clock = {} if as_of is None else {"as_of": instant(as_of)}
    return {"type": OURS + f"{kind.title()}TtlOnlineStore", **where, **clock}


def open_feast(folder, online, views=(), project="p"):
    """Open a Feast store with its registry in a folder, and apply views."""
    config = RepoConfig(
        project=project,
        provider="local",
        registry={"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"},
        online_store=online,
        offline_store={"type": "dask"},
        entity_key_serialization_version=3,
        repo_path=folder,
    )
    store = FeatureStore(config=config)
    objects = [each for view in views for each in feast_objects(folder, view)]
    if objects:
        store.apply(objects)
    return store


def feast_objects(folder, view):
    """Return entities, source and feature view of a view of the rules; it can be pushed to by `push_NAME`."""
    entities = [
        Entity(name=key, join_keys=[key], value_type=ValueType[kind.upper()])
        for key, kind in zip(view.keys, view.key_types, strict=True)
    ]
    path = str(folder / f"{view.source}.parquet")
    source = FileSource(
        name=view.source, path=path, timestamp_field=view.timestamp, created_timestamp_column=view.created or ""
    )
    push = PushSource(name=f"push_{view.name}", batch_source=source)
    fields = [Field(name=each.field, dtype=getattr(feast_types, each.dtype)) for each in view.features]
    ttl = timedelta(microseconds=view.ttl_us or 0)
    made = FeatureView(name=view.name, entities=entities, ttl=ttl, schema=fields, source=push)
    return [*entities, push, made]


def feast_frame(view, rows):
    """Return source rows as the data frame that Feast is pushed."""
    instants = [view.timestamp, *([view.created] if view.created else [])]
    names = [*view.keys, *instants, *(feature.field for feature in view.features)]
    columns = {name: [row[name] for row in rows] for name in names}
    for name in instants:
        columns[name] = pd.Series([instant(micros) for micros in columns[name]]).astype("datetime64[us, UTC]")
    return pd.DataFrame(columns)


def write_source(folder, view, rows):
    """Write source rows where a view's batch source has them."""
    pq.write_table(
        pa.Table.from_pandas(feast_frame(view, rows), preserve_index=False), folder / f"{view.source}.parquet"
    )
