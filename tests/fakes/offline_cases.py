"""What an offline store has to answer, case by case, and how a store of Feast is asked.

`python -m tests.fakes.offline_cases` writes the golden table of all allowed stores that run here.
"""

import json
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from argosy.features.definitions.stores import OFFLINE, OURS

GOLDEN = Path(__file__).parents[1] / "golden" / "offline_stores.json"
STORES = {"argosy": OURS, "postgres": "postgres"}
T = datetime(2024, 3, 1, 12, tzinfo=UTC)
US, HOUR = timedelta(microseconds=1), timedelta(hours=1)
BIG = 2**53 + 1
# The night in which New York counts the hour from one to two twice.
NIGHT = datetime(2024, 11, 3, 1, 30, tzinfo=ZoneInfo("America/New_York"))
INSTANT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class ViewRows:
    """A view's rows, as (keys, event, created, value)."""

    rows: list
    keys: tuple = ("k",)
    ttl: timedelta = HOUR
    created: bool = False


@dataclass(frozen=True)
class Case:
    """A case.

    Args:
        views: Each has a feature `v`.
        expected: Per request its number and each view's value, in the order of the requests; or a refusal.
        requests: As (k, k2, instant).
        cutoff: Whether rows count only from when they were created.

    """

    name: str
    views: list
    expected: object
    requests: tuple = (("a", "a", T),)
    cutoff: bool = False


def a_row(event, value, *, key="a", created=None):
    return (key if isinstance(key, tuple) else (key,), event, created, value)


def one(name, rows, expected, **changes):
    """Make a case of one view; `expected` is the value of the one request."""
    of_view = {name: changes.pop(name) for name in ("ttl", "created", "keys") if name in changes}
    answer = expected if isinstance(expected, (str, list)) else [[0, expected]]
    return Case(name, [ViewRows(rows, **of_view)], answer, **changes)


def _refusal(count, event, tie):
    return f"refused: {count} different rows of {{'k': 'a'}} with one {tie}, {event:%Y-%m-%dT%H:%M:%S.%fZ}"


