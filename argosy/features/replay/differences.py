"""Name what makes served values differ from the expected ones of the same row."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    Cell = float | str | None
    Pair = tuple[Cell, Cell]

UNIT, DEFAULT, MISSING, TRANSFORMATION, OTHER = (
    "unit",
    "default instead of null",
    "null instead of value",
    "skipped transformation",
    "value",
)
# A constant fills this share of the nulls; two measurements of one thing agree within this part of their span.
SHARE_OF_DEFAULT = 0.9
TOLERANCE = 1e-4
# Below so many distinct values, a line or a function through them says nothing.
DISTINCT = 3


class Difference(NamedTuple):
    """A kind of difference, in how many cells, and what tells it."""

    kind: str
    cells: int
    note: str


def name_differences(pairs: Sequence[Pair]) -> list[Difference]:
    """Name the differences between pairs of an expected and a served value; those that are equal help to tell.

    - *default instead of null*: nulls that were served as one value.
    - *unit*: numbers on one line with the expected ones, which is not that of equality.
    - *skipped transformation*: the expected value follows from the served one, as it does when a step between them
      was left out; or the served one from the expected, as when it was done twice.
    - *value*: anything else.

    """
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    filled = [served for expected, served in differing if expected is None]
    lost = [expected for expected, served in differing if served is None]
    changed = [pair for pair in differing if None not in pair]
    found = [_filled(filled)] if filled else []
    found += [Difference(MISSING, len(lost), "")] if lost else []
    found += [_changed(changed, [pair for pair in pairs if None not in pair])] if changed else []
    return found


def _filled(served: list[Cell]) -> Difference:
    value, count = Counter(served).most_common(1)[0]
    if count >= SHARE_OF_DEFAULT * len(served):
        return Difference(DEFAULT, len(served), f"{value!r} for null")
    return Difference(OTHER, len(served), "values where null is expected")


def _changed(changed: list[Pair], all_pairs: list[Pair]) -> Difference:
    """Name the difference of values that are both there."""
    line = _line(changed)
    if line is not None:
        slope, shift = line
        return Difference(UNIT, len(changed), f"served = {slope:.6g} * expected {shift:+.6g}")
    if _follows(all_pairs) or _follows([(served, expected) for expected, served in all_pairs]):
        return Difference(TRANSFORMATION, len(changed), "one follows from the other, but not by a line")
    return Difference(OTHER, len(changed), "")


def _line(pairs: list[Pair]) -> tuple[float, float] | None:
    """Return slope and shift of a line through all pairs, within rounding; None if there is none to tell."""
    numbers = [(x, y) for x, y in pairs if isinstance(x, float) and isinstance(y, float)]
    if len(numbers) < len(pairs) or len({x for x, _ in numbers}) < DISTINCT:
        return None
    low, high = min(numbers), max(numbers)
    slope = (high[1] - low[1]) / (high[0] - low[0])
    shift = low[1] - slope * low[0]
    span = max(abs(y) for _, y in numbers)
    # A shift that is a rounding error of large numbers is none.
    shift = 0.0 if abs(shift) <= TOLERANCE * span else shift
    fits = all(abs(slope * x + shift - y) <= TOLERANCE * span for x, y in numbers)
    return (slope, shift) if fits and slope else None


def _follows(pairs: list[Pair]) -> bool:
    """Say whether the first value follows from the second, seen often enough to be no accident."""
    firsts: dict[Cell, set[Cell]] = {}
    for first, second in pairs:
        firsts.setdefault(second, set()).add(first)
    if any(len(values) > 1 for values in firsts.values()):
        return False
    repeated = len(pairs) - len(firsts)
    return len(firsts) >= DISTINCT and (repeated >= len(firsts) or _is_monotone(pairs))


def _is_monotone(pairs: list[Pair]) -> bool:
    """Say whether numbers rise or fall together."""
    numbers = sorted((x, y) for x, y in pairs if isinstance(x, float) and isinstance(y, float))
    if len(numbers) < len(pairs):
        return False
    steps = [after[1] - before[1] for before, after in pairwise(numbers)]
    return all(step >= 0 for step in steps) or all(step <= 0 for step in steps)
