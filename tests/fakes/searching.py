"""Run a whole search in memory, with a bowl in place of a model: its loss is known at every point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.training.proposals import propose_trials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.training.plan import TrainingPlan

BOTTOM = {"learning_rate": 0.045, "max_depth": 5, "min_child_weight": 60, "subsample": 0.65, "colsample_bytree": 0.35}
WIDTH = {"learning_rate": 0.03, "max_depth": 2, "min_child_weight": 70, "subsample": 0.3, "colsample_bytree": 0.3}


def bowl(params: Mapping[str, Any]) -> float:
    """Return a loss that is .4 at `BOTTOM` and grows with the squared distance from it."""
    return 0.4 + sum(((params[name] - BOTTOM[name]) / WIDTH[name]) ** 2 for name in BOTTOM) / 10


def searched(plan: TrainingPlan, *, rounds: int, seed: int) -> list[dict[str, Any]]:
    """Return the scores of all trials of a search, in order."""
    scores: list[dict[str, Any]] = []
    for _ in range(rounds):
        trials = propose_trials(scores=scores, plan=plan, seed=seed)
        scores += [trial | {"log_loss": round(bowl(trial["params"]) + trial["fold"] / 100, 6)} for trial in trials]
    return scores
