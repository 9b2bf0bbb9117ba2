from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from argosy.validation.labels import LabelRule, check_labels, check_leaks, check_maturity, single_feature_auc

RULE = LabelRule("flights", "late", unlabelled=(0.1, 0.3), positive=(0.2, 0.6), matures_after=timedelta(hours=12))
NAN = float("nan")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([1, 1, 0, 0, NAN], []),
        ([1, 1, 0, 0, 0], ["0.00% of May is unlabelled"]),
        ([1, 0, NAN, NAN, NAN], ["60.00% of May is unlabelled"]),
        ([0, 0, 0, 0, NAN], ["0.00% of May is positive"]),
        ([NAN, NAN], ["100.00% of May is unlabelled", "nan% of May is positive"]),
    ],
)
def test_lost_and_one_sided_labels_block_training(labels: list[float], words: list[str]):
    findings = check_labels(np.array(labels), RULE, at="May")

    assert [finding.message.split(",")[0] for finding in findings] == words
    assert all(finding.action == "BLOCK" for finding in findings)


@pytest.mark.parametrize(("hours", "findings"), [(12, 0), (11, 1)])
def test_a_cohort_matures_after_twelve_hours(hours: int, findings: int):
    as_of = datetime(2013, 5, 1, tzinfo=UTC)

    assert len(check_maturity(as_of - timedelta(hours=hours), RULE, as_of=as_of)) == findings


@pytest.mark.parametrize(
    ("feature", "auc"),
    [([1, 2, 3, 4], 1.0), ([4, 3, 2, 1], 1.0), ([1, 1, 1, 1], 0.5), ([1, 3, 2, 4], 0.75), ([1, NAN, NAN, 4], 1.0)],
)
def test_one_feature_ranks_the_label_in_either_direction(feature: list[float], auc: float):
    assert single_feature_auc(np.array(feature, dtype=float), np.array([0.0, 0.0, 1.0, 1.0])) == auc


def test_without_two_classes_nothing_can_be_ranked():
    assert single_feature_auc(np.array([1.0, 2.0]), np.array([1.0, NAN])) == 0.5


@given(
    arrays(np.float64, 12, elements=st.integers(-3, 3).map(float)),
    arrays(np.float64, 12, elements=st.sampled_from([0.0, 1.0])),
)
def test_the_auc_is_the_share_of_pairs_in_order(feature: np.ndarray, label: np.ndarray):
    pairs = [(p > n) + (p == n) / 2 for p in feature[label == 1] for n in feature[label == 0]]
    expected = float(np.mean(pairs)) if pairs else 0.5

    assert single_feature_auc(feature, label) == pytest.approx(max(expected, 1 - expected))


def test_a_feature_may_rank_up_to_the_ceiling():
    label = np.array([0.0, 0.0, 1.0, 1.0])
    features = {"weak": np.array([1.0, 3.0, 2.0, 4.0]), "leak": label, "undeclared": np.zeros(4)}

    findings = check_leaks(features, label, known_in_time={"weak", "leak"}, table="frame")

    assert [(finding.column, finding.action) for finding in findings] == [("leak", "BLOCK"), ("undeclared", "BLOCK")]
    assert "AUC of 1.000, allowed 0.80" in findings[0].message
