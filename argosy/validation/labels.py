"""Check labels before anything is trained on them, and features against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.validation.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime, timedelta

    from numpy.typing import NDArray

    Numbers = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class LabelRule:
    """What is agreed about a binary label; shares are 0..1, inclusive.

    Attributes:
        matures_after: Age below which the labels of a cohort are biased, because early ones are not random.
    """

    table: str
    column: str
    unlabelled: tuple[float, float]
    positive: tuple[float, float]
    matures_after: timedelta


def check_labels(labels: NDArray[np.float64], rule: LabelRule, *, at: str) -> list[Finding]:
    """Block training on labels that are lost, invented or one-sided.

    Args:
        labels: 0, 1, or NaN for none, shape (n_rows,).
        rule: What is agreed.
        at: The rows, for people.
    """
    labelled = labels[~np.isnan(labels)]
    unlabelled = 1 - len(labelled) / len(labels)
    positive = float(labelled.mean()) if len(labelled) else float("nan")
    findings = []
    for what, share, (low, high) in (
        ("unlabelled", unlabelled, rule.unlabelled),
        ("positive", positive, rule.positive),
    ):
        # A NaN share is outside.
        if not low <= share <= high:
            message = (
                f"{share:.2%} of {at} is {what}, allowed {low:.2%} .. {high:.2%}; "
                "find out what became of the labels; no training on them"
            )
            findings.append(Finding("labels", rule.table, rule.column, "BLOCK", len(labels), len(labels), message))
    return findings


def check_maturity(youngest: datetime, rule: LabelRule, *, as_of: datetime) -> list[Finding]:
    """Block training on a cohort whose labels are still coming in."""
    age = as_of - youngest
    if age >= rule.matures_after:
        return []
    message = (
        f"the youngest row is {age} old at as_of, allowed from {rule.matures_after}; "
        "early labels are biased, wait or use an earlier cut"
    )
    return [Finding("immature labels", rule.table, rule.column, "BLOCK", 1, 1, message)]


def single_feature_auc(feature: Numbers, label: Numbers) -> float:
    """Return how well one feature alone ranks the label, in either direction: 0.5 .. 1.

    The share of pairs of a positive and a negative in order, ties counted half (the Mann-Whitney statistic); rows
    without a label or a value do not count.

    >>> single_feature_auc(np.array([3.0, 2.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    1.0
    """
    known = ~(np.isnan(feature) | np.isnan(label))
    values, is_positive = feature[known], label[known] == 1
    positive, negative = np.sort(values[is_positive]), np.sort(values[~is_positive])
    if not len(positive) or not len(negative):
        return 0.5
    below, up_to = (int(np.searchsorted(negative, positive, side).sum()) for side in ("left", "right"))
    auc = (below + up_to) / 2 / (len(positive) * len(negative))
    return max(auc, 1 - auc)


def check_leaks(
    features: Mapping[str, Numbers],
    label: Numbers,
    *,
    known_in_time: Collection[str],
    table: str,
    ceiling: float = 0.80,
) -> list[Finding]:
    """Block features that know the outcome.

    Args:
        features: Values by name, NaN for none, shape (n_rows,) each.
        label: 0, 1, or NaN for none, shape (n_rows,).
        table: Where the features come from, for people.
        known_in_time: Features that are declared to be available at the time of prediction.
        ceiling: Largest AUC, inclusive, that one honest feature may reach alone.
    """
    findings = []
    for name, values in features.items():
        if name not in known_in_time:
            problem = "nothing declares that it is known at the time of prediction; declare it or leave it out"
        elif (auc := single_feature_auc(values, label)) > ceiling:
            problem = f"alone it has an AUC of {auc:.3f}, allowed {ceiling:.2f}; it knows the outcome, leave it out"
        else:
            continue
        findings.append(Finding("leak", table, name, "BLOCK", len(values), len(values), problem))
    return findings
