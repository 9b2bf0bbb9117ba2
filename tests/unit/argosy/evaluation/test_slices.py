import numpy as np
import pyarrow as pa
import pytest

from argosy.evaluation.predictions import Scores
from argosy.evaluation.slices import describe, slice_metrics


def scores(n, seed=1):
    rng = np.random.default_rng(seed)
    p = rng.random(n).astype(np.float32)
    y = (rng.random(n) < p).astype(float)
    return Scores(day=np.full(n, np.datetime64("2013-08-01")), block=np.zeros(n, dtype=np.int64), y=y, p=p)


def test_each_value_is_a_slice_with_the_metrics_of_its_rows():
    all_rows = scores(1200)
    column = pa.chunked_array([["JFK"] * 700, ["EWR"] * 500])

    ewr, jfk = slice_metrics(all_rows, "origin", column)

    assert (ewr["column"], ewr["value"], ewr["n"], ewr["pooled"]) == ("origin", "EWR", 500, False)
    assert {key: jfk[key] for key in ("n", "auc")} == {
        key: describe(all_rows.where(np.arange(1200) < 700))[key] for key in ("n", "auc")
    }


def test_small_values_are_pooled_and_nulls_are_a_slice():
    column = pa.chunked_array([["AA"] * 600 + ["HA"] * 20 + ["OO"] * 30 + [None] * 550])
    rows = slice_metrics(scores(1200), "carrier", column)

    assert [(row["value"], row["n"], row["pooled"]) for row in rows] == [
        ("(missing)", 550, False),
        ("(small slices)", 50, True),
        ("AA", 600, False),
    ]


def test_a_slice_of_one_class_has_a_loss_but_no_auc():
    rows = scores(10)
    one_class = Scores(day=rows.day, block=rows.block, y=np.zeros(10), p=rows.p)
    described = describe(one_class)

    assert described["auc"] is None
    assert described["calibration_slope"] is None
    assert described["log_loss"] == pytest.approx(-np.log(1 - rows.p.astype(float)).mean(), abs=1e-6)
