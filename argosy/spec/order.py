"""Topological order that does not depend on the order of the input."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from argosy.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def in_order(after: Mapping[str, Collection[str]], place: str) -> list[str]:
    """Return names so that each stands after those it waits for; ties by name.

    Args:
        after: For each name, the distinct names it waits for, all of them keys too.
        place: What the names are tasks of, for the message.

    Raises:
        Mistake: Some names wait for each other.

    """
    waiting = {name: len(earlier) for name, earlier in after.items()}
    followers: dict[str, list[str]] = {name: [] for name in after}
    for name, earlier in after.items():
        for other in earlier:
            followers[other].append(name)
    ready = [name for name, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    ordered: list[str] = []
    while ready:
        name = heapq.heappop(ready)
        ordered.append(name)
        for follower in followers[name]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, follower)
    if len(ordered) < len(after):
        stuck = sorted(set(after).difference(ordered))[:10]
        raise Mistake(f"{place}: these tasks wait for each other: {', '.join(stuck)}")
    return ordered
