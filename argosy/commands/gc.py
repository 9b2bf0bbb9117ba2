"""`argosy gc`: takes out of the store what no ref, effect or recent run needs."""

from __future__ import annotations

from dataclasses import asdict

from argosy.commands.printing import print_json, print_line
from argosy.launcher.claims import claim
from argosy.launcher.leases import lease
from argosy.launcher.sweep import Swept, sweep
from argosy.session import open_session


def collect_garbage(*, dry_run: bool, store: str | None, as_json: bool) -> None:
    """Sweep the store and print what went.

    Args:
        dry_run: Delete nothing, say what would go.
        store: The store's URL or path, if a flag gave one.
        as_json: Print one document.

    """
    session = open_session(store=store)
    with (
        claim(session.settings.state / "claims", "gc", lambda: False),
        lease(session.store, "gc", lambda: False),
    ):
        swept = sweep(session.store, session.store.now(), dry_run=dry_run)
    if as_json:
        print_json(asdict(swept) | {"dry_run": dry_run})
        return
    for line in _lines(swept, "would be deleted" if dry_run else "deleted"):
        print_line(line)


def _lines(swept: Swept, verb: str) -> list[str]:
    return [
        f"records: {swept.records_deleted} {verb}, {swept.records_kept} are needed",
        f"blobs: {swept.blobs_deleted} {verb} ({swept.bytes / 1e6:.1f} MB), {swept.blobs_kept} are needed,"
        f" {swept.blobs_noted} named by nothing go in a day or later",
        f"leftovers of killed work: {swept.leftovers_deleted} {verb}",
    ]
