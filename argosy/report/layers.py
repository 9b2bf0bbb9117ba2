"""Place the nodes of a DAG in layers, so that edges run downwards and rarely cross.

The classic layered method in its small form: layers by longest path, waypoints where an edge
passes a layer, a few barycentre sweeps for the order, least squares for the columns.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SWEEPS = 8
WAYPOINT_WIDTH = 0.3

Graph = dict[str, list[str]]
Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where nodes stand and which way edges take, in units of (column, layer)."""

    positions: dict[str, Point]
    edges: tuple[tuple[str, str, tuple[Point, ...]], ...]
    columns: float
    layers: int


def place(after: Mapping[str, Sequence[str]]) -> Layout:
    """Lay out a DAG given as node -> nodes before it.

    Edges that longer paths imply are left out; unknown nodes and edges that close a cycle are
    ignored, so any input has a picture.
    """
    before = reduce_edges(_acyclic(after))
    layer_of = assign_layers(before)
    chains = {(up, node): _chain(up, node, layer_of) for node in before for up in before[node]}
    ranks, links = _ranks(layer_of, list(chains.values()))
    ranks = _order(ranks, links)
    column = _columns(ranks, links)
    at = {name: (column[name], float(depth)) for depth, rank in enumerate(ranks) for name in rank}
    edges = tuple((up, node, tuple(at[point] for point in chain)) for (up, node), chain in chains.items())
    width = max(column.values(), default=0.0) + 1
    return Layout({name: at[name] for name in before}, edges, round(width, 3), len(ranks))


def reduce_edges(before: Mapping[str, Sequence[str]]) -> Graph:
    """Drop each edge that a longer path between the same nodes implies."""
    ancestors: dict[str, set[str]] = {}
    for node in _topological(before):
        ancestors[node] = set().union(*({up} | ancestors[up] for up in before[node]))
    return {
        node: [up for up in ups if not any(up in ancestors[other] for other in ups)] for node, ups in before.items()
    }


def assign_layers(before: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Give each node the layer below its deepest predecessor; sources stand close to their use."""
    layer: dict[str, int] = {}
    for node in _topological(before):
        layer[node] = 1 + max((layer[up] for up in before[node]), default=-1)
    for node, ups in before.items():
        uses = [layer[other] for other, theirs in before.items() if node in theirs]
        if not ups and uses:
            layer[node] = min(uses) - 1
    return layer


def _acyclic(after: Mapping[str, Sequence[str]]) -> Graph:
    kept: Graph = {node: [] for node in after}
    for node, ups in after.items():
        for up in dict.fromkeys(ups):
            if up in kept and up != node and not _reaches(kept, up, node):
                kept[node].append(up)
    return kept


def _reaches(before: Graph, node: str, goal: str) -> bool:
    waiting, seen = [node], {node}
    while waiting:
        for up in before[waiting.pop()]:
            if up == goal:
                return True
            if up not in seen:
                seen.add(up)
                waiting.append(up)
    return False


def _topological(before: Mapping[str, Sequence[str]]) -> list[str]:
    done: dict[str, None] = {}
    waiting = list(before)
    while waiting:
        ready = [node for node in waiting if all(up in done for up in before[node])]
        done.update(dict.fromkeys(ready))
        waiting = [node for node in waiting if node not in done]
    return list(done)


def _chain(up: str, node: str, layer_of: Mapping[str, int]) -> list[str]:
    between = range(layer_of[up] + 1, layer_of[node])
    return [up, *(f"\0{up}\0{node}\0{depth}" for depth in between), node]


def _ranks(layer_of: Mapping[str, int], chains: Sequence[list[str]]) -> tuple[list[list[str]], Graph]:
    ranks: list[list[str]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    links: Graph = {}
    for node, depth in layer_of.items():
        ranks[depth].append(node)
        links[node] = []
    for chain in chains:
        for depth, waypoint in enumerate(chain[1:-1], layer_of[chain[0]] + 1):
            ranks[depth].append(waypoint)
            links[waypoint] = []
        for upper, lower in itertools.pairwise(chain):
            links[upper].append(lower)
            links[lower].append(upper)
    return ranks, links


def _order(ranks: list[list[str]], links: Graph) -> list[list[str]]:
    best, fewest = ranks, _crossings(ranks, links)
    for sweep in range(SWEEPS):
        ranks = _sweep(ranks, links, downwards=sweep % 2 == 0)
        crossings = _crossings(ranks, links)
        if crossings < fewest:
            best, fewest = ranks, crossings
    return best


def _sweep(ranks: list[list[str]], links: Graph, *, downwards: bool) -> list[list[str]]:
    swept = [list(rank) for rank in ranks]
    depths = list(range(len(swept)))
    for depth in depths[1:] if downwards else depths[-2::-1]:
        fixed = swept[depth - 1 if downwards else depth + 1]
        index = {name: float(i) for i, name in enumerate(fixed)}
        own = {name: float(i) for i, name in enumerate(swept[depth])}
        swept[depth].sort(key=lambda name: _mean([index[x] for x in links[name] if x in index], own[name]))
    return swept


def _crossings(ranks: Sequence[Sequence[str]], links: Graph) -> int:
    total = 0
    for upper, lower in itertools.pairwise(ranks):
        index = {name: i for i, name in enumerate(lower)}
        ends = [sorted(index[x] for x in links[name] if x in index) for name in upper]
        flat = [end for group in ends for end in group]
        total += sum(a > b for i, a in enumerate(flat) for b in flat[i + 1 :])
    return total


def _columns(ranks: Sequence[Sequence[str]], links: Graph) -> dict[str, float]:
    column = {name: float(i) - len(rank) / 2 for rank in ranks for i, name in enumerate(rank)}
    depth_of = {name: depth for depth, rank in enumerate(ranks) for name in rank}
    for sweep in range(SWEEPS + 1):
        # Looking one way at a time carries a place along a whole chain, so chains come out straight.
        side = -1 if sweep % 2 == 0 else 1
        for rank in ranks[::-side]:
            towards = [[x for x in links[name] if depth_of[x] - depth_of[name] == side] for name in rank]
            wanted = [
                _mean([column[x] for x in names], column[name]) for name, names in zip(rank, towards, strict=True)
            ]
            column.update(zip(rank, _spaced(wanted, [_width(name) for name in rank]), strict=True))
    leftmost = min(column.values(), default=0.0)
    return {name: round(x - leftmost, 3) for name, x in column.items()}


def _spaced(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return the places closest to the wanted ones that keep order and distance.

    Less the room taken by those before, the places must not fall: isotonic regression, solved by
    pooling neighbours that violate it.
    """
    room = [0.0]
    for left, right in itertools.pairwise(widths):
        room.append(room[-1] + (left + right) / 2)
    pools: list[tuple[float, int]] = []
    for want, taken in zip(wanted, room, strict=True):
        total, n = want - taken, 1
        while pools and pools[-1][0] / pools[-1][1] > total / n:
            before, m = pools.pop()
            total, n = total + before, n + m
        pools.append((total, n))
    levels = [total / n for total, n in pools for _ in range(n)]
    return [level + taken for level, taken in zip(levels, room, strict=True)]


def _width(name: str) -> float:
    return WAYPOINT_WIDTH if name.startswith("\0") else 1.0


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
