import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from argosy.features.tables import INSTANT, quote, read_parquet, write_parquet

TABLE = pa.table({"at": pa.array([1, None, 3], pa.int64()), "v": [1.0, 2.0, 3.0]})


def test_instants_are_integers_inside_and_timestamps_outside(tmp_path):
    write_parquet(TABLE, tmp_path / "deep" / "t.parquet", instants=["at"])

    assert pq.read_schema(tmp_path / "deep" / "t.parquet").field("at").type == INSTANT
    assert read_parquet(tmp_path / "deep" / "t.parquet").equals(TABLE)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    write_parquet(TABLE.slice(1), tmp_path / "b.parquet")
    write_parquet(TABLE.slice(0, 1), tmp_path / "a.parquet")

    assert read_parquet(tmp_path).equals(TABLE)


def test_only_the_columns_that_are_asked_for_are_read_and_one_that_is_not_there_is_named(tmp_path):
    write_parquet(TABLE, tmp_path / "t.parquet", instants=["at"])

    assert read_parquet(tmp_path / "t.parquet", ["at"]).equals(TABLE.select(["at"]))
    with pytest.raises(BadInput, match=r"t\.parquet: no columns \['w'\]; it has \['at', 'v'\]"):
        read_parquet(tmp_path / "t.parquet", ["v", "w"])


def test_equal_tables_in_other_chunks_give_equal_bytes(tmp_path):
    write_parquet(TABLE, tmp_path / "one.parquet")
    write_parquet(pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]), tmp_path / "two.parquet")

    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


@pytest.mark.parametrize(
    "other", [pa.timestamp("ns", tz="UTC"), pa.timestamp("us"), pa.timestamp("us", tz="Europe/Berlin")]
)
def test_other_timestamps_are_refused(tmp_path, other):
    pq.write_table(pa.table({"at": TABLE["at"].cast(other)}), tmp_path / "t.parquet")

    with pytest.raises(BadInput, match=r"t\.parquet: column 'at' is .*; instants are timestamp\[us, tz=UTC\]"):
        read_parquet(tmp_path / "t.parquet")


def test_what_is_not_parquet_is_refused(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")

    for path in (tmp_path / "t.parquet", tmp_path / "none.parquet"):
        with pytest.raises(BadInput, match="cannot be read as Parquet"):
            read_parquet(path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"holds no \*\.parquet"):
        read_parquet(tmp_path)


def test_a_quote_in_a_name_is_doubled():
    assert quote('a"b') == '"a""b"'
