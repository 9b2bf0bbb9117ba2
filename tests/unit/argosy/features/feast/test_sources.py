from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from tests.fakes.s3_server import s3, s3_endpoint  # noqa: F401 - fixtures

# The module imports Feast, which takes seconds.
pytestmark = pytest.mark.slow

INSTANT = pa.timestamp("us", tz="UTC")


def a_table(*values, kind=INSTANT, **columns):
    """Make rows that happened at these instants, each its value."""
    return pa.table({"at": pa.array(values, pa.int64()).cast(kind), "v": pa.array(values, pa.int64()), **columns})


def a_source(path, **changes):
    from feast import FileSource

    return FileSource(name="rows", path=str(path), timestamp_field="at", **changes)


def read(source, folder, *, columns=("v",), since_us=None, until_us=None):
    from argosy.features.feast.sources import open_dataset, place_of, read_rows

    found = read_rows(
        open_dataset(place_of(source, folder)), columns, "at", since_us=since_us, until_us=until_us, where="rows"
    )
    return sorted(found.to_pylist(), key=repr)


def values(source, folder, **changes):
    return sorted(row["v"] for row in read(source, folder, **changes))


def test_a_file_a_folder_partitions_and_a_glob_are_read(tmp_path):
    pq.write_table(a_table(1), tmp_path / "one.parquet")
    for day, value in (("2024-03-01", 2), ("2024-03-02", 3)):
        (tmp_path / "days" / f"day={day}").mkdir(parents=True)
        pq.write_table(a_table(value), tmp_path / "days" / f"day={day}" / "part.parquet")
    (tmp_path / "days" / "_SUCCESS").write_text("")

    assert values(a_source("one.parquet"), tmp_path) == [1]
    assert values(a_source(tmp_path / "one.parquet"), None) == [1]
    assert values(a_source(f"file://{tmp_path}/one.parquet"), None) == [1]
    assert values(a_source("days"), tmp_path) == [2, 3]
    assert read(a_source("days"), tmp_path, columns=("day", "v"))[0] == {"day": "2024-03-01", "v": 2}
    assert values(a_source("days/*/part.parquet"), tmp_path) == [2, 3]
    assert values(a_source("**/part.parquet"), tmp_path) == [2, 3]
    assert values(a_source("days/day=2024-03-0?/*"), tmp_path) == [2, 3]
    assert values(a_source("*.parquet"), tmp_path) == [1]


def test_files_of_one_folder_may_differ_in_columns_and_types(tmp_path):
    (tmp_path / "rows").mkdir()
    pq.write_table(a_table(1, w=pa.nulls(1)), tmp_path / "rows" / "a.parquet")
    pq.write_table(a_table(2, w=pa.array(["x"]), u=pa.array([1.5])), tmp_path / "rows" / "b.parquet")

    found = read(a_source("rows"), tmp_path, columns=("v", "w", "u"))

    assert found == [{"v": 1, "w": None, "u": None}, {"v": 2, "w": "x", "u": 1.5}]


@pytest.mark.parametrize(("kind", "scale"), [(pa.timestamp("s"), 1_000_000), (pa.timestamp("ms", tz="UTC"), 1_000)])
def test_bounds_are_inclusive_in_coarser_units_too(tmp_path, kind, scale):
    pq.write_table(a_table(1, 2, 3, kind=kind), tmp_path / "rows.parquet")
    source = a_source("rows.parquet")

    assert values(source, tmp_path, since_us=2 * scale, until_us=2 * scale) == [2]
    assert values(source, tmp_path, since_us=2 * scale + 1, until_us=3 * scale - 1) == []
    assert values(source, tmp_path, since_us=2 * scale - 1, until_us=3 * scale) == [2, 3]


def test_nanoseconds_are_rounded_down_and_bounds_beyond_their_range_keep_all(tmp_path):
    pq.write_table(a_table(1_999, 2_000, kind=pa.timestamp("ns")), tmp_path / "rows.parquet")
    source = a_source("rows.parquet")

    assert values(source, tmp_path, until_us=1) == [1_999]
    assert values(source, tmp_path, since_us=2) == [2_000]
    assert values(source, tmp_path, since_us=-(2**62), until_us=2**62) == [1_999, 2_000]


