"""Refs: what `champion` means now, as a chain of create-only generations that nobody can rewrite.

A generation is `{target, previous, cause, held}`. A move is a compare-and-set: it names the target it observed, and a
ref that holds neither that nor the new target makes it `superseded`. A held digest is not promoted until released.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from argosy.errors import Mistake, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.store import Store

Verdict = Literal["promoted", "held", "superseded"]


@dataclass(frozen=True)
class Ref:
    """The newest generation of a ref; generation 0 and no target where nothing was promoted yet."""

    name: str
    generation: int = 0
    target: str | None = None
    previous: str | None = None
    held: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the form that steps and servers are told."""
        return asdict(self) | {"held": list(self.held)}


def read_ref(store: Store, name: str) -> Ref:
    """Read the newest generation of a ref."""
    generation, document = store.latest(folder(name))
    return _ref(name, generation, document)


def ref_history(store: Store, name: str) -> list[tuple[Ref, Mapping[str, Any]]]:
    """Read every generation, oldest first, each with its cause."""
    history = []
    for generation in store.generations(folder(name)):
        document = store.read_json(f"{folder(name)}/{generation:08d}.json")
        history.append((_ref(name, generation, document), (document or {}).get("cause", {})))
    return history


def ref_names(store: Store) -> list[str]:
    """List the refs of a store."""
    return sorted({path.removeprefix("refs/").rsplit("/", 1)[0] for path in store.paths("refs")})


def move_ref(
    store: Store, name: str, target: str, *, expected: str | None, cause: Mapping[str, Any]
) -> tuple[Verdict, Ref]:
    """Point a ref at a target if it holds what was expected, or holds the target already.

    Args:
        store: Where refs live.
        name: The ref.
        target: The digest to promote.
        expected: The digest that the caller observed there; None for a ref without a target.
        cause: Who moved it and why, kept in the generation.

    """
    while True:
        ref = read_ref(store, name)
        if target in ref.held:
            return "held", ref
        if ref.target == target:
            return "promoted", ref
        if ref.target != expected:
            return "superseded", ref
        after = Ref(name, ref.generation + 1, target, ref.target, ref.held)
        if _append(store, after, cause):
            return "promoted", after


def roll_back(store: Store, name: str, *, cause: Mapping[str, Any]) -> Ref:
    """Point a ref at the newest earlier target that is neither current nor held, and hold the current one.

    Raises:
        Mistake: The ref has no target.
        Refused: There is no earlier target to go back to.

    """
    while True:
        ref = read_ref(store, name)
        if ref.target is None:
            raise Mistake(f"ref {name} has no target; run a training pipeline that promotes one")
        earlier = _newest_earlier(store, ref)
        if earlier is None:
            raise Refused(f"ref {name}: no earlier target than {ref.target} that is not held; nothing to go back to")
        held = (*ref.held, ref.target)
        after = Ref(name, ref.generation + 1, earlier.target, earlier.previous, held)
        if _append(store, after, cause):
            return after


def release_hold(store: Store, name: str, digest: str, *, cause: Mapping[str, Any]) -> Ref:
    """Lift the hold on a digest, by a generation that changes nothing else.

    Raises:
        Mistake: The digest is not held; the message lists those that are.

    """
    while True:
        ref = read_ref(store, name)
        matches = [held for held in ref.held if held.removeprefix("sha256:").startswith(digest.removeprefix("sha256:"))]
        if len(matches) != 1:
            among = ", ".join(ref.held) or "none"
            raise Mistake(f"ref {name}: {digest} names {len(matches)} held digests; held are: {among}")
        held = tuple(entry for entry in ref.held if entry != matches[0])
        after = Ref(name, ref.generation + 1, ref.target, ref.previous, held)
        if _append(store, after, cause):
            return after


def folder(name: str) -> str:
    """Return the folder of a ref's generations.

    Raises:
        Mistake: The name is not made of letters, digits, `-`, `_`, `.` and `/`.

    """
    if not name or not all(char.isalnum() or char in "-_./" for char in name) or ".." in name:
        raise Mistake(f"ref {name!r}: a ref is named with letters, digits, '-', '_', '.' and '/'")
    return f"refs/{name}"


def _newest_earlier(store: Store, ref: Ref) -> Ref | None:
    earlier = (entry for entry, _ in reversed(ref_history(store, ref.name)))
    return next((entry for entry in earlier if entry.target not in {None, ref.target, *ref.held}), None)


def _append(store: Store, ref: Ref, cause: Mapping[str, Any]) -> bool:
    document = {"target": ref.target, "previous": ref.previous, "held": list(ref.held), "cause": dict(cause)}
    return store.append(folder(ref.name), ref.generation, document)


def _ref(name: str, generation: int, document: Mapping[str, Any] | None) -> Ref:
    if generation == 0:
        return Ref(name)
    if document is None:
        raise Mistake(f"ref {name}: generation {generation} cannot be read; `argosy verify` says what is damaged")
    return Ref(name, generation, document["target"], document["previous"], tuple(document["held"]))
