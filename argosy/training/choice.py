"""Read the scores of a search: one per candidate and fold, in any order."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput
from argosy.training.whole import whole_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Json = dict[str, Any]


def choose_candidate(*, scores: Sequence[Mapping[str, Any]]) -> Json:
    """Return the candidate with the lowest mean log loss over its folds; ties go to the lower index.

    Args:
        scores: Those of all rounds, as `score_candidate` returns them.

    Returns:
        candidate, round, params, log_loss, and `table` as `candidate_table` returns it.

    Raises:
        BadInput: There are no scores, or `candidate_table` refuses them.

    """
    if not scores:
        raise BadInput("scores: none were given; needed is one per candidate and fold")
    table = candidate_table(ordered_scores(scores))
    best = min(table, key=lambda row: (row["log_loss"], row["candidate"]))
    return {name: best[name] for name in ("candidate", "round", "params", "log_loss")} | {"table": table}


def ordered_scores(scores: Iterable[Mapping[str, Any]]) -> list[Json]:
    """Return the scores by candidate and fold.

    Raises:
        BadInput: A log loss is not a finite number, or a candidate was scored twice on a fold.

    """
    ordered = sorted((whole_numbers(score) for score in scores), key=_place)
    for score in ordered:
        if not isinstance(loss := score.get("log_loss"), int | float) or not isfinite(loss):
            raise BadInput(f"{_name(score)}: log_loss is {loss!r}; needed is a finite number, so score it again")
    for one, other in pairwise(ordered):
        if _place(one) == _place(other):
            raise BadInput(f"{_name(one)}: was scored twice; needed is one score per candidate and fold")
    return ordered


def candidate_table(ordered: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Return one row per candidate: its mean, spread (max - min over folds) and the log loss of each fold.

    Args:
        ordered: As `ordered_scores` returns them.

    Raises:
        BadInput: The candidates were not scored on the same folds, so their means cannot be compared.

    """
    by_candidate: dict[int, list[Mapping[str, Any]]] = {}
    for score in ordered:
        by_candidate.setdefault(score["candidate"], []).append(score)
    table = [_summary(scores) for scores in by_candidate.values()]
    folds = {tuple(row["folds"]) for row in table}
    if len(folds) > 1:
        raise BadInput(f"scores: candidates were scored on different folds ({sorted(folds)}); score all on all")
    return table


def _place(score: Mapping[str, Any]) -> tuple[int, int]:
    return score["candidate"], score["fold"]


def _name(score: Mapping[str, Any]) -> str:
    return f"scores: candidate {score['candidate']}, fold {score['fold']}"


def _summary(scores: Sequence[Mapping[str, Any]]) -> Json:
    losses = [score["log_loss"] for score in scores]
    return {name: scores[0][name] for name in ("candidate", "round", "params")} | {
        "log_loss": round(sum(losses) / len(losses), 6),
        "spread": round(max(losses) - min(losses), 6),
        "folds": [score["fold"] for score in scores],
        "log_losses": losses,
    }
