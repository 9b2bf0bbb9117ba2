from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from argosy.training.frame import (
    describe_features,
    example_row,
    first_instant,
    labels_of,
    rank_categories,
    read_labelled,
    read_schema,
)
from argosy.training.plan import Window
from tests.fakes.frames import FEATURES, frame_folder


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return frame_folder(tmp_path_factory.mktemp("frame"), days=60)


def test_a_window_reads_its_days_over_the_border_of_a_month(frame):
    table = read_labelled(frame, Window("2013-01-30", "2013-02-03"))

    assert sorted(set(table["day"].to_pylist())) == ["2013-01-30", "2013-01-31", "2013-02-01", "2013-02-02"]
    assert set(labels_of(table).tolist()) == {0.0, 1.0}


def test_a_window_that_ends_with_a_month_leaves_the_next_month_out(frame):
    table = read_labelled(frame, Window("2013-01-01", "2013-02-01"))

    assert max(table["day"].to_pylist()) == "2013-01-31"


def test_rows_that_never_got_a_label_are_left_out(frame):
    table = read_labelled(frame, Window("2013-01-01", "2013-01-11"))

    assert table["y"].null_count == 0
    assert 350 < table.num_rows < 400


def test_rows_whose_label_came_too_late_are_left_out(frame):
    noon = int(datetime(2013, 1, 10, 12, tzinfo=UTC).timestamp() * 1_000_000)

    table = read_labelled(frame, Window("2013-01-01", "2013-01-12"), known_by=noon)

    latest = max(table["label_at"].to_pylist())
    assert latest <= datetime(2013, 1, 10, 12, tzinfo=UTC)
    assert table.num_rows > 300


def test_every_third_row_is_a_third_of_the_rows(frame):
    window = Window("2013-01-01", "2013-01-20")
    everything = read_labelled(frame, window)

    assert read_labelled(frame, window, every=3)["t0"].to_pylist() == (everything["t0"].to_pylist()[::3])


def test_the_first_instant_on_or_after_a_day_may_lie_in_a_later_month(frame):
    first = first_instant(frame, day="2013-02-01")

    (expected,) = pq.read_table(frame / "part-2013-02.parquet")["t0"].cast(pa.int64()).slice(0, 1).to_pylist()
    assert first == expected
    assert first_instant(frame, day="2013-03-02") is None


def test_ranges_are_wider_than_training_by_their_span_in_the_frames_order(frame):
    table = read_labelled(frame, Window("2013-01-01", "2013-01-20"))
    described = {feature["name"]: feature for feature in describe_features(table, read_schema(frame))}

    assert described["seats"] | {"min": -80.0, "max": 310.0} == described["seats"]
    assert set(described["carrier"]["categories"]) == {"AA", "B6", "DL", "EV", "UA"}
    assert list(described) == [feature["name"] for feature in FEATURES]


def test_categories_are_ranked_by_rate_and_rare_ones_lie_near_the_mean():
    column = pa.chunked_array([["late"] * 100 + ["calm"] * 100 + ["rare", None]])
    labels = np.array([1, 1, 1, 0] * 25 + [0] * 100 + [1, 1], np.float32)

    assert rank_categories(column, labels) == ["calm", "rare", "late"]


def test_categories_of_the_same_rate_are_ranked_by_name():
    column = pa.chunked_array([["b", "a"] * 10])

    assert rank_categories(column, np.zeros(20, np.float32)) == ["a", "b"]


def test_a_column_without_values_has_no_range():
    table = pa.table({"temp": pa.nulls(3, pa.float32()), "y": [0, 1, 0]})
    schema = {"features": [{"name": "temp", "type": "number", "group": "weather"}]}

    (described,) = describe_features(table, schema)

    assert (described["min"], described["max"]) == (None, None)


def test_a_constant_column_has_a_range_around_its_value():
    table = pa.table({"temp": pa.array([4.0, 4.0], pa.float32()), "y": [0, 1]})
    schema = {"features": [{"name": "temp", "type": "number", "group": "weather"}]}

    (described,) = describe_features(table, schema)

    assert (described["min"], described["max"]) == (0.0, 8.0)


def test_the_example_is_a_full_row_in_short_decimals(frame):
    table = read_labelled(frame, Window("2013-01-01", "2013-01-05"))

    example = example_row(table, describe_features(table, read_schema(frame)))

    assert None not in example.values()
    assert np.float32(example["temp"]) in table["temp"].to_pylist()
    assert len(str(example["temp"])) < 12


def test_a_folder_without_a_schema_is_no_frame(tmp_path):
    with pytest.raises(BadInput, match=r"no schema\.json"):
        read_schema(tmp_path)


def test_a_window_outside_the_frame_is_refused(frame):
    with pytest.raises(BadInput, match="no part between 2014-01 and 2014-02"):
        read_labelled(frame, Window("2014-01-01", "2014-02-01"))


def test_a_window_with_one_kind_of_label_is_refused(frame):
    with pytest.raises(BadInput, match="has 0 labelled rows; needs both labels"):
        read_labelled(frame, Window("2013-01-01", "2013-01-02"), known_by=0)
