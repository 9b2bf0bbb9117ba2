"""Score a candidate's hyper-parameters: each on each fold is a step of its own, so it resumes and fans out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.serving.runtime import encode_table
from argosy.training.boosting import fit_booster, margins_of
from argosy.training.calibration import log_loss, probabilities_of
from argosy.training.dropout import drop_groups, droppable_columns
from argosy.training.folds import time_fold
from argosy.training.frame import describe_features, first_instant, labels_of, read_labelled, read_schema
from argosy.training.whole import whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from argosy.training.plan import TrainingPlan


def score_candidate(*, frame: Path, plan: TrainingPlan, trial: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return a candidate's log loss on a fold that lies after what it was trained on.

    Args:
        frame: The frame folder.
        plan: Its search says how many rows and trees a scoring takes.
        trial: candidate, round, fold, params, as `propose_trials` returns them.
        seed: Of sampling and dropout.

    Returns:
        The trial, and with it log_loss, n_train, n_scored.

    """
    budget, trial = plan.search, whole_numbers(trial)
    earlier, later = time_fold(plan.train, fold=trial["fold"], n_folds=budget.folds)
    schema = read_schema(frame)
    known_by = first_instant(frame, day=later.start)
    train = read_labelled(frame, earlier, known_by=known_by, every=budget.every)
    scored = read_labelled(frame, later, every=budget.every)
    features = describe_features(train, schema)
    matrix = drop_groups(
        encode_table(train, features), columns=droppable_columns(schema), share=plan.dropout, seed=seed
    )
    params = shortened(trial["params"], budget.tree_share)
    booster = fit_booster(matrix, labels_of(train), params=params, threads=budget.threads, seed=seed)
    probabilities = probabilities_of(margins_of(booster, encode_table(scored, features)))
    return dict(trial) | {
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
