"""Which of Feast's stores keep the TTL rule, and what has to be checked before one that keeps it in part.

Stores differ in how they judge age, break ties and write over a newer row, so the same definitions train different
models. What is said of a store here was seen by running it, or read in the code of Feast 0.67 (docs/decisions/0020).
A *check* names a fault of a store that shows only in some definitions or data: those on definitions are made here, at
compile time; for those on data, `query_of` gives the SQL that finds the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

import yaml

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

Check = Literal["whole_second_ttl", "no_created_cutoff", "unique_rows", "created_not_null", "keys_stay_apart"]
Verdict = Literal["allowed", "allowed with checks", "refused"]

CHECKS: dict[Check, str] = {
    "whole_second_ttl": "it drops the fraction of a ttl, and reads one under a second as for ever",
    "no_created_cutoff": "it cannot leave out rows that were created after the request",
    "unique_rows": "of rows tied on keys, event and created it takes any, or repeats the request for each",
    "created_not_null": "it loses rows whose created column is null",
    "keys_stay_apart": "it tells requests apart by their keys' texts in a row: '1', '11' and '11', '1' are one",
}
OURS = "argosy.features.feast.offline.AsofOfflineStore"
OUR_ONLINE = ("argosy.features.feast.online.SqliteTtlOnlineStore", "argosy.features.feast.online.RedisTtlOnlineStore")


@dataclass(frozen=True)
class Store:
    """What is known of a store.

    Args:
        reason: Why it is refused, or what the checks are for.
        instead: What to use in its place.
        checks: Faults that must not meet the definitions or the data.

    """

    verdict: Verdict
    reason: str
    instead: str = ""
    checks: tuple[Check, ...] = ()


def _with_checks(reason: str, *checks: Check) -> Store:
    return Store("allowed with checks", reason, checks=checks)


def _refused(reason: str, instead: str = OURS) -> Store:
    return Store("refused", reason, instead)


_TEMPLATE = _with_checks(
    "its SQL counts the ttl in whole seconds, and joins back on (keys, event, created)",
    "whole_second_ttl", "unique_rows", "created_not_null", "keys_stay_apart",
)  # fmt: skip
_DASK = _refused("it drops requests whose row is expired or missing, and takes any of several created rows")

OFFLINE: dict[str, Store] = {
    OURS: Store("allowed", "it is the rule, in DuckDB"),
    "file": _DASK,
    "dask": _DASK,
    "duckdb": _with_checks("it is right where rows are unique, and slow: it makes all pairs of a key", "unique_rows"),
    "ray": _refused("it knows no ttl, rounds times to seconds so that a row of the future counts, ignores created"),
    "spark": _TEMPLATE,
    "postgres": _TEMPLATE,
    "redshift": _TEMPLATE,
    "athena": _TEMPLATE,
    "trino": _TEMPLATE,
    "bigquery": _TEMPLATE,
    "clickhouse": _TEMPLATE,
    "snowflake.offline": _with_checks(
        "it joins as of the request, with the ttl in whole seconds", *_TEMPLATE.checks, "no_created_cutoff"
    ),
    "mssql": _with_checks("it adds the ttl in whole seconds", "whole_second_ttl", "unique_rows"),
    "oracle": _with_checks("it is right where rows are unique", "unique_rows"),
    "couchbase.offline": _refused("it compares ages in whole seconds: a row expired by 0.99 s still counts"),
    "mongodb": _refused("it keeps times in milliseconds: a row of the future counts, by less than one"),
    "chronon": _refused("it joins null keys with null keys, and nobody has held it to the rule"),
    "remote": _refused("its rule is that of the store behind the server, which this file does not name"),
    "hybrid": _refused("its rule differs by view, with the store that each view's source falls to"),
}

_UNJUDGED = "Feast reads from it without judging age: an expired row is served, with status PRESENT"
_SQLITE, _REDIS = OUR_ONLINE
_LATEST_WRITE = f"{_UNJUDGED}; an older row replaces a newer one"
_FROM_WRITE = f"{_UNJUDGED}; its own expiry counts from the write, so a row lives up to twice its ttl"

ONLINE: dict[str, Store] = {
    **{name: Store("allowed", "it judges age on reading, and orders writes") for name in OUR_ONLINE},
    "sqlite": _refused(f"{_LATEST_WRITE}; it keeps times in seconds of the local zone", _SQLITE),
    "redis": _refused(f"{_UNJUDGED}; a correction of the same instant is lost, a row of the future stays", _REDIS),
    **{name: _refused(_FROM_WRITE, _REDIS) for name in ("scylladb", "hazelcast", "aerospike")},
    **{
        name: _refused(_LATEST_WRITE, _REDIS)
        for name in (
            "postgres", "mysql", "dynamodb", "datastore", "bigtable", "cassandra", "hbase", "snowflake.online",
            "singlestore", "couchbase.online", "mongodb", "elasticsearch", "milvus", "qdrant",
        )
    },
    **{
        name: _refused("its rule is that of another store, which this file does not name", _REDIS)
        for name in ("remote", "hybrid", "chronon")
    },
}  # fmt: skip


def checks_of(store_type: str) -> tuple[Check, ...]:
    """Name the faults of an offline store, by its type in `feature_store.yaml`, that definitions and data must avoid.

    Raises:
        BadInput: The store is refused or unknown.

    """
    store = _find(OFFLINE, store_type)
    if store is None or store.verdict == "refused":
        raise BadInput(_problem("offline_store", store_type, OFFLINE))
    return store.checks


def problems_of_store(config: Mapping[str, Any]) -> list[str]:
    """List what in a parsed `feature_store.yaml` breaks the TTL rule, one line each."""
    wrong = []
    for part, known, default in (("offline_store", OFFLINE, "dask"), ("online_store", ONLINE, "sqlite")):
        kind = _type_of(config, part, default)
        store = None if kind is None else _find(known, kind)
        if kind is not None and (store is None or store.verdict == "refused"):
            wrong.append(_problem(part, kind, known))
    return wrong + _registry_problems(config) + _clickhouse_problems(config)


def problems_of_repository(
    feature_repo: Path, views: Sequence[Mapping[str, Any]], *, precompute_online: bool = False
) -> list[str]:
    """List why a repository's stores cannot keep the rule for its views, one line each.

    Args:
        feature_repo: Folder with `feature_store.yaml`; without that file there is nothing to say.
        views: Described views: `name`, `ttl_us`, `online`, and `tags`.
        precompute_online: Whether the feature service asks Feast to keep its vectors ready.

    Raises:
        BadInput: The file is not a YAML mapping.

    """
    path = feature_repo / "feature_store.yaml"
    if not path.exists():
        return []
    config = _read(path)
    wrong = problems_of_store(config)
    if precompute_online:
        wrong.append("precompute_online: Feast serves such vectors with expired values in them; leave it out")
    store = _find(OFFLINE, _type_of(config, "offline_store", "dask") or "")
    wrong += [line for view in views for line in _view_problems(view, store.checks if store else ())]
    return [f"{path.name}: {line}" for line in wrong + _key_ttl_problems(config, views)]


def query_of(check: Check, *, table: str, keys: Sequence[str], event: str, created: str | None) -> str | None:
    """Write the SQL that finds what a check on data forbids, or None if there cannot be any.

    It is plain enough for every store here. For `keys_stay_apart` the table is the requests', else the view's.
    """
    names = [_quote(name) for name in (*keys, event)]
    if check == "unique_rows":
        columns = ", ".join([*names, _quote(created)] if created else names)
        return f"SELECT {columns}, count(*) FROM {table} GROUP BY {columns} HAVING count(*) > 1"  # noqa: S608
    if check == "created_not_null" and created:
        return f"SELECT {', '.join(names)} FROM {table} WHERE {_quote(created)} IS NULL"  # noqa: S608
    if check == "keys_stay_apart" and len(keys) > 1:
        text = " || ".join(f"CAST({_quote(key)} AS VARCHAR)" for key in keys)
        apart = " OR ".join(f"min({_quote(key)}) <> max({_quote(key)})" for key in keys)
        return f"SELECT {text}, {names[-1]} FROM {table} GROUP BY {text}, {names[-1]} HAVING {apart}"  # noqa: S608
    return None


def _read(path: Path) -> Mapping[str, Any]:
    """Read a YAML mapping."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(found, dict):
        raise BadInput(f"{path}: holds {type(found).__name__}; Feast's configuration is a mapping")
    return found


