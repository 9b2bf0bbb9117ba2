from __future__ import annotations

from argosy.report.charts import (
    Mark,
    calibration_chart,
    linear_axis,
    roc_chart,
    strip,
    strip_scale,
    thinned,
    trend,
)


def test_a_strip_tells_readers_what_it_shows():
    picture = strip(
        strip_scale(0, 1), "value 0.5", dots=[0.5], bars=[(0.4, 0.6, "interval")], marks=[Mark(0.3, "bound", "floor")]
    )

    assert 'aria-label="value 0.5"' in picture
    assert '<circle cx="130"' in picture
    assert "<title>floor</title>" in picture


def test_strips_of_one_scale_compare():
    scale = strip_scale(0, 10)

    assert scale(5) - scale(0) == scale(10) - scale(5)


def test_an_axis_has_round_ticks():
    axis = linear_axis(strip_scale(0.411, 0.437), "log loss")

    assert [f">{tick}<" in axis for tick in ("0.42", "0.43")] == [True, True]


def test_a_roc_curve_runs_from_corner_to_corner():
    picture = roc_chart([(0.0, 0.0), (0.2, 0.7), (1.0, 1.0)], "ROC")

    assert 'points="48,356 116.4,113.8 390,10"' in picture


def test_a_long_curve_is_thinned_with_both_ends_kept():
    kept = thinned([(float(i), float(i)) for i in range(10_001)], 200)

    assert len(kept) == 200
    assert (kept[0], kept[-1]) == ((0.0, 0.0), (10_000.0, 10_000.0))


def test_calibration_dots_grow_with_their_share_of_rows():
    picture = calibration_chart([(0.1, 0.1, 100.0), (0.5, 0.5, 25.0)], "calibration")

    assert 'r="9.5"' in picture
    assert 'r="6"' in picture
    assert "predicted 0.100, came true 0.100, 100 rows" in picture


def test_a_trend_draws_what_is_known():
    picture = trend(["01", "02", "03"], [("one", [0.7, None, 0.8])], overall=0.75, title="AUC")

    assert picture.count("<circle") == 2
    assert 'class="overall"' in picture


def test_a_trend_of_one_value_has_a_picture():
    assert trend(["01"], [("one", [0.7])], overall=None, title="AUC").count("<circle") == 1


def test_many_labels_are_thinned():
    picture = trend([f"{i:02d}" for i in range(12)], [("one", [0.5] * 12)], overall=None, title="AUC")

    assert [f">{i:02d}<" in picture for i in range(4)] == [True, False, True, False]
