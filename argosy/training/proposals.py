"""Propose the next candidates of a search from the scores of all earlier ones, with Optuna.

A round's study is built from the scores it is given and thrown away: what a search remembers are the outputs of its
steps. So a search that was killed goes on where it was, and the same scores propose the same candidates anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from argosy.training.choice import candidate_table, ordered_scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.training.plan import TrainingPlan

Json = dict[str, Any]

# On flights of 2013 the shorter step is better on the folds (log loss .4536 against .4574), on July and on the
# five months after it (.4134 against .4139, means of three seeds, which differ by up to .0005).
KNOWN_GOOD: tuple[Json, ...] = (
    {
        "learning_rate": 0.06,
        "max_depth": 6,
        "min_child_weight": 20,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
    },
    {
        "learning_rate": 0.03,
        "max_depth": 6,
        "min_child_weight": 20,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
    },
)
SPACE: dict[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(0.03, 0.06, log=True),
    "max_depth": IntDistribution(5, 7),
    "min_child_weight": IntDistribution(10, 80, log=True),
    "subsample": FloatDistribution(0.6, 0.9),
    "colsample_bytree": FloatDistribution(0.3, 0.6),
}
# A library's last bit of a logarithm does not make another candidate.
DECIMALS = 4


def propose_trials(*, scores: Sequence[Mapping[str, Any]], plan: TrainingPlan, seed: int) -> list[Json]:
    """Return the trials of the next round.

    Args:
        scores: Those of all rounds before it, in any order; empty before the first.
        plan: Its search says how many candidates a round has, and how many folds.
        seed: Of the whole search.

    Returns:
        Per candidate and fold of the next round: candidate, round, fold, params.

    Raises:
        BadInput: A score is not a finite number, or the candidates were not scored on the same folds.

    """
    tried = candidate_table(ordered_scores(scores))
    points = propose_points(tried, n_points=plan.search.batch, seed=seed)
    this_round = len({row["round"] for row in tried})
    return [
        {"candidate": candidate, "round": this_round, "fold": fold, "params": with_trees(point, plan.total_step)}
        for candidate, point in enumerate(points, start=len(tried))
        for fold in range(plan.search.folds)
    ]


def propose_points(tried: Sequence[Mapping[str, Any]], *, n_points: int, seed: int) -> list[Json]:
    """Return the next points of `SPACE`: the known good ones, then what TPE asks for.

    TPE is the tree-structured Parzen estimator. Points of one batch know of each other: one that has no
    score yet counts as bad, so that the next one is looked for elsewhere.

    Args:
        tried: Rows of `candidate_table`.
        n_points: How many.
        seed: Of the whole search; each number of tried points draws its own numbers.

    Source:
        Bergstra et al., Algorithms for Hyper-Parameter Optimization (NIPS 2011); the constant liar is that of
        Ginsbourger et al., Kriging Is Well-Suited to Parallelize Optimization (2010).

    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    own_seed = int(np.random.SeedSequence([seed, len(tried)]).generate_state(1)[0])
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=len(KNOWN_GOOD), multivariate=True, constant_liar=True, seed=own_seed
    )
    study = optuna.create_study(sampler=sampler, direction="minimize")
    for row in tried:
        params = {name: row["params"][name] for name in SPACE}
        study.add_trial(optuna.create_trial(params=params, distributions=SPACE, value=row["log_loss"]))
    for point in KNOWN_GOOD[len(tried) :]:
        study.enqueue_trial(point)
    asked = [study.ask(SPACE).params for _ in range(n_points)]
    return [{name: round(params[name], DECIMALS) for name in SPACE} for params in asked]


def with_trees(point: Mapping[str, Any], total_step: float) -> Json:
    """Return hyper-parameters with the number of trees that goes with their learning rate.

    Args:
        point: One of `SPACE`.
        total_step: Product of trees and learning rate.

    """
    return {"trees": round(total_step / point["learning_rate"])} | dict(point)