def _type_of(config: Mapping[str, Any], part: str, default: str) -> str | None:
    """Name the type of a store as Feast would; None where there is none."""
    found = config.get(part, {})
    if isinstance(found, dict):
        return str(found.get("type", default))
    return None if found is None or str(found).lower() in {"none", "null"} else str(found)


def _find(known: Mapping[str, Store], kind: str) -> Store | None:
    """Look a store up by its type, or by the path of Feast's class."""
    if kind in known or not kind.startswith("feast."):
        return known.get(kind)
    module = kind.split(".")[-2].removesuffix("_online_store").removesuffix("_offline_store")
    return next((known[name] for name in (module, f"{module}.offline", f"{module}.online") if name in known), None)


def _problem(part: str, kind: str, known: Mapping[str, Store]) -> str:
    """Say why a type cannot stand and what to write."""
    store = _find(known, kind)
    if store is not None:
        return f"{part}.type {kind!r}: {store.reason}; use {store.instead}"
    allowed = [name for name, each in known.items() if each.verdict != "refused"]
    near = get_close_matches(kind, allowed, 1)
    return f"{part}.type {kind!r}: nobody has held it to the ttl rule; held are {allowed}" + (
        f"; did you mean {near[0]!r}?" if near else ""
    )


def _registry_problems(config: Mapping[str, Any]) -> list[str]:
    """Refuse a file that is rewritten as a whole by each of several writers."""
    registry = config.get("registry", "data/registry.db")
    settings = registry if isinstance(registry, dict) else {}
    if settings.get("registry_type", "file") != "file" or settings.get("writers") == 1:
        return []
    return [
        "registry: it is a file, which every apply and materialize rewrites as a whole, so that of two at once one is "
        "lost; write registry_type: sql and path: sqlite:///registry.db, or writers: 1 where one process alone writes"
    ]


