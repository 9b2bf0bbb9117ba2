"""What a store still needs: refs, effects, runs that go on, each pipeline's last runs, and all that led to them.

Every name in a store is a SHA-256, so a document needs whatever it mentions: keys, artifacts, blobs and logs alike.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from argosy.launcher.artifacts import artifacts_in
from argosy.launcher.step import Output

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from argosy.launcher.store import Entry, Store

RUNS_KEPT: Final = 20
OPEN_FOR: Final = timedelta(days=7)
"""How long a run that has not ended counts as going on; after that it was killed."""
SETTLED: Final = timedelta(hours=24)
"""A younger record may belong to work that has not named it anywhere yet."""
UNREGISTERED: Final = timedelta(days=30)
"""How long records stay whose run is not among the store's: those of pods of Kubeflow."""
READERS: Final = 16
NAME: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


@dataclass(frozen=True)
class Record:
    """One generation under a key.

    Attributes:
        run: The run that made it; empty for a record that cannot be read.
        names: All that it mentions.
        makes: Digests of the artifacts that it committed.
        lists: The blobs that it lists in full.

    """

    entry: Entry
    run: str
    names: frozenset[str]
    makes: frozenset[str]
    lists: frozenset[str]

    @property
    def key(self) -> str:
        """The key that it stands under."""
        return self.entry.path.split("/")[1]


@dataclass(frozen=True)
class Needed:
    """What a store needs.

    Attributes:
        records: All records of the store.
        keys: The keys whose records stay.
        blobs: The blobs that stay.
        runs: The names of all runs that were looked at.
        open_since: When the oldest run began that goes on.

    """

    records: Sequence[Record]
    keys: frozenset[str]
    blobs: frozenset[str]
    runs: frozenset[str]
    open_since: datetime | None


def find_needed(store: Store, now: datetime, *, runs_kept: int = RUNS_KEPT) -> Needed:
    """Follow a store's roots to all that they need.

    Args:
        store: The store.
        now: The time by the store's clock.
        runs_kept: How many of each pipeline's last runs are roots.

    """
    runs = _read_runs(store)
    records = _read_records(store)
    marking = _Marking(store, records)
    for data in _read_all(store, [entry.path for root in ("refs", "effects") for entry in store.entries(root)]):
        marking.add(_names_in(data))
    for run in runs.values():
        if run.is_open(now) or run.name in _last(runs, runs_kept):
            marking.add(run.names)
    marking.add(record.key for record in records if _is_in_use(record, runs, now))
    marking.finish()
    open_since = min((run.began for run in runs.values() if run.is_open(now)), default=None)
    return Needed(records, frozenset(marking.keys), frozenset(marking.names), frozenset(runs), open_since)


@dataclass(frozen=True)
class _Run:
    name: str
    pipeline: str
    started: str
    began: datetime
    ended: bool
    names: frozenset[str]

    def is_open(self, now: datetime) -> bool:
        return not self.ended and now - self.began < OPEN_FOR


class _Marking:
    """Marks names, and what the documents behind them mention."""

    def __init__(self, store: Store, records: Sequence[Record]) -> None:
        self.names: set[str] = set()
        self.keys: set[str] = set()
        self._store = store
        self._records: dict[str, list[Record]] = defaultdict(list)
        self._makers: dict[str, list[Record]] = defaultdict(list)
        self._listed: set[str] = set()
        self._new: list[str] = []
        for record in records:
            self._records[record.key].append(record)
            for digest in record.makes:
                self._makers[digest].append(record)

    def add(self, names: Iterable[str]) -> None:
        """Mark names and all that the records behind them mention."""
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in self.names:
                continue
            self.names.add(name)
            self._new.append(name)
            for record in self._records.get(name, ()):
                self.keys.add(name)
                self._listed |= record.lists
                waiting += record.names

    def finish(self) -> None:
        """Follow artifacts to the records that made them, and manifests that no record lists to their files."""
        while self._new:
            new, self._new = self._new, []
            for name in sorted(new):
                self._follow(name)

    def _follow(self, name: str) -> None:
        makers = self._makers.get(name)
        if makers is not None:
            # Many keys may have made equal bytes; one of them is how they came to be.
            if not any(record.key in self.keys for record in makers):
                self.add([max(makers, key=lambda record: (record.entry.modified, record.key)).key])
        elif name not in self._listed and name not in self._records:
            self.add(_files_of(self._store.read_blob(name)))


def _files_of(data: bytes | None) -> frozenset[str]:
    """Return the files that a blob names if it is a manifest."""
    try:
        manifest = json.loads(data or b"null")
    except ValueError:
        return frozenset()
    is_manifest = isinstance(manifest, dict) and {"kind", "files"} <= set(manifest)
    return _names_in(data) if is_manifest else frozenset()


def _is_in_use(record: Record, runs: Mapping[str, _Run], now: datetime) -> bool:
    """Say whether a record may be needed by work that has not named it: then its key is a root."""
    age = now - record.entry.modified
    maker = runs.get(record.run)
    if age < SETTLED or (maker is None and record.run and age < UNREGISTERED):
        return True
    # Of what a run has reused it says nothing before its end; most of that was made for its own pipeline.
    return maker is not None and any(run.is_open(now) and run.pipeline == maker.pipeline for run in runs.values())


def _last(runs: Mapping[str, _Run], count: int) -> set[str]:
    by_pipeline = defaultdict(list)
    for run in sorted(runs.values(), key=lambda run: (run.started, run.name)):
        by_pipeline[run.pipeline].append(run.name)
    return {name for names in by_pipeline.values() for name in names[-count:]}


def _read_runs(store: Store) -> dict[str, _Run]:
    entries = {entry.path: entry for entry in store.entries("runs")}
    texts = dict(zip(entries, _read_all(store, list(entries)), strict=True))
    found = {}
    for name in {path.split("/")[1] for path in entries}:
        mine = [path for path in entries if path.startswith(f"runs/{name}/")]
        names = frozenset[str]().union(*(_names_in(texts[path]) for path in mine))
        begun = _document(texts.get(f"runs/{name}/run.json"))
        # Whatever cannot be read is a pipeline of its own, so that it stays.
        pipeline, started = begun.get("pipeline") or name, begun.get("started") or ""
        began, ended = min(entries[path].modified for path in mine), f"runs/{name}/result.json" in entries
        found[name] = _Run(name, pipeline, started, began, ended, names)
    return found


def _read_records(store: Store) -> list[Record]:
    entries = store.entries("steps")
    return [
        _record(entry, data)
        for entry, data in zip(entries, _read_all(store, [entry.path for entry in entries]), strict=True)
    ]


def _record(entry: Entry, data: bytes | None) -> Record:
    document = _document(data)
    values = [Output.from_json(output).value for output in document.get("outputs", {}).values()]
    artifacts = [artifact for value in values for artifact in artifacts_in(value)]
    makes = frozenset(artifact.digest.removeprefix("sha256:") for artifact in artifacts)
    lists = frozenset(name for artifact in artifacts for name in artifact.blobs)
    log = str(document.get("log", "")).removeprefix("sha256:")
    return Record(entry, str(document.get("run", "")), _names_in(data), makes, lists | {log})


def _document(data: bytes | None) -> dict[str, Any]:
    try:
        document = json.loads(data or b"null")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _names_in(data: bytes | None) -> frozenset[str]:
    return frozenset(name.decode() for name in NAME.findall(data or b""))


def _read_all(store: Store, paths: Sequence[str]) -> Iterator[bytes | None]:
    with ThreadPoolExecutor(READERS) as pool:
        yield from pool.map(store.read, paths)
