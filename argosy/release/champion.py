"""The champion, as a step observes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.launcher.artifacts import materialize, read_manifest
from argosy.launcher.refs import read_ref
from argosy.launcher.store import open_store

if TYPE_CHECKING:
    from pathlib import Path


def write_champion(*, ref: str, candidate: str, out: Path) -> dict[str, Any]:
    """Lay out the model that a candidate is judged against; an empty folder where there is none.

    For the candidate that is champion already it is the one before, so that an unchanged run asks the question that
    was answered when it was promoted.

    Args:
        ref: The ref's name, like `flights-delay/champion`.
        candidate: The candidate's digest.
        out: Where the model folder goes; must not exist.

    Returns:
        The artifact's metadata, without which the copy would have another digest; empty where there is none.

    """
    store = open_store()
    found = read_ref(store, ref)
    digest = found.previous if found.target == candidate else found.target
    if digest is None:
        out.mkdir(parents=True)
        return {}
    materialize(store, digest, out)
    return dict(read_manifest(store, digest)["metadata"])
