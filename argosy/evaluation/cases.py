"""What a model is expected to do, as values: a use case writes them, the model tests check them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["invariance", "direction", "minimum functionality", "slice", "server"]


@dataclass(frozen=True)
class Direction:
    """A change of features after which the mean risk must move one way.

    Attributes:
        name: What happens, like "a longer queue".
        changes: What is added to each feature, in its unit; clipped to the range that the signature names.
        at_least: How far the mean probability moves at least; negative for a fall.

    """

    name: str
    changes: Mapping[str, float]
    at_least: float


@dataclass(frozen=True)
class Outage:
    """Groups of features that go missing together, and what that may cost at most.

    Attributes:
        name: What fails, like "weather feed".
        groups: The groups of the signature whose features become null.
        max_cost: How much the mean log loss may rise.

    """

    name: str
    groups: tuple[str, ...]
    max_cost: float


@dataclass(frozen=True)
class TableKey:
    """A column of the table of rates that the model has to beat.

    Attributes:
        feature: The feature.
        width: Numbers are binned by this width; None takes the values as they are.

    """

    feature: str
    width: float | None = None


@dataclass(frozen=True)
class Cases:
    """All expectations of a use case.

    Attributes:
        directions: Changes with a known direction.
        outages: Losses of groups with a bounded cost.
        table: Keys of the table of earlier rates that the model has to beat.
        slices: Category features; in each of their values the model must beat that value's own rate.
        min_slice_rows: Smaller slices are not judged.

    """

    directions: tuple[Direction, ...] = ()
    outages: tuple[Outage, ...] = ()
    table: tuple[TableKey, ...] = ()
    slices: tuple[str, ...] = ()
    min_slice_rows: int = 500


@dataclass(frozen=True)
class Finding:
    """One outcome of a model test.

    Attributes:
        name: What was expected.
        kind: The kind of test.
        ok: Whether it was so.
        message: What was got and what is asked for.

    """

    name: str
    kind: Kind
    ok: bool
    message: str
