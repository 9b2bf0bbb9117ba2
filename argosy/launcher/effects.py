"""The ledger of effects: what was done outside, under which natural key.

A fact is done once per natural key: intent, act with the key, settle, done. The act looks outside first and adopts what
a killed attempt left there, so repeating it is harmless and the ledger only has to say when it is over.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from argosy.launcher.canonical import digest_of
from argosy.launcher.step import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.step import Step
    from argosy.launcher.store import Store


def natural_key(step: Step) -> dict[str, Any]:
    """Return what names the effect of a step: the inputs and variables that its component declares."""
    return {name: _natural_value(step, name) for name in step.natural_key}


def effect_path(kind: str, key: Any) -> str:
    """Return the ledger path of an effect."""
    return f"effects/{kind}/{digest_of(key).removeprefix('sha256:')}.json"


def projection_path(ref: str, generation: int) -> str:
    """Return the ledger path of the projection of one generation of a ref."""
    return effect_path("projection", [ref, generation])


def read_done(store: Store, path: str) -> Mapping[str, Any] | None:
    """Return the ledger entry of an effect that is over, else None."""
    entry = store.read_json(path)
    return entry if entry is not None and entry["state"] == "done" else None


def write_intent(store: Store, path: str, key: Any) -> None:
    """Say that an effect is about to be tried."""
    store.create_json(path, {"state": "intent", "key": key, "outputs": {}})


def write_done(store: Store, path: str, key: Any, outputs: Mapping[str, Any]) -> None:
    """Say that an effect is over, with what it yielded."""
    store.write_json(path, {"state": "done", "key": key, "outputs": dict(outputs)})


def _natural_value(step: Step, name: str) -> Any:
    if name.startswith("$"):
        return os.environ.get(name[1:])
    return shown(step.inputs[name].value)
