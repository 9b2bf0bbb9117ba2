import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from argosy.evaluation.frame import parts_between, read_rows, read_schema, row_column
from tests.fakes.frames import frame_folder


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return frame_folder(tmp_path_factory.mktemp("frames") / "frame", start="2013-01-30", days=32, per_day=3)


def test_only_the_parts_of_the_asked_months_are_read(frame):
    names = [part.name for part in parts_between(frame, "2013-02-01", "2013-02-28")]

    assert names == ["part-2013-02.parquet"]


def test_both_ends_of_the_window_are_inclusive(frame):
    rows = read_rows(frame / "part-2013-02.parquet", ["flight_id"], "2013-02-03", "2013-02-05")

    assert sorted(set(rows.column("day").to_pylist())) == ["2013-02-03", "2013-02-04", "2013-02-05"]
    assert rows.num_rows == 9


def test_a_window_without_a_part_says_which_months_there_are(frame):
    with pytest.raises(BadInput, match=r"2014-01-01 to 2014-02-01; the frame has 2013-01 to 2013-03"):
        parts_between(frame, "2014-01-01", "2014-02-01")


def test_an_empty_frame_says_so(tmp_path):
    with pytest.raises(BadInput, match="no part at all"):
        parts_between(tmp_path, "2014-01-01", "2014-02-01")


def test_a_missing_column_is_named(frame):
    with pytest.raises(BadInput, match="no column 'qeue'"):
        read_rows(frame / "part-2013-02.parquet", ["qeue"], "2013-02-03", "2013-02-05")


def test_the_first_column_names_the_row(tmp_path):
    pq.write_table(pa.table({"loan_id": ["1"], "y": [1]}), tmp_path / "part-2013-01.parquet")

    assert row_column(tmp_path / "part-2013-01.parquet") == "loan_id"


def test_a_frame_without_schema_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"schema\.json: not a readable frame schema"):
        read_schema(tmp_path)
