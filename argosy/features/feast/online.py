"""Feast's SQLite and Redis online stores under the rule of TTL, for `online_store.type` of a feature_store.yaml.

They keep rows with `argosy.features.online`, so that Feast and Argosy read and write the same ones. What Feast answers
is what its offline side answers at the same instant: an expired value is null with the status OUTSIDE_MAX_AGE, what is
missing is NOT_FOUND, a null is NULL_VALUE, and events are told to the microsecond. Writes are ordered upserts.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from feast.infra.key_encoding_utils import serialize_entity_key_prefix
from feast.infra.online_stores.helpers import compute_versioned_name
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from feast.infra.online_stores.sqlite import SqliteOnlineStore, SqliteOnlineStoreConfig
from feast.infra.supported_async_methods import SupportedAsyncMethods
from pydantic import AwareDatetime, model_validator

from argosy.errors import Mistake
from argosy.features.feast.rows import (
    KEY_VERSION,
    add_names,
    add_vectors,
    key_of,
    packed_rows,
    requested_keys,
    visible_row,
)
from argosy.features.instants import now_us, since_1970_us
from argosy.features.online.redis import RedisRows
from argosy.features.online.sqlite import SqliteRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from argosy.features.online.packed import PackedRow, PackedStore


class _TtlReads:
    """What Feast calls of an online store, over rows that a subclass opens; it comes before Feast's own class."""

    _packed: PackedStore | None = None

    def _open(self, config: Any) -> PackedStore:
        """Open the rows of the project."""
        raise NotImplementedError

    @property
    def async_supported(self) -> SupportedAsyncMethods:
        """Say that both directions have their asynchronous form: the same calls in a thread."""
        return SupportedAsyncMethods(read=True, write=True)

    def online_write_batch(self, config: Any, table: Any, data: Any, progress: Callable[[int], object] | None) -> None:
        """Write rows of a view, unless one has its event in the future."""
        view = _view_name(config, table)
        self._rows(config).put(view, packed_rows(view, data, _now_us(config)))
        if progress:
            progress(len(data))

    async def online_write_batch_async(
        self, config: Any, table: Any, data: Any, progress: Callable[[int], object] | None
    ) -> None:
        """Write rows of a view in a thread."""
        await asyncio.to_thread(self.online_write_batch, config, table, data, progress)

    def online_read(
        self, config: Any, table: Any, entity_keys: Sequence[Any], requested_features: list[str] | None = None
    ) -> list[Any]:
        """Return event and values of each entity; values are null where the row is too old."""
        view, at_us = _view_name(config, table), _now_us(config)
        names = requested_features or [field.name for field in table.features]
        found = self._rows(config).get([(view, key_of(entity)) for entity in entity_keys])
        return [visible_row(row, table, names, at_us) for row in found]

    async def online_read_async(
        self, config: Any, table: Any, entity_keys: Sequence[Any], requested_features: list[str] | None = None
    ) -> list[Any]:
        """Read in a thread."""
        return await asyncio.to_thread(self.online_read, config, table, entity_keys, requested_features)

    def _read_features_per_fv(self, config: Any, grouped_refs: Any, *request: Any) -> None:
        """Answer a request: the rows of all views in one round trip, judged at one instant."""
        columns, join_keys, response, full_names, versions = request
        at_us = _now_us(config)
        keys = [requested_keys(table, columns, join_keys) for table, _ in grouped_refs]
        views = [_view_name(config, table) for table, _ in grouped_refs]
        found = self._find(config, list(zip(views, keys, strict=True)))
        for (table, names), view, asked in zip(grouped_refs, views, keys, strict=True):
            add_names(response, table, names, full=full_names, versions=versions)
            rows = [None if key is None else found[view, key] for key in asked]
            add_vectors(response, rows, table=table, names=names, at_us=at_us)

    async def _read_features_per_fv_async(self, *args: Any) -> None:
        """Answer a request in a thread."""
        await asyncio.to_thread(self._read_features_per_fv, *args)

    def _find(
        self, config: Any, wanted: list[tuple[str, list[bytes | None]]]
    ) -> dict[tuple[str, bytes], PackedRow | None]:
        """Read each asked row once."""
        asked = list(dict.fromkeys((view, key) for view, keys in wanted for key in keys if key is not None))
        return dict(zip(asked, self._rows(config).get(asked), strict=True))

    def update(self, config: Any, tables_to_delete: Sequence[Any], *_: Any, **__: Any) -> None:
        """Drop the rows of views that are gone; others need nothing made."""
        rows = self._rows(config)
        for table in tables_to_delete:
            rows.drop_view(_view_name(config, table), serialize_entity_key_prefix(table.join_keys))

    def plan(self, *_: Any) -> list[Any]:
        """Plan nothing: a view has no table of its own."""
        return []

    def teardown(self, config: Any, tables: Sequence[Any], *_: Any) -> None:
        """Drop the rows of these views."""
        self.update(config, tables)

    def read_precomputed_vectors(self, _: Any, feature_service_name: str, *__: Any) -> list[bytes | None]:
        """Refuse them: they keep values beyond their time."""
        raise Mistake(_no_precompute(feature_service_name))

    def write_precomputed_vector(self, _: Any, feature_service_name: str, *__: Any) -> None:
        """Refuse them."""
        raise Mistake(_no_precompute(feature_service_name))

    async def close(self) -> None:
        """Let go of files and connections."""
        if self._packed is not None:
            self._packed.close()
        self._packed = None

    def _rows(self, config: Any) -> PackedStore:
        """Return the open rows."""
        if self._packed is None:
            if config.entity_key_serialization_version != KEY_VERSION:
                raise Mistake(
                    f"entity_key_serialization_version is {config.entity_key_serialization_version}; "
                    f"online rows are kept under version {KEY_VERSION}: set that"
                )
            self._packed = self._open(config)
        return self._packed


