"""Fit the same classifier with several seeds, and average their log odds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.training.boosting import fit_booster, margins_of, trees_of
from argosy.training.dropout import drop_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xgboost
    from numpy.typing import NDArray

    from argosy.training.plan import TrainingPlan


def ensemble_seeds(seed: int, n_seeds: int) -> list[int]:
    """Return seed, seed + 1, ..., of the members: a larger ensemble keeps the members of a smaller one."""
    return list(range(seed, seed + n_seeds))


def fit_ensemble(
    matrix: NDArray[np.float32],
    labels: NDArray[np.float32],
    *,
    columns: Sequence[Sequence[int]],
    params: Mapping[str, Any],
    plan: TrainingPlan,
    seed: int,
) -> list[xgboost.Booster]:
    """Fit one booster per seed, each on its own draw of blanked groups; same arguments, same trees.

    Args:
        matrix: Shape (n_rows, n_features); NaN is missing.
        labels: Shape (n_rows,), 0 or 1.
        columns: The column indices of each droppable group.
        params: As `choose_candidate` returns them under "params".
        plan: Number of seeds, dropout and threads.
        seed: Of the first booster.

    """
    return [
        fit_booster(
            drop_groups(matrix, columns=columns, share=plan.dropout, seed=member),
            labels,
            params=params,
            threads=plan.threads,
            seed=member,
        )
        for member in ensemble_seeds(seed, plan.seeds)
    ]


def mean_margins(boosters: Sequence[xgboost.Booster], matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean of the boosters' log odds for each row, shape (n_rows,)."""
    margins: NDArray[np.float64] = np.mean([margins_of(booster, matrix) for booster in boosters], axis=0)
    return margins


def mean_trees(boosters: Sequence[xgboost.Booster]) -> tuple[float, list[dict[str, Any]]]:
    """Return one intercept and one list of trees whose sum is the boosters' mean margin.

    The intercepts are averaged. The trees stand one after another, leaves divided by the number of boosters.
    """
    parts = [trees_of(booster) for booster in boosters]
    intercept = float(np.mean([base for base, _ in parts]))
    return intercept, [divide_leaves(tree, by=len(parts)) for _, trees in parts for tree in trees]


def divide_leaves(tree: Mapping[str, Any], *, by: int) -> dict[str, Any]:
    """Return a tree whose leaves weigh 1 / by; XGBoost keeps leaves and thresholds in one array."""
    pairs = zip(tree["left_children"], tree["split_conditions"], strict=True)
    return dict(tree) | {"split_conditions": [value / by if left == -1 else value for left, value in pairs]}


def importance_of(boosters: Sequence[xgboost.Booster], names: Sequence[str]) -> dict[str, float]:
    """Return each feature's share of the total gain over all boosters, largest first."""
    gains = [booster.get_score(importance_type="total_gain") for booster in boosters]
    summed = [sum(gain.get(f"f{index}", 0.0) for gain in gains) for index in range(len(names))]
    total = sum(summed) or 1.0
    shares = {name: round(gain / total, 4) for name, gain in zip(names, summed, strict=True)}
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))