def _clickhouse_problems(config: Mapping[str, Any]) -> list[str]:
    """Refuse ClickHouse's own reading of an outer join, in which nothing found is 0 and not null."""
    store = config.get("offline_store")
    if not isinstance(store, dict) or "clickhouse" not in str(store.get("type")):
        return []
    settings = (store.get("additional_client_args") or {}).get("settings") or {}
    if settings.get("join_use_nulls"):
        return []
    return ["offline_store: a missing row reads as 0; write additional_client_args: {settings: {join_use_nulls: 1}}"]


def _view_problems(view: Mapping[str, Any], checks: Iterable[Check]) -> list[str]:
    """List the faults of a store that a view's definition meets."""
    ttl_us, wrong = view["ttl_us"] or 0, []
    if "whole_second_ttl" in checks and ttl_us % 1_000_000:
        wrong.append(f"its ttl is {ttl_us / 1e6:g} s, and of the offline store {CHECKS['whole_second_ttl']}")
    if "no_created_cutoff" in checks and view["tags"].get("availability") == "created":
        wrong.append(f"its availability is 'created', and of the offline store {CHECKS['no_created_cutoff']}")
    return [f"feature view {view['name']!r}: {line}" for line in wrong]


def _key_ttl_problems(config: Mapping[str, Any], views: Iterable[Mapping[str, Any]]) -> list[str]:
    """Refuse an expiry of the online store's own that deletes rows which are still valid."""
    store = config.get("online_store")
    key_ttl_s = store.get("key_ttl_seconds") if isinstance(store, dict) else None
    if not key_ttl_s:
        return []
    wrong = []
    for view in views:
        if view["online"] and (not view["ttl_us"] or view["ttl_us"] >= key_ttl_s * 1_000_000):
            ttl = f"{view['ttl_us'] / 1e6:g} s" if view["ttl_us"] else "for ever"
            wrong.append(f"online_store.key_ttl_seconds {key_ttl_s}: view {view['name']!r} is valid {ttl}; exceed it")
    return wrong


def _quote(name: str) -> str:
    """Quote an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
