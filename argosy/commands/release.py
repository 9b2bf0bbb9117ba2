"""`argosy rollback` and `release`: what is served, what was, and what may not be again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_columns, print_json, print_line
from argosy.launcher.refs import ref_history
from argosy.release.deployment import wait_until_served
from argosy.session import open_session, serving_url

if TYPE_CHECKING:
    from argosy.launcher.refs import Ref
    from argosy.session import Session


def roll_back_ref(name: str, reason: str, *, store: str | None, as_json: bool) -> None:
    """Bring the previous model back, wait until it is served, and print what holds now."""
    from argosy.release.promotion import bring_back

    session = open_session(store=store)
    ref = bring_back(session.store, name, tracking_uri=session.settings.tracking_uri, reason=reason)
    served = _await_served(session, ref)
    if as_json:
        print_json(ref.to_json() | {"served": served})
        return
    print_line(f"{name}: generation {ref.generation} brings {_short(ref.target)} back; {_short(ref.held[-1])} is held")
    print_line(f"served at {served}" if served else "no server runs here")
    print_line(f"`argosy release {_short(ref.held[-1])}` lifts the hold")


def release_digest(name: str, digest: str | None, reason: str, *, store: str | None, as_json: bool) -> None:
    """Lift a hold; without a digest, print the history of the ref."""
    session = open_session(store=store)
    if digest is None:
        _print_history(session, name, as_json=as_json)
        return
    from argosy.release.promotion import lift_hold

    ref = lift_hold(session.store, name, digest, tracking_uri=session.settings.tracking_uri, reason=reason)
    if as_json:
        print_json(ref.to_json())
    else:
        print_line(f"{name}: {digest} may be promoted again; run its pipeline to do so")


def _print_history(session: Session, name: str, *, as_json: bool) -> None:
    history = ref_history(session.store, name)
    if as_json:
        print_json([ref.to_json() | {"cause": dict(cause)} for ref, cause in history])
        return
    if not history:
        print_line(f"{name} has no generation yet; a training pipeline that promotes makes one")
        return
    rows = [
        (str(ref.generation), _short(ref.target), _short(ref.previous), ", ".join(map(_short, ref.held)), _words(cause))
        for ref, cause in history
    ]
    print_columns([("generation", "target", "previous", "held", "cause"), *rows])


def _await_served(session: Session, ref: Ref) -> str | None:
    url = serving_url(session.settings)
    if url and ref.target:
        wait_until_served(url=url, digest=ref.target)
    return url


def _words(cause: Any) -> str:
    return " ".join(str(value) for value in cause.values() if value)


def _short(digest: str | None) -> str:
    return digest.removeprefix("sha256:")[:12] if digest else "-"
