"""Takes out of a store what nothing needs any more: records at once, blobs in a later sweep.

A blob that nothing names is noted first. It goes in a sweep at least a day later, unless it was named or put again
meanwhile, or a run goes on that began before it was noted. A commit puts again what is older than half a day, so no
record comes to name a blob that is about to go. Killed anywhere, a sweep leaves a store that needs nothing it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from argosy.launcher.outside import NOTES, stale_sights
from argosy.launcher.roots import find_needed
from argosy.launcher.store import BLOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from argosy.launcher.roots import Needed, Record
    from argosy.launcher.store import Entry, Store

GRACE: Final = timedelta(hours=24)


@dataclass(frozen=True)
class Swept:
    """What a sweep found and deleted; `bytes` are those of the blobs that it deleted, `noted` go in a later one."""

    records_kept: int
    records_deleted: int
    blobs_kept: int
    blobs_noted: int
    blobs_deleted: int
    bytes: int
    leftovers_deleted: int


def sweep(store: Store, now: datetime, *, dry_run: bool = False, hook: Callable[[str], None] = lambda _: None) -> Swept:
    """Delete what nothing needs; one sweep of a store at a time.

    Args:
        store: The store.
        now: The time by the store's clock.
        dry_run: Delete nothing and note nothing.
        hook: Called with the path of what is deleted next; kill tests stop the process there.

    """
    needed = _find_needed(store, now)
    blobs = {entry.path.removeprefix(f"{BLOBS}/").replace("/", ""): entry for entry in store.entries(BLOBS)}
    noted = _note(store, {name: entry for name, entry in blobs.items() if name not in needed.blobs}, now)
    gone = [blobs[name] for name, at in noted.items() if _is_over(at, needed, now)]
    records = [record for record in needed.records if record.key not in needed.keys]
    leftovers = [each for root in ("staging", "claims") for each in store.entries(root) if now - each.modified > GRACE]
    if not dry_run:
        for path in stale_sights(store, needed.blobs):
            store.delete(path)
        _delete_records(store, records, hook)
        store.write_json(NOTES, {"blobs": {name: at.isoformat() for name, at in noted.items()}})
        _delete_unchanged(store, [*gone, *leftovers], hook)
    return Swept(
        records_kept=len(needed.records) - len(records),
        records_deleted=len(records),
        blobs_kept=len(blobs) - len(noted),
        blobs_noted=len(noted) - len(gone),
        blobs_deleted=len(gone),
        bytes=sum(entry.size for entry in gone),
        leftovers_deleted=len(leftovers),
    )


def _find_needed(store: Store, now: datetime) -> Needed:
    """Look again if a run began while the store was read: it may need what no other did."""
    while True:
        needed = find_needed(store, now)
        if {entry.path.split("/")[1] for entry in store.entries("runs")} == needed.runs:
            return needed


def _note(store: Store, forgotten: Mapping[str, Entry], now: datetime) -> dict[str, datetime]:
    """Return since when each forgotten blob is known to be so; one that was put again starts anew."""
    before: Mapping[str, Any] = (store.read_json(NOTES) or {}).get("blobs", {})
    since = {name: datetime.fromisoformat(text).astimezone(UTC) for name, text in before.items()}
    return {
        name: since[name] if name in since and entry.modified <= since[name] else now
        for name, entry in forgotten.items()
    }


def _is_over(noted: datetime, needed: Needed, now: datetime) -> bool:
    return now - noted >= GRACE and (needed.open_since is None or needed.open_since > noted)


def _delete_records(store: Store, records: Iterable[Record], hook: Callable[[str], None]) -> None:
    """Delete generations in order: were the newest to go first, an older one would stand for it until the end."""
    by_key = sorted(records, key=lambda record: record.entry.path)
    for _, generations in groupby(by_key, key=lambda record: record.key):
        for record in generations:
            hook(record.entry.path)
            store.delete(record.entry.path)


def _delete_unchanged(store: Store, entries: Iterable[Entry], hook: Callable[[str], None]) -> None:
    for listed in entries:
        hook(listed.path)
        found = store.entry(listed.path)
        if found is not None and found.modified == listed.modified:
            store.delete(listed.path)