def test_rows_without_an_instant_never_happened(tmp_path):
    pq.write_table(a_table(1, None), tmp_path / "rows.parquet")

    assert values(a_source("rows.parquet"), tmp_path) == [1]


def test_what_cannot_be_read_is_refused_with_its_place(tmp_path):
    (tmp_path / "text.parquet").write_text("no Parquet")
    (tmp_path / "empty").mkdir()
    pq.write_table(a_table(1), tmp_path / "rows.parquet")

    for path, message in (
        ("text.parquet", r"text\.parquet: cannot be read as Parquet"),
        ("missing.parquet", r"missing\.parquet: cannot be read as Parquet"),
        ("empty", r"empty: no Parquet is there"),
        ("nothing*.parquet", r"nothing\*\.parquet: matches no file"),
    ):
        with pytest.raises(BadInput, match=message):
            values(a_source(path), tmp_path)
    with pytest.raises(BadInput, match=r"rows: no columns \['w'\]; it has \['at', 'v'\]"):
        read(a_source("rows.parquet"), tmp_path, columns=("w",))


def test_other_sources_and_formats_are_refused_by_name(tmp_path):
    from feast.data_format import DeltaFormat

    from argosy.features.feast.sources import place_of

    with pytest.raises(BadInput, match="source 'rows' is DeltaFormat; this store reads Parquet"):
        place_of(a_source("rows", file_format=DeltaFormat()), tmp_path)
    with pytest.raises(BadInput, match="source 'table' is a SimpleNamespace; this store reads a FileSource"):
        place_of(SimpleNamespace(name="table"), tmp_path)


def test_rows_are_added_to_partitions_but_not_to_a_glob(tmp_path):
    from argosy.features.feast.sources import append, place_of

    (tmp_path / "of=us" / "days" / "day=a").mkdir(parents=True)
    pq.write_table(a_table(1), tmp_path / "of=us" / "days" / "day=a" / "part.parquet")

    append(place_of(a_source("of=us/days"), tmp_path), a_table(2, day=pa.array(["b"])))

    assert read(a_source("of=us/days"), tmp_path, columns=("day", "v")) == [{"day": "a", "v": 1}, {"day": "b", "v": 2}]
    with pytest.raises(BadInput, match="cannot be added to a glob"):
        append(place_of(a_source("of=us/days/*/*"), tmp_path), a_table(3))


def test_a_folder_is_replaced_and_what_is_no_parquet_in_it_stays(tmp_path):
    from argosy.features.feast.sources import place_of, replace

    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "note.txt").write_text("kept")
    pq.write_table(a_table(1), tmp_path / "rows" / "old.parquet")

    replace(place_of(a_source("rows"), tmp_path), a_table(2))

    assert [row["v"] for path in (tmp_path / "rows").glob("*.parquet") for row in pq.read_table(path).to_pylist()] == [
        2
    ]
    assert (tmp_path / "rows" / "note.txt").exists()


def test_a_file_a_folder_and_a_glob_on_s3_are_written_and_read(s3, s3_endpoint):  # noqa: F811 - fixtures
    from argosy.features.feast.sources import append, place_of, replace

    def on_s3(path):
        return a_source(f"{s3}/{path}", s3_endpoint_override=s3_endpoint)

    replace(place_of(on_s3("one.parquet"), None), a_table(1))
    append(place_of(on_s3("one.parquet"), None), a_table(2))
    replace(place_of(on_s3("many"), None), a_table(3))
    append(place_of(on_s3("many"), None), a_table(4))

    assert values(on_s3("one.parquet"), None) == [1, 2]
    assert values(on_s3("many"), None, until_us=3) == [3]
    assert values(on_s3("m*/*.parquet"), None) == [3, 4]
    assert values(a_source(f"{s3}/one.parquet"), None) == [1, 2]
    with pytest.raises(BadInput, match="nowhere: no Parquet is there"):
        values(on_s3("nowhere"), None)