class SqliteTtlOnlineStoreConfig(SqliteOnlineStoreConfig):  # type: ignore[misc]  # Feast ships no types
    """Where the file is, by `path`; with `as_of` the store answers as at that instant, for a replay."""

    type: Literal["argosy.features.feast.online.SqliteTtlOnlineStore"] = (
        "argosy.features.feast.online.SqliteTtlOnlineStore"
    )
    as_of: AwareDatetime | None = None

    @model_validator(mode="after")
    def _refuse_vectors(self) -> Self:
        """Refuse what the rows do not offer."""
        _require_unset(self, vector_enabled=False, text_search_enabled=False, enable_openai_compatible_store=False)
        return self


class SqliteTtlOnlineStore(_TtlReads, SqliteOnlineStore):  # type: ignore[misc]  # Feast ships no types
    """Feast's online store in an SQLite file, under the rule of TTL."""

    def _open(self, config: Any) -> PackedStore:
        """Open the file, beside the repository where its path is relative."""
        return SqliteRows(Path(config.repo_path or "") / config.online_store.path, config.project)


class RedisTtlOnlineStoreConfig(RedisOnlineStoreConfig):  # type: ignore[misc]  # Feast ships no types
    """Where Redis is, as Feast has it; with `as_of` the store answers as at that instant, for a replay."""

    type: Literal["argosy.features.feast.online.RedisTtlOnlineStore"] = (
        "argosy.features.feast.online.RedisTtlOnlineStore"
    )
    as_of: AwareDatetime | None = None

    @model_validator(mode="after")
    def _refuse_what_breaks_the_rule(self) -> Self:
        """Refuse what expires by writing, writes out of order, or has no scripts."""
        _require_unset(self, key_ttl_seconds=None, skip_dedup=False, client="redis")
        if self.redis_type == "redis_cluster":
            raise ValueError("online_store: redis_type is redis_cluster; allowed are redis and redis_sentinel")
        return self


class RedisTtlOnlineStore(_TtlReads, RedisOnlineStore):  # type: ignore[misc]  # Feast ships no types
    """Feast's online store in Redis, under the rule of TTL."""

    def _open(self, config: Any) -> PackedStore:
        """Open the database that Feast's connection string names."""
        where = re.sub(r"(password=)[^,]*", r"\1***", config.online_store.connection_string)
        return RedisRows(self._get_client(config.online_store), config.project, where)

    def update(self, config: Any, tables_to_delete: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        """Drop the rows of views that are gone, unless the scan for them is switched off."""
        scanned = tables_to_delete if config.online_store.full_scan_for_deletion else ()
        super().update(config, scanned, *args, **kwargs)


def _view_name(config: Any, table: Any) -> str:
    """Name a view's rows, as Feast's stores do."""
    return str(compute_versioned_name(table, config.registry.enable_online_feature_view_versioning))


def _now_us(config: Any) -> int:
    """Return the instant to judge at."""
    as_of = config.online_store.as_of
    return now_us() if as_of is None else since_1970_us(as_of)


def _require_unset(config: Any, **defaults: object) -> None:
    """Refuse settings of Feast's store that have no meaning here."""
    for name, default in defaults.items():
        if getattr(config, name) != default:
            raise ValueError(f"online_store: {name} is {getattr(config, name)!r}; leave it out: rows expire when read")


def _no_precompute(service: str) -> str:
    """Say why a feature service cannot be precomputed."""
    return f"feature service {service!r}: precomputed vectors outlive their TTL; set precompute_online to False"
