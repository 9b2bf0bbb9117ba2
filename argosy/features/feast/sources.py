"""Parquet behind Feast's FileSource: a file, a folder, hive partitions or a glob; here, on S3, where Arrow reads."""

from __future__ import annotations

import os
import re
import uuid
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from feast.data_format import ParquetFormat
from feast.infra.offline_stores.file_source import FileSource
from pyarrow import fs

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

_WILD = re.compile(r"\*\*/|\*|\?")
_MEANING = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
_PER_US = {"s": (1, 1_000_000), "ms": (1, 1_000), "us": (1, 1), "ns": (1_000, 1)}
_INT64 = 2**63


@dataclass(frozen=True)
class Place:
    """Where Parquet is: a path in a file system, with wildcards or without."""

    filesystem: Any
    path: str

    @property
    def is_glob(self) -> bool:
        """Whether the path names several files by wildcards."""
        return _WILD.search(self.path) is not None

    @property
    def is_folder(self) -> bool:
        """Whether a folder is there, or would be made there."""
        kind = self.filesystem.get_file_info(self.path).type
        return bool(kind == fs.FileType.Directory or (kind == fs.FileType.NotFound and not self._names_a_file))

    @property
    def exists(self) -> bool:
        """Whether something is there."""
        return bool(self.filesystem.get_file_info(self.path).type != fs.FileType.NotFound)

    @property
    def _names_a_file(self) -> bool:
        return self.path.endswith((".parquet", ".pq"))


def place_of(source: Any, repo_path: Any) -> Place:
    """Find where a source's Parquet is.

    Args:
        source: Feast's source; S3 is read with its endpoint and credentials, else with those of the environment.
        repo_path: What a relative path is relative to.

    Raises:
        BadInput: It is no file source, or not of Parquet.

    """
    if not isinstance(source, FileSource):
        raise BadInput(f"source {source.name!r} is a {type(source).__name__}; this store reads a FileSource of Parquet")
    if source.file_format is not None and not isinstance(source.file_format, ParquetFormat):
        raise BadInput(f"source {source.name!r} is {type(source.file_format).__name__}; this store reads Parquet")
    return place_at(source.path, repo_path, source.s3_endpoint_override, source.resolve_credentials())


def place_at(path: str, repo_path: Any, endpoint: str | None, credentials: Any = None) -> Place:
    """Find a path in its file system; a relative one is relative to the repository."""
    uri = FileSource.get_uri_for_file_path(repo_path=repo_path, uri=path.removeprefix("file://"))
    if uri.startswith("s3://"):
        # Arrow takes the credentials that the environment names, and not the endpoint.
        endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        return Place(*FileSource.create_filesystem_and_path(uri, endpoint, credentials))
    if "://" in uri:
        return Place(*fs.FileSystem.from_uri(uri))
    return Place(fs.LocalFileSystem(), uri)


def open_dataset(place: Place) -> Any:
    """Open all of a place's files as one dataset, with the columns of any and types that hold every file's.

    Raises:
        BadInput: Nothing is there, or it is not Parquet of one schema.

    """
    base = place.path
    chosen: Any = [place.path]
    if place.is_glob:
        base, chosen = _files(place)
    elif place.is_folder:
        chosen = fs.FileSelector(place.path, recursive=True, allow_not_found=True)
    options = ds.FileSystemFactoryOptions(partition_base_dir=base, partitioning=ds.HivePartitioning.discover())
    try:
        factory = ds.FileSystemDatasetFactory(place.filesystem, chosen, ds.ParquetFileFormat(), options)
        dataset = factory.finish(factory.inspect(promote_options="permissive"))
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"{place.path}: cannot be read as Parquet ({error}); write it again") from error
    if not dataset.files:
        raise BadInput(f"{place.path}: no Parquet is there")
    return dataset


def read_rows(
    dataset: Any, columns: Sequence[str], timestamp: str, *, since_us: int | None, until_us: int | None, where: str
) -> pa.Table:
    """Read columns of the rows whose timestamp lies within bounds, both inclusive.

    Raises:
        BadInput: A column is missing.

    """
    missing = sorted(set(columns) - set(dataset.schema.names))
    if missing:
        raise BadInput(f"{where}: no columns {missing}; it has {dataset.schema.names}, and the view needs all of them")
    within = _within(timestamp, dataset.schema.field(timestamp).type, since_us, until_us)
    return dataset.to_table(columns=list(dict.fromkeys(columns)), filter=within).combine_chunks()


