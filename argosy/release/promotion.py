"""Promotion and rollback: one generation of a ref, and its projection into the registry.

The launcher has moved the ref before a promotion step's code runs, so what is left to do is the projection; the
command line does both.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.launcher import effects
from argosy.launcher.refs import Ref, read_ref, ref_history, release_hold, roll_back

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.store import Store

PROMOTED = {"verdict": "promoted", "ok": True, "reasons": []}


def project_promotion() -> dict[str, Any]:
    """Draw the generation that the launcher made into the registry; return the promotion's verdict."""
    ref = json.loads(os.environ["ARGOSY_REF"])
    _project(Ref(**(ref | {"held": tuple(ref["held"])})), os.environ["MLFLOW_TRACKING_URI"])
    return PROMOTED


def bring_back(store: Store, name: str, *, tracking_uri: str, reason: str) -> Ref:
    """Roll a ref back by one generation and project it; what an outage left of a projection is finished first.

    A rollback whose own projection an outage stopped is finished and not repeated: going back once is what was asked.

    Raises:
        Mistake: The ref has no target.
        Refused: There is nothing to go back to.
        Outage: The registry did not answer; the ref has moved, and the next call finishes the projection.

    """
    cause = {"command": "rollback"}
    stopped = _was_stopped(store, name, cause)
    ref = finish_projection(store, name, tracking_uri=tracking_uri)
    if stopped:
        return ref
    roll_back(store, name, cause=cause | {"reason": reason})
    return finish_projection(store, name, tracking_uri=tracking_uri)


def lift_hold(store: Store, name: str, digest: str, *, tracking_uri: str, reason: str) -> Ref:
    """Allow a held digest to be promoted again, and project that; a call that an outage stopped is finished."""
    cause = {"command": "release", "digest": digest}
    stopped = _was_stopped(store, name, cause)
    ref = finish_projection(store, name, tracking_uri=tracking_uri)
    if stopped:
        return ref
    release_hold(store, name, digest, cause=cause | {"reason": reason})
    return finish_projection(store, name, tracking_uri=tracking_uri)


def _was_stopped(store: Store, name: str, cause: Mapping[str, str]) -> bool:
    """Say whether a command made the newest generation and did not come to the end of projecting it."""
    history = ref_history(store, name)
    if not history:
        return False
    newest, made_by = history[-1]
    same = all(made_by.get(key) == value for key, value in cause.items())
    return same and effects.read_done(store, effects.projection_path(name, newest.generation)) is None


def redraw(ref: Ref, *, tracking_uri: str) -> None:
    """Draw a ref into the registry again, whatever the ledger says: somebody may have changed it by hand."""
    if ref.target is not None:
        _project(ref, tracking_uri)


def finish_projection(store: Store, name: str, *, tracking_uri: str) -> Ref:
    """Project the newest generation of a ref unless the ledger says that it is done; return it."""
    ref = read_ref(store, name)
    if ref.target is None:
        return ref
    path = effects.projection_path(name, ref.generation)
    if effects.read_done(store, path) is None:
        key = {"ref": name, "generation": ref.generation}
        effects.write_intent(store, path, key)
        _project(ref, tracking_uri)
        effects.write_done(store, path, key, {"verdict": {"value": PROMOTED, "measured": False}})
    return ref


def _project(ref: Ref, tracking_uri: str) -> None:
    # The registry takes seconds to import, and a refusal needs none of it.
    from argosy.registry.effects import project_alias

    entry = {"target": ref.target, "previous": ref.previous, "held": list(ref.held)}
    model = ref.name.rsplit("/", 1)[0]
    path = effects.projection_path(ref.name, ref.generation)
    drawn = project_alias(
        tracking_uri=tracking_uri, name=model, ref=ref.name, generation=ref.generation, entry=entry, effect_key=path
    )
    if drawn["generation"] > ref.generation:
        raise Mistake(
            f"registry {tracking_uri}: {model} knows generation {drawn['generation']} of {ref.name}, this store only "
            f"{ref.generation}: it follows another store; use another registry, or delete the model's tags argosy.ref.*"
        )
