"""What a training is asked to do: windows of days, the search's budget, thread count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Window:
    """A half-open range of local days: `start` is in it, `end` is not.

    Args:
        start: First day, as in "2013-01-01".
        end: The day after the last.

    """

    start: str
    end: str

    def __post_init__(self) -> None:
        if date.fromisoformat(self.start) >= date.fromisoformat(self.end):
            raise ValueError(f"window [{self.start}, {self.end}): the end must be later than the start")


@dataclass(frozen=True)
class SearchBudget:
    """How much work the search does; less than the final fit, and the same for each candidate.

    Args:
        batch: How many candidates a round of the search proposes; the first ones are the known good points.
        folds: How many time-ordered folds score each of them.
        every: Take every n-th row of a fold.
        tree_share: Grow the first share of a candidate's trees; a fold has fewer rows, which bear fewer trees.
        threads: Threads of one scoring; candidates run beside each other.

    """

    batch: int
    folds: int
    every: int = 1
    tree_share: float = 1.0
    threads: int = 1


@dataclass(frozen=True)
class TrainingPlan:
    """The windows and budgets of one training; a part of the key of every step that reads it.

    Args:
        name: The model's name, written into its signature.
        predicts: What the probability is of, for the signature.
        train: Rows that the trees see.
        calibrate: Rows after those, which decide on calibration and nothing else.
        search: The search's budget; it stays inside `train`.
        total_step: Product of trees and learning rate; fewer rows bear less of it before they are overfitted.
        threads: Threads of the final fit. Sums of floats depend on it, so it is part of the plan.
        dropout: Share of rows in which each droppable group of features is blanked.
        seeds: How many boosters the final fit averages. They differ by sampling and dropout only, so the
            mean loses their noise; fit time, model size and latency grow with it. The search fits one.

    """

    name: str
    predicts: str
    train: Window
    calibrate: Window
    search: SearchBudget
    total_step: float = 18.0
    threads: int = 2
    dropout: float = 0.1
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ValueError(f"{self.name}: seeds {self.seeds}; the final fit needs at least 1")
        if self.calibrate.start < self.train.end:
            raise ValueError(f"{self.name}: calibration starts {self.calibrate.start}, inside the training window")
