"""Search hyper-parameters: each candidate on each fold is a step of its own, so it resumes and fans out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.errors import BadInput
from argosy.serving.runtime import encode_table
from argosy.training.boosting import fit_booster, margins_of
from argosy.training.calibration import log_loss, probabilities_of
from argosy.training.dropout import drop_groups, droppable_columns
from argosy.training.folds import time_fold
from argosy.training.frame import describe_features, first_instant, labels_of, read_labelled, read_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from argosy.training.plan import TrainingPlan

# On flights of 2013 the shorter step is better on the folds (log loss .4536 against .4574), on July and on the
# five months after it (.4134 against .4139, means of three seeds, which differ by up to .0005).
KNOWN_GOOD: tuple[dict[str, Any], ...] = (
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
SPACE: dict[str, tuple[float, ...]] = {
    "learning_rate": (0.03, 0.04, 0.06),
    "max_depth": (5, 6, 7),
    "min_child_weight": (10, 20, 40, 80),
    "subsample": (0.6, 0.7, 0.8, 0.9),
    "colsample_bytree": (0.3, 0.4, 0.5, 0.6),
}


def draw_params(*, candidate: int, seed: int, total_step: float) -> dict[str, Any]:
    """Return the hyper-parameters of a candidate; the first ones are the known good points.

    Others draw each value from `SPACE`. A candidate's draw does not depend on how many there are.

    Args:
        candidate: Its index.
        seed: Of the draw.
        total_step: Product of trees and learning rate; it sets the number of trees.

    """
    if candidate < len(KNOWN_GOOD):
        drawn = dict(KNOWN_GOOD[candidate])
    else:
        rng = np.random.default_rng([seed, candidate])
        drawn = {name: type(values[0])(rng.choice(values)) for name, values in SPACE.items()}
    return {"trees": round(total_step / drawn["learning_rate"])} | drawn


def score_candidate(*, frame: Path, plan: TrainingPlan, candidate: int, fold: int, seed: int) -> dict[str, Any]:
    """Return a candidate's log loss on a fold that lies after what it was trained on.

    Returns:
        candidate, fold, params, log_loss, n_train, n_scored.

    """
    budget = plan.search
    params = draw_params(candidate=candidate, seed=seed, total_step=plan.total_step)
    earlier, later = time_fold(plan.train, fold=fold, n_folds=budget.folds)
    schema = read_schema(frame)
    known_by = first_instant(frame, day=later.start)
    train = read_labelled(frame, earlier, known_by=known_by, every=budget.every)
    scored = read_labelled(frame, later, every=budget.every)
    features = describe_features(train, schema)
    matrix = drop_groups(
        encode_table(train, features), columns=droppable_columns(schema), share=plan.dropout, seed=seed
    )
    booster = fit_booster(
        matrix, labels_of(train), params=shortened(params, budget.tree_share), threads=budget.threads, seed=seed
    )
    probabilities = probabilities_of(margins_of(booster, encode_table(scored, features)))
    return {
        "candidate": candidate,
        "fold": fold,
        "params": params,
        "log_loss": round(log_loss(labels_of(scored), probabilities), 6),
        "n_train": train.num_rows,
        "n_scored": scored.num_rows,
    }


def shortened(params: Mapping[str, Any], tree_share: float) -> dict[str, Any]:
    """Return parameters for the first share of the trees, at the same step.

    A longer step would make up for the missing trees, but it is another model: it overfits, which favours
    shallow candidates that do not win at full length.
    """
    return dict(params) | {"trees": max(1, round(params["trees"] * tree_share))}


def choose_candidate(*, scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the candidate with the lowest mean log loss over its folds; ties go to the lower index.

    Returns:
        candidate, params, log_loss, and `table`: one row per candidate with mean, spread (max - min over
        folds) and the log loss of each fold.

    Raises:
        BadInput: There are no scores, or the candidates were not scored on the same folds.

    """
    if not scores:
        raise BadInput("scores: none were given; needed is one per candidate and fold")
    ordered = sorted(scores, key=lambda score: (score["candidate"], score["fold"]))
    candidates = sorted({score["candidate"] for score in ordered})
    table = [_summary([score for score in ordered if score["candidate"] == c]) for c in candidates]
    folds = {tuple(row["folds"]) for row in table}
    if len(folds) > 1:
        raise BadInput(f"scores: candidates were scored on different folds ({sorted(folds)}); score all on all")
    best = min(table, key=lambda row: (row["log_loss"], row["candidate"]))
    return {name: best[name] for name in ("candidate", "params", "log_loss")} | {"table": table}


def _summary(scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    losses = [score["log_loss"] for score in scores]
    return {
        "candidate": scores[0]["candidate"],
        "params": scores[0]["params"],
        "log_loss": round(sum(losses) / len(losses), 6),
        "spread": round(max(losses) - min(losses), 6),
        "folds": [score["fold"] for score in scores],
        "log_losses": losses,
    }