LATE = [a_row(T - HOUR / 2, 1, created=T - HOUR / 2), a_row(T - HOUR / 4, 9, created=T + HOUR)]
TWICE = (("a", "a", T), ("b", "a", T), ("a", "a", T), ("a", "a", T - HOUR / 2))
CASES = [
    one("age = ttl exactly", [a_row(T - HOUR, 1)], 1),
    one("age = ttl + 1 us", [a_row(T - HOUR - US, 1)], None),
    one("age = ttl - 1 us", [a_row(T - HOUR + US, 1)], 1),
    one("age = 0", [a_row(T, 1)], 1),
    one("event 1 us in the future", [a_row(T + US, 1)], None),
    one("no source row", [a_row(T, 1, key="b")], None),
    one("expired and future rows only", [a_row(T - 2 * HOUR, 1), a_row(T + HOUR, 2)], None),
    one("an older row is valid, the newest is", [a_row(T - HOUR / 2, 1), a_row(T - HOUR / 4, 2)], 2),
    one("same event, two created", [a_row(T - US, 2, created=T), a_row(T - US, 1, created=T - US)], 2, created=True),
    one(
        "same event, no created column, different",
        [a_row(T - US, 1), a_row(T - US, 2)],
        _refusal(2, T - US, "event"),
    ),
    one("same event, no created column, equal", [a_row(T - US, 1), a_row(T - US, 1)], 1),
    one(
        "tie on event and created, different",
        [a_row(T - US, 1, created=T), a_row(T - US, 2, created=T)],
        _refusal(2, T - US, "event and created"),
        created=True,
    ),
    one("tie on event and created, equal", [a_row(T, 1, created=T), a_row(T, 1, created=T)], 1, created=True),
    one("created is null", [a_row(T, 1)], 1, created=True),
    one("the newest row in the window has a null", [a_row(T - HOUR / 2, 1), a_row(T - HOUR / 4, None)], None),
    one("event < T but created > T", LATE, 9, created=True),
    one("event < T but created > T, filter_by_created_timestamp", LATE, 1, created=True, cutoff=True),
    one("no ttl, 400 days old", [a_row(T - timedelta(days=400), 1)], 1, ttl=timedelta(0)),
    one("ttl = 500 ms, age 1 s", [a_row(T - timedelta(seconds=1), 1)], None, ttl=timedelta(milliseconds=500)),
    one("ttl = 500 ms, age 500 ms", [a_row(T - timedelta(seconds=0.5), 1)], 1, ttl=timedelta(milliseconds=500)),
    one(
        "four requests, two of one key and time",
        [a_row(T - HOUR / 2, 1), a_row(T - US, 2)],
        [[0, 2], [1, None], [2, 2], [3, 1]],
        requests=TWICE,
    ),
    one(
        "a null key",
        [a_row(T, 1), a_row(T, 2, key=None)],
        [[0, None], [1, 1]],
        requests=((None, "a", T), ("a", "a", T)),
    ),
    Case(
        "two views with different keys",
        [
            ViewRows([a_row(T, 1), a_row(T, 2, key="b")]),
            ViewRows([a_row(T - US, 3, key="x"), a_row(T - US, 4, key="y")], keys=("k2",)),
        ],
        [[0, 1, 3], [1, 1, 4], [2, 2, 3], [3, None, None]],
        (("a", "x", T), ("a", "y", T), ("b", "x", T), ("c", "z", T)),
    ),
    one(
        "two keys whose texts run together",
        [a_row(T, 1, key=("1", "11")), a_row(T, 2, key=("11", "1"))],
        [[0, 1], [1, 2]],
        keys=("k", "k2"),
        requests=(("1", "11", T), ("11", "1", T)),
    ),
    one(
        "an integer above 2^53 beside a null",
        [a_row(T, BIG)],
        [[0, BIG], [1, None]],
        requests=(("a", "a", T), ("b", "a", T)),
    ),
    one(
        "the hour that a clock shows twice",
        [a_row(NIGHT, 1), a_row(NIGHT.replace(fold=1), 2)],
        [[0, 1], [1, 2], [2, None]],
        requests=(
            ("a", "a", NIGHT),
            ("a", "a", NIGHT.replace(fold=1)),
            ("a", "a", NIGHT.astimezone(UTC) - US),
        ),
    ),
]


def table_of(view):
    """Return a view's rows as Arrow has them."""
    keys, events, createds, values = zip(*view.rows, strict=True)
    columns = {name: pa.array([key[at] for key in keys], pa.string()) for at, name in enumerate(view.keys)}
    columns["event_timestamp"] = pa.array(events, INSTANT)
    if view.created:
        columns["created"] = pa.array(createds, INSTANT)
    return pa.table(columns | {"v": pa.array(values, pa.int64())})


def name_of(case, number):
    """Name a view of a case, for tables and files too."""
    return f"case{CASES.index(case)}_{number}"


@contextmanager
def store_of(kind, folder):
    """Make a Feast store of a kind with every case's views and rows; yields it with its settings."""
    with ExitStack() as stack:
        settings, source = {}, None
        if kind == "postgres":
            from tests.fakes.postgres_server import postgres

            settings = stack.enter_context(postgres())
            source = _postgres_source(settings)
        yield feast_store(folder, {"type": STORES[kind], **settings}, source or _parquet_source(folder)), settings


def feast_store(folder, offline, source):
    """Make a Feast store of an offline store, with every case's views over the source that is made of their rows."""
    from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig, ValueType
    from feast.types import Int64, String

    config = RepoConfig(
        project="cases", provider="local", repo_path=folder, offline_store=offline, entity_key_serialization_version=3,
        registry={"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"},
        online_store={"type": "sqlite", "path": f"{folder}/online.db"},
    )  # fmt: skip
    entities = {name: Entity(name=name, join_keys=[name], value_type=ValueType.STRING) for name in ("k", "k2")}
    views = [
        FeatureView(
            name=name_of(case, number),
            entities=[entities[key] for key in view.keys],
            ttl=view.ttl,
            schema=[*(Field(name=key, dtype=String) for key in view.keys), Field(name="v", dtype=Int64)],
            source=source(name_of(case, number), view),
        )
        for case in CASES
        for number, view in enumerate(case.views)
    ]
    store = FeatureStore(config=config)
    store.apply([*entities.values(), *views])
    return store


