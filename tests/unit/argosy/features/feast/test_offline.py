from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput

# Importing Feast takes seconds; tests/contract/test_feast_offline.py holds the rule in the default run.
pytestmark = pytest.mark.slow

T = datetime(2024, 3, 1, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BIG = 2**53 + 1
INSTANT = pa.timestamp("us", tz="UTC")


def write_drivers(path, rows, *, kind=INSTANT, **columns):
    """Write rows of (driver, event, created, trips, note)."""
    names = ("driver", "at", "made", "trips", "note")
    kinds = (pa.int64(), kind, INSTANT, pa.int64(), pa.string())
    values = [pa.array([row[n] for row in rows], each) for n, each in enumerate(kinds)]
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(values, names).append_column("day", pa.array(["x"] * len(rows)))
    pq.write_table(table.drop_columns(["day"]), path)


ROWS = [
    (1, T - 30 * MINUTE, T - 30 * MINUTE, BIG, "old"),
    (1, T - 5 * MINUTE, T - 5 * MINUTE, BIG + 2, "new"),
    (2, T - 2 * HOUR, T - 2 * HOUR, 7, "stale"),
    (3, T - MINUTE, T - MINUTE, None, None),
]


def a_store(folder, *views, statuses=False, on_demand=()):
    from feast import Entity, FeatureStore, RepoConfig, ValueType

    config = RepoConfig(
        project="drivers", provider="local", repo_path=folder, entity_key_serialization_version=3,
        registry={"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"},
        offline_store={"type": "argosy.features.feast.offline.AsofOfflineStore", "statuses": statuses},
        online_store={"type": "sqlite", "path": f"{folder}/online.db"},
    )  # fmt: skip
    store = FeatureStore(config=config)
    store.apply([Entity(name="driver", join_keys=["driver"], value_type=ValueType.INT64), *views, *on_demand])
    return store


def a_view(name="stats", path="stats.parquet", *, ttl=HOUR, tags=None, created="made", entities=True, **source):
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Int64, String

    driver = Entity(name="driver", join_keys=["driver"], value_type=ValueType.INT64)
    keys = [Field(name="driver", dtype=Int64)] if entities else []
    return FeatureView(
        name=name, entities=[driver] if entities else [], ttl=ttl, tags=tags or {},
        schema=[*keys, Field(name="trips", dtype=Int64), Field(name="note", dtype=String)],
        source=FileSource(
            name=f"{name}_source", path=path, timestamp_field="at", created_timestamp_column=created, **source
        ),
    )  # fmt: skip


def a_frame(*rows, **columns):
    drivers, at = zip(*rows, strict=True)
    return pd.DataFrame({"driver": drivers, "event_timestamp": pd.to_datetime(at, utc=True), **columns})


STATS = ["stats:trips", "stats:note"]


@pytest.fixture
def drivers(tmp_path):
    write_drivers(tmp_path / "stats.parquet", ROWS)
    return tmp_path


def test_the_frame_comes_back_with_its_order_columns_and_types(drivers):
    frame = a_frame(
        (3, T), (1, T), (2, T), (1, T),
        label=np.array([1, 2, 3, 4], dtype=np.int8), group=pd.Categorical(["a", "b", "a", None]),
    )  # fmt: skip
    frame.index = [9, 7, 5, 3]

    made = a_store(drivers, a_view()).get_historical_features(frame, STATS).to_df()

    pd.testing.assert_frame_equal(made[list(frame.columns)], frame.reset_index(drop=True))
    assert made["trips"].tolist() == [pd.NA, BIG + 2, pd.NA, BIG + 2]
    assert made["trips"].dtype == pd.Int64Dtype()
    assert made["note"].tolist() == [None, "new", None, "new"]


def test_statuses_and_ages_stand_beside_the_features_when_asked_for(drivers):
    frame = a_frame((1, T), (2, T), (3, T), (4, T))

    made = a_store(drivers, a_view(), statuses=True).get_historical_features(frame, STATS).to_arrow()

    assert made["stats__status"].to_pylist() == ["PRESENT", "OUTSIDE_MAX_AGE", "NULL_VALUE", "NOT_FOUND"]
    assert made["stats__age_s"].to_pylist() == [300.0, 7200.0, 60.0, None]


def test_a_query_makes_the_frame_with_files_of_the_repository(drivers):
    query = "SELECT driver, TIMESTAMPTZ '2024-03-01 13:00:00+01' AS event_timestamp FROM 'stats.parquet' ORDER BY ALL"

    made = a_store(drivers, a_view()).get_historical_features(query, STATS).to_df()

    assert made["driver"].tolist() == [1, 1, 2, 3]
    assert made["note"].tolist() == ["new", "new", None, None]


def test_without_a_frame_each_event_within_the_dates_is_a_row(drivers):
    store = a_store(drivers, a_view(), a_view("other", ttl=10 * MINUTE))

    job = store.get_historical_features(
        None, [*STATS, "other:note"], start_date=T - HOUR, end_date=T - 5 * MINUTE, full_feature_names=True
    )
    made = job.to_df()

    assert made["event_timestamp"].tolist() == [T - 30 * MINUTE, T - 5 * MINUTE]
    assert made["stats__trips"].tolist() == [BIG, BIG + 2]
    assert made["other__note"].tolist() == ["old", "new"]
    assert job.metadata.min_event_timestamp == T - 30 * MINUTE


def test_join_keys_are_renamed_by_a_projection_and_a_view_may_be_asked_twice(drivers):
    from feast import FeatureService

    view = a_view()
    service = FeatureService(
        name="pair",
        features=[
            view.with_name("first").with_join_key_map({"driver": "driver_a"}),
            view.with_name("second").with_join_key_map({"driver": "driver_b"}),
        ],
    )
    store = a_store(drivers, view, on_demand=[service])
    frame = pd.DataFrame({"driver_a": [1, 2], "driver_b": [2, 1], "event_timestamp": pd.to_datetime([T, T])})

    made = store.get_historical_features(frame, store.get_feature_service("pair"), full_feature_names=True).to_df()

    assert made["first__note"].tolist() == ["new", None]
    assert made["second__note"].tolist() == [None, "new"]


@pytest.mark.filterwarnings("ignore:On demand feature view is an experimental")
def test_on_demand_views_are_computed_from_what_was_found(drivers):
    from feast import Field
    from feast.on_demand_feature_view import on_demand_feature_view
    from feast.types import String

    view = a_view()

    @on_demand_feature_view(sources=[view], schema=[Field(name="loud", dtype=String)], mode="pandas")
    def shout(inputs):
        return pd.DataFrame({"loud": inputs["note"].str.upper()})

    store = a_store(drivers, view, on_demand=[shout])

    made = store.get_historical_features(a_frame((1, T), (2, T)), ["stats:note", "shout:loud"]).to_df()

    assert made["loud"].tolist() == ["NEW", None]


def test_a_view_without_entities_is_about_every_request(drivers):
    write_drivers(drivers / "all.parquet", [ROWS[0], ROWS[1]])
    store = a_store(drivers, a_view("totals", "all.parquet", entities=False))

    made = store.get_historical_features(a_frame((9, T), (8, T - 10 * MINUTE)), ["totals:note"]).to_df()

    assert made["note"].tolist() == ["new", "old"]


def test_naive_times_are_utc_and_text_is_read(drivers):
    store = a_store(drivers, a_view())
    naive = pd.DataFrame({"driver": [1], "event_timestamp": [datetime(2024, 3, 1, 11, 54, 59)]})
    text = pd.DataFrame({"driver": [1, 1], "event_timestamp": ["2024-03-01 11:55:00", "2024-03-01T11:55:00+01:00"]})

    assert store.get_historical_features(naive, STATS).to_df()["note"].tolist() == ["old"]
    made = store.get_historical_features(text, STATS).to_df()
    assert made["note"].tolist() == ["new", None]
    assert made["event_timestamp"].tolist() == text["event_timestamp"].tolist()


@pytest.mark.parametrize(
    "kind", [pa.timestamp("ns", tz="UTC"), pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("us", tz="Asia/Tokyo")]
)
def test_times_of_every_unit_and_zone_join_and_materialise(tmp_path, kind):
    write_drivers(tmp_path / "stats.parquet", ROWS, kind=kind)
    store = a_store(tmp_path, a_view())

    assert store.get_historical_features(a_frame((1, T)), STATS).to_df()["note"].tolist() == ["new"]
    store.materialize(T - HOUR, T)
    assert store.get_online_features(STATS, [{"driver": 1}]).to_dict()["note"] == ["new"]


def test_a_field_mapping_renames_what_the_source_calls_otherwise(tmp_path):
    table = pa.table(
        {"d": [1], "when": pa.array([T], INSTANT), "n": pa.array([BIG]), "note": ["x"], "made": pa.array([T], INSTANT)}
    )
    pq.write_table(table, tmp_path / "stats.parquet")
    view = a_view(field_mapping={"n": "trips", "d": "driver", "when": "at"})

    made = a_store(tmp_path, view).get_historical_features(a_frame((1, T)), STATS).to_df()

    assert made["trips"].tolist() == [BIG]


def test_the_tag_availability_holds_rows_back(tmp_path):
    write_drivers(tmp_path / "stats.parquet", [ROWS[0], (1, T - 10 * MINUTE, T + MINUTE, 2, "late")])
    views = [
        a_view("known", tags={"availability": "created"}),
        a_view("delayed", tags={"availability": "15m"}),
        a_view("plain"),
    ]
    refs = [f"{view.name}:note" for view in views]

    made = a_store(tmp_path, *views).get_historical_features(
        a_frame((1, T), (1, T + 2 * MINUTE), (1, T + 5 * MINUTE)), refs, full_feature_names=True
    )

    columns = made.to_df()
    assert columns["known__note"].tolist() == ["old", "late", "late"]
    assert columns["delayed__note"].tolist() == ["old", "old", "late"]
    assert columns["plain__note"].tolist() == ["late", "late", "late"]


def test_an_availability_that_cannot_be_read_or_kept_is_refused_with_its_view(drivers):
    for tags, created, message in (
        ({"availability": "soon"}, "made", r"view 'stats': availability: 'soon' is no duration.*or 'created'"),
        ({"availability": "created"}, "", r"view 'stats': availability is 'created', and its source names no created"),
    ):
        store = a_store(drivers, a_view(tags=tags, created=created))
        with pytest.raises(BadInput, match=message):
            store.get_historical_features(a_frame((1, T)), STATS)


def test_what_is_wrong_with_a_frame_is_named(drivers):
    store = a_store(drivers, a_view())

    with pytest.raises(BadInput, match=r"entity frame: no columns \['driver'\], keys of feature view 'stats'; it has"):
        store.get_historical_features(a_frame((1, T)).rename(columns={"driver": "d"}), STATS)
    with pytest.raises(BadInput, match=r"columns \['note'\] would stand twice"):
        store.get_historical_features(a_frame((1, T), note=["x"]), STATS)
    with pytest.raises(BadInput, match="do not compare"):
        store.get_historical_features(a_frame(("one", T)), STATS).to_df()


def test_views_of_different_keys_need_a_frame(drivers):
    store = a_store(drivers, a_view(), a_view("totals", entities=False))

    with pytest.raises(BadInput, match=r"'stats' has \['driver'\], 'totals' has \[\]"):
        store.get_historical_features(None, ["stats:note", "totals:note"], full_feature_names=True, start_date=T - HOUR)


def pull(folder, what, **changes):
    from argosy.features.feast.offline import AsofOfflineStore

    source = a_view().batch_source
    asked = {
        "config": SimpleNamespace(repo_path=folder), "data_source": source, "join_key_columns": ["driver"],
        "feature_name_columns": ["trips", "note"], "timestamp_field": "at", "created_timestamp_column": "made",
        "start_date": T - 30 * MINUTE, "end_date": T - 5 * MINUTE,
    }  # fmt: skip
    return getattr(AsofOfflineStore, f"pull_{what}_from_table_or_query")(**(asked | changes)).to_arrow()


def test_rows_are_pulled_within_dates_both_inclusive(drivers):
    assert pull(drivers, "all")["note"].to_pylist() == ["old", "new"]
    later = {"start_date": T - 30 * MINUTE + timedelta(microseconds=1)}
    assert pull(drivers, "all", **later)["note"].to_pylist() == ["new"]
    earlier = {"end_date": T - 5 * MINUTE - timedelta(microseconds=1)}
    assert pull(drivers, "all", **earlier)["note"].to_pylist() == ["old"]
    assert pull(drivers, "all", start_date=None, end_date=None).num_rows == 4


def test_the_newest_row_of_each_entity_is_pulled_by_event_then_created(tmp_path):
    write_drivers(tmp_path / "stats.parquet", [(1, T, T, 1, "a"), (1, T, T + HOUR, 2, "b"), (None, T, T, 3, "c")])

    found = pull(tmp_path, "latest", end_date=T)

    assert found["note"].to_pylist() == ["b"]
    assert found.schema.field("at").type == INSTANT


def test_without_named_columns_all_are_pulled_and_without_keys_one_row(drivers):
    assert pull(drivers, "latest", feature_name_columns=[]).column_names == ["driver", "at", "made", "trips", "note"]
    found = pull(drivers, "latest", join_key_columns=[])
    assert found["note"].to_pylist() == ["new"]
    assert found["__dummy_id"].to_pylist() == [""]


def test_a_result_is_persisted_once_and_read_again(drivers):
    from feast.errors import SavedDatasetLocationAlreadyExists
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage

    job = a_store(drivers, a_view()).get_historical_features(a_frame((1, T)), STATS)

    for path in ("saved.parquet", "saved_folder"):
        job.persist(SavedDatasetFileStorage(path))
        with pytest.raises(SavedDatasetLocationAlreadyExists):
            job.persist(SavedDatasetFileStorage(path))
        job.persist(SavedDatasetFileStorage(path), allow_overwrite=True)
        assert pq.read_table(drivers / path).equals(job.to_arrow())


def test_rows_are_added_to_a_file_and_to_a_folder(tmp_path):
    write_drivers(tmp_path / "stats.parquet", ROWS[:1])
    write_drivers(tmp_path / "many" / "part.parquet", ROWS[:1])
    store = a_store(tmp_path, a_view(), a_view("many", "many"))
    added = pd.DataFrame(
        {"driver": [1], "at": pd.to_datetime([T]), "made": pd.to_datetime([T]), "trips": [5], "note": ["added"]}
    )

    for name in ("stats", "many"):
        store.write_to_offline_store(name, added)
        made = store.get_historical_features(a_frame((1, T)), [f"{name}:note"]).to_df()
        assert made["note"].tolist() == ["added"]
    assert len(list((tmp_path / "many").iterdir())) == 2
    with pytest.raises(BadInput, match="in this order"):
        write_batch(tmp_path, pa.table({"driver": [1]}))


def write_batch(folder, table):
    from argosy.features.feast.offline import AsofOfflineStore

    AsofOfflineStore.offline_write_batch(SimpleNamespace(repo_path=folder), a_view(), table, None)


def test_logged_features_are_added_in_hive_partitions(tmp_path):
    from feast.infra.offline_stores.file_source import FileLoggingDestination

    from argosy.features.feast.offline import AsofOfflineStore

    logs = pa.table({"trips": [1, 2], "day": ["2024-03-01", "2024-03-02"]})
    logging = SimpleNamespace(destination=FileLoggingDestination(path="logs", partition_by=["day"]))
    pq.write_table(logs, tmp_path / "given.parquet")

    for given in (logs, tmp_path / "given.parquet"):
        AsofOfflineStore.write_logged_features(SimpleNamespace(repo_path=tmp_path), given, None, logging, None)

    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["day=2024-03-01", "day=2024-03-02"]
    assert pq.read_table(tmp_path / "logs").num_rows == 4
