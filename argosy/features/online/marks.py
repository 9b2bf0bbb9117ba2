"""Say until when an online store is complete, and name what it holds: in milliseconds, before anything is brought.

A mark of a view lies in the store, beside its rows, and is written after them: until which instant they are complete,
from which source, and under which rules. A store that loses its rows loses its marks.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.features.instants import instant_us
from argosy.features.online.connect import named_online, open_online
from argosy.features.online.rows import OnlineView
from argosy.features.rules import read_rules
from argosy.launcher.canonical import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from argosy.features.rules import View


@dataclass(frozen=True)
class Work:
    """What a materialisation is for.

    Args:
        at_us: The instant as of which the store is to be complete, microseconds since 1970 UTC.
        source: Digest of the event rows, which the mark repeats.
        since_us: Events after this instant are looked at again, for what came later than any lateness that is declared;
            None where nothing is to be made good.

    """

    at_us: int
    source: str
    since_us: int | None = None


def read_work(at: str, since: str, env: Mapping[str, str]) -> Work:
    """Read what a step is for.

    Args:
        at: The instant, ISO 8601 with its zone.
        since: From where events are to be looked at again; empty for nowhere.
        env: `ARGOSY_INPUTS` says the digest of the step's `events`.

    Raises:
        BadInput: An instant cannot be read.

    """
    return Work(instant_us(at), json.loads(env["ARGOSY_INPUTS"])["events"], instant_us(since) if since else None)


def observe(*, features: Path, at: str, since: str, env: Mapping[str, str]) -> tuple[bool, dict[str, Any]]:
    """Say whether the online store is complete, and name what it holds: the store itself, and its marks.

    Args:
        features: The compiled rules.
        at: The instant, as `read_work` reads it, and so `since`.
        since: From where events are to be looked at again.
        env: `ARGOSY_ONLINE` names the store.

    Raises:
        BadInput: An instant cannot be read.
        Outage: The store does not answer.

    """
    work = read_work(at, since, env)
    with closing(open_online(named_online(env))) as store:
        marks, identity = store.marks(), store.identity()
    held = {name: [mark["at_us"], mark["source"], mark["rules"]] for name, mark in sorted(marks.items())}
    return is_current(features=features, marks=marks, work=work), {"store": identity, "marks": held}


def is_current(*, features: Path, marks: Mapping[str, Mapping[str, Any]], work: Work) -> bool:
    """Say whether marks of every online view reach the work's instant or later, and nothing is to be made good."""
    if work.since_us is not None:
        return False
    views = [view for view in read_rules(features).views if view.online]
    return all(_covers(view, marks.get(view.name), work) for view in views)


def _covers(view: View, mark: Mapping[str, Any] | None, work: Work) -> bool:
    """Say whether a mark stands for this work."""
    if mark is None or mark["rules"] != rules_digest(view):
        return False
    return bool(mark["at_us"] > work.at_us or (mark["at_us"] == work.at_us and mark["source"] == work.source))


def online_view(view: View) -> OnlineView:
    """Describe a view as an online store has to know it."""
    return OnlineView(view.name, tuple(view.keys), tuple(view.key_types), view.stored)


def mark_of(view: View, work: Work) -> dict[str, Any]:
    """Return what is noted of a view that a work brought up to its instant."""
    return {"at_us": work.at_us, "source": work.source, "rules": rules_digest(view)}


def began_us(view: View, mark: Mapping[str, Any] | None) -> int | None:
    """Return the instant until which the view is complete; None where it has to be brought from the start."""
    return int(mark["at_us"]) if mark is not None and mark["rules"] == rules_digest(view) else None


def rules_digest(view: View) -> str:
    """Name what of a view decides which rows the store holds; under another name, a mark stands for nothing."""
    return digest_of([view.timestamp, view.created, view.forgets_us, view.availability, _sorted(online_view(view))])


def _sorted(view: OnlineView) -> list[Any]:
    return [list(view.keys), list(view.key_types), sorted(view.fields.items())]