def ask(store, case):
    """Return what a store answers: per row the request's number and the views' values; or why it refuses."""
    import pandas as pd

    from argosy.errors import BadInput

    keys, others, at = zip(*case.requests, strict=True)
    frame = pd.DataFrame({"k": keys, "k2": others, "event_timestamp": pd.to_datetime(at, utc=True)})
    frame["request"] = range(len(frame))
    names = [name_of(case, number) for number in range(len(case.views))]
    try:
        job = store.get_historical_features(
            frame, [f"{name}:v" for name in names], full_feature_names=True, filter_by_created_timestamp=case.cutoff
        )
        columns = job.to_arrow().select(["request", *(f"{name}__v" for name in names)]).to_pydict()
    except BadInput as error:
        return "refused: " + str(error).partition(": ")[2].partition(": ")[2].partition(";")[0]
    return [list(row) for row in zip(*columns.values(), strict=True)]


def document(answers):
    """Put the answers of all stores beside each other."""
    return {
        "stores": {name: [OFFLINE[kind].verdict, *OFFLINE[kind].checks] for name, kind in STORES.items()},
        "cases": {case.name: {name: answers[name][case.name] for name in STORES} for case in CASES},
    }


def answers_of(kind, folder):
    """Ask a store every case."""
    with store_of(kind, folder) as (store, _):
        return {case.name: in_order(kind, ask(store, case)) for case in CASES}


def in_order(kind, answer):
    """Sort the rows of a store that promises no order."""
    return answer if kind == "argosy" else sorted(answer, key=repr)


def text_of(found):
    """Write a document with one line per case."""
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(cells)}" for name, cells in found["cases"].items())
    return f'{{\n "stores": {json.dumps(found["stores"])},\n "cases": {{\n{lines}\n }}\n}}\n'


def _parquet_source(folder):
    """Make sources of Parquet files."""
    from feast import FileSource

    def source(name, view):
        pq.write_table(table_of(view), folder / f"{name}.parquet")
        created = "created" if view.created else ""
        return FileSource(
            name=name, path=f"{name}.parquet", timestamp_field="event_timestamp", created_timestamp_column=created
        )

    return source


def _postgres_source(settings):
    """Make sources of tables."""
    import psycopg
    from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource

    def source(name, view):
        table = table_of(view)
        types = {pa.string(): "text", INSTANT: "timestamptz", pa.int64(): "bigint"}
        columns = ", ".join(f"{field.name} {types[field.type]}" for field in table.schema)
        with psycopg.connect(**_connection(settings)) as db, db.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {name} ({columns})")
            marks = ", ".join(["%s"] * table.num_columns)
            insert = f"INSERT INTO {name} VALUES ({marks})"  # noqa: S608 - names of this module
            cursor.executemany(insert, [tuple(row.values()) for row in table.to_pylist()])
        created = "created" if view.created else ""
        return PostgreSQLSource(
            name=name, table=name, timestamp_field="event_timestamp", created_timestamp_column=created
        )

    return source


def query_postgres(settings, query):
    """Run a query."""
    import psycopg

    with psycopg.connect(**_connection(settings)) as db, db.cursor() as cursor:
        return cursor.execute(query).fetchall()


def _connection(settings):
    return {"dbname" if name == "database" else name: value for name, value in settings.items()}


def main():
    """Write the golden table anew."""
    answers = {}
    for kind in STORES:
        with tempfile.TemporaryDirectory() as folder:
            answers[kind] = answers_of(kind, Path(folder))
    GOLDEN.write_text(text_of(document(answers)))


if __name__ == "__main__":
    main()