def append(place: Place, table: pa.Table) -> None:
    """Add rows: to a folder as a new file, to a file by writing it anew.

    Raises:
        BadInput: The place is a glob, which does not say where new rows go.

    """
    if place.is_glob:
        raise BadInput(f"{place.path}: rows cannot be added to a glob; name the folder")
    if place.is_folder:
        add_file(place, table, _hive_columns(place))
        return
    if place.exists:
        before = pq.read_table(place.path, filesystem=place.filesystem)
        table = pa.concat_tables([before, table.select(before.column_names).cast(before.schema)])
    _write_file(place, table)


def replace(place: Place, table: pa.Table) -> None:
    """Write a table as the whole content of a file or folder."""
    if not place.is_folder:
        _write_file(place, table)
        return
    old = place.filesystem.get_file_info(fs.FileSelector(place.path, recursive=True, allow_not_found=True))
    add_file(place, table, ())
    for each in old:
        if each.is_file and each.extension == "parquet":
            place.filesystem.delete_file(each.path)


def add_file(place: Place, table: pa.Table, partition_by: Sequence[str]) -> None:
    """Write rows into a folder beside what is there, in hive partitions if columns are named."""
    kinds = pa.schema([table.schema.field(name) for name in partition_by])
    ds.write_dataset(
        table,
        place.path,
        filesystem=place.filesystem,
        format="parquet",
        basename_template=f"{uuid.uuid4().hex}-{{i}}.parquet",
        partitioning=ds.partitioning(kinds, flavor="hive") if partition_by else None,
        existing_data_behavior="overwrite_or_ignore",
    )


def _write_file(place: Place, table: pa.Table) -> None:
    """Write a file so that a reader sees the old one or the new one."""
    path = PurePosixPath(place.path)
    place.filesystem.create_dir(str(path.parent), recursive=True)
    beside = str(path.with_name(f".{path.name}-{uuid.uuid4().hex}"))
    pq.write_table(table, beside, filesystem=place.filesystem)
    place.filesystem.move(beside, place.path)


def _files(place: Place) -> tuple[str, list[str]]:
    """List what a glob matches, and the folder above its first wildcard."""
    base = place.path[: _WILD.search(place.path).start()].rpartition("/")[0]  # type: ignore[union-attr]
    words = re.split(f"({_WILD.pattern})", place.path)
    pattern = re.compile("".join(_MEANING.get(word, re.escape(word)) for word in words))
    found = place.filesystem.get_file_info(fs.FileSelector(base or "/", recursive=True, allow_not_found=True))
    files = sorted(each.path for each in found if each.is_file and pattern.fullmatch(each.path))
    if not files:
        raise BadInput(f"{place.path}: matches no file")
    return base, files


def _hive_columns(place: Place) -> list[str]:
    """Name the columns by which a folder is partitioned, outermost first."""
    found = place.filesystem.get_file_info(fs.FileSelector(place.path, recursive=True, allow_not_found=True))
    first = min((each.path for each in found if each.is_file), default=place.path)
    below = PurePosixPath(first).relative_to(place.path).parts[:-1]
    return [part.partition("=")[0] for part in below if "=" in part]


def _within(name: str, kind: pa.DataType, since_us: int | None, until_us: int | None) -> Any:
    """Keep rows whose timestamp, rounded down to a microsecond, lies within bounds, so that whole files are skipped."""
    within = ds.field(name).is_valid()
    if not pa.types.is_timestamp(kind):
        return within
    times, per = _PER_US[kind.unit]
    # A bound that the column cannot hold keeps everything.
    if since_us is not None and abs(first := -(-since_us * times // per)) < _INT64:
        within &= ds.field(name) >= pa.scalar(first, pa.int64()).cast(kind)
    if until_us is not None and abs(last := ((until_us + 1) * times - 1) // per) < _INT64:
        within &= ds.field(name) <= pa.scalar(last, pa.int64()).cast(kind)
    return within
