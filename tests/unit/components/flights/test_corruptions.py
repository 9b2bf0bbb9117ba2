"""The corruption catalogue: what a month of real flights looks like when it is broken, and what is done about it.

`REJECT` refuses the batch, `BLOCK` forbids training on it, `QUARANTINE` sets rows aside, `NULL` empties cells,
`WARN` goes on. Corruptions of the delivered files are in the second table: they never become tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from argosy.errors import BadInput
from argosy.validation.cells import as_floats
from argosy.validation.findings import judge
from argosy.validation.labels import check_leaks
from components.flights import contract as agreed
from components.flights.clean import validate
from components.flights.ingestion import FILES, SOURCE, UTC_TIME, ingest_tables, source_folder, write_raw
from components.flights.validation import check_tables
from tests.fakes.flights import real_source_slice, real_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tables = dict[str, pa.Table]

UNBOUNDED = {("planes", "speed"), ("airports", "tz")}  # not used
YEAR_END = datetime(2014, 1, 3, tzinfo=UTC)


# How tables are broken. Each of these returns a function from tables to tables.
def change(table: str, column: str, new: Callable[[pa.ChunkedArray], pa.Array]) -> Callable[[Tables], Tables]:
    def corrupt(tables: Tables) -> Tables:
        index = tables[table].schema.get_field_index(column)
        return tables | {table: tables[table].set_column(index, column, new(tables[table][column]))}

    return corrupt


def first(rows: int, value: object) -> Callable[[pa.ChunkedArray], pa.Array]:
    """Set the first rows of a column to a value."""
    return lambda column: pc.if_else(pa.array(np.arange(len(column)) < rows), pa.scalar(value, column.type), column)


def whole(table: str, new: Callable[[pa.Table], pa.Table]) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {table: new(tables[table])}


def both(*steps: Callable[[Tables], Tables]) -> Callable[[Tables], Tables]:
    def corrupt(tables: Tables) -> Tables:
        for step in steps:
            tables = step(tables)
        return tables

    return corrupt


def without_rows(**equal: str) -> Callable[[pa.Table], pa.Table]:
    def corrupt(table: pa.Table) -> pa.Table:
        hit = [pc.equal(table[column], value) for column, value in equal.items()]
        return table.filter(pc.invert(hit[0] if len(hit) == 1 else pc.and_(*hit)))

    return corrupt


def only_rows_of_a_day(day: str, rows: int) -> Callable[[pa.Table], pa.Table]:
    def corrupt(table: pa.Table) -> pa.Table:
        on_day = pc.equal(table["day"], day).to_numpy()
        return table.filter(pa.array(~on_day | (np.cumsum(on_day) <= rows)))

    return corrupt


def text(*strangers: str) -> Callable[[pa.ChunkedArray], pa.Array]:
    """Deliver a number column as text, with strangers in its first rows."""

    def corrupt(column: pa.ChunkedArray) -> pa.Array:
        values = column.cast(pa.string()).combine_chunks()
        return pa.concat_arrays([pa.array(strangers, pa.string()), values[len(strangers) :]])

    return corrupt


def shifted(hours: int) -> Callable[[pa.ChunkedArray], pa.Array]:
    return lambda column: pc.add(column, pa.scalar(timedelta(hours=hours)))


def to_celsius(column: pa.ChunkedArray) -> pa.Array:
    return pc.divide(pc.subtract(column, 32.0), 1.8)


def hhmm_plus_five_hours(column: pa.ChunkedArray) -> pa.Array:
    return pa.array((column.to_numpy() + 500) % 2400)


def second_arrival_for_the_first_flight(table: pa.Table) -> pa.Table:
    delay = pc.add(table["arr_delay"].slice(0, 1), 60)
    index = table.schema.get_field_index("arr_delay")
    return pa.concat_tables([table, table.slice(0, 1).set_column(index, "arr_delay", delay)])


def repeated_clock_hour_keyed_locally(table: pa.Table) -> pa.Table:
    """Key both reports of 3 November 01 h by the first one's instant."""
    second = pa.scalar(datetime(2013, 11, 3, 6, tzinfo=UTC), UTC_TIME)
    instant = pc.if_else(pc.equal(table["event_at"], second), shifted(-1)(table["event_at"]), table["event_at"])
    return table.set_column(table.schema.get_field_index("event_at"), "event_at", instant)


def skipped_clock_hour_present(table: pa.Table) -> pa.Table:
    """Report 10 March 02 h, which New York skipped."""
    skipped = pc.and_(pc.equal(table["day"], "2013-03-10"), pc.equal(table["hour"], 3))
    hour = pc.if_else(skipped, 2, table["hour"])
    return table.set_column(table.schema.get_field_index("hour"), "hour", hour)


def only_early_labels(table: pa.Table) -> pa.Table:
    """Lose the labels that come in after local midnight."""
    late = pc.greater(table["arr_delay"], 30)
    for name in ("arr_delay", "arr_at", "arr_available_at"):
        table = table.set_column(table.schema.get_field_index(name), name, pc.if_else(late, None, table[name]))
    return table


ALL_TAILS_WITHOUT_N = change("flights", "tailnum", lambda column: pc.utf8_ltrim(column, "N"))
CARRIER_WITH_FLIGHT = whole(
    "flights",
    lambda table: table.set_column(
        table.schema.get_field_index("carrier"),
        "carrier",
        pc.binary_join_element_wise(table["carrier"], table["flight"].cast(pa.string()), ""),
    ),
)
SECONDS = both(
    change("flights", "dep_delay", lambda column: pc.multiply(column, 60)),
    change("flights", "arr_delay", lambda column: pc.multiply(column, 60)),
)
CELSIUS = both(change("weather", "temp", to_celsius), change("weather", "dewp", to_celsius))


@dataclass(frozen=True)
class Case:
    """A corruption, the action of its finding at a place, and words that the message must hold."""

    name: str
    corrupt: Callable[[Tables], Tables]
    action: str
    place: str
    words: list[str]
    month: str = "2013-01"
    as_of: datetime = YEAR_END
    gone: dict[str, int] = field(default_factory=dict)

    @property
    def stops(self) -> bool:
        return self.action in {"REJECT", "BLOCK"}


CASES = [
    Case(
        "a required column is dropped",
        whole("flights", lambda table: table.drop_columns(["sched_dep_time"])),
        "REJECT", "flights.sched_dep_time", ["required column 'sched_dep_time' is missing"],
    ),
    Case(
        "a column changes its case",
        whole("flights", lambda table: table.rename_columns({"origin": "Origin"})),
        "REJECT", "flights.origin", ["missing", "'Origin'", "never guessed"],
    ),
    Case(
        "a column is added",
        whole("flights", lambda table: table.append_column("gate", pa.array(["A1"] * table.num_rows))),
        "WARN", "flights.gate", ["not used", "contract"],
    ),
    Case(
        "a number comes as text",
        change("flights", "hour", lambda column: pc.utf8_lpad(column.cast(pa.string()), 2, "0")),
        "REJECT", "flights.hour", ["got type string, expected int64"],
    ),
    Case(
        "a few values are no numbers",
        change("flights", "dep_delay", text("N/A", "12 min")),
        "QUARANTINE", "flights.dep_delay", ["12 min", "2 values", "set aside"], gone={"flights": 2},
    ),
    Case(
        "many values are no numbers",
        change("flights", "dep_delay", text(*["12 min"] * 1000)),
        "REJECT", "flights.dep_delay", ["got type string"],
    ),
    Case(
        "a value is infinite",
        change("weather", "precip", first(2, float("inf"))),
        "NULL", "weather.precip", ["2 values", "inf", "finite"],
    ),
    Case(
        "a required value is missing in a few rows",
        change("flights", "distance", first(3, None)),
        "QUARANTINE", "flights.distance", ["missing in 3 rows"], gone={"flights": 3},
    ),
    Case(
        "a required value is missing in many rows",
        change("flights", "distance", first(600, None)),
        "REJECT", "flights", ["2.22%", "allowed 1%", "distance is missing (600)"],
    ),
    Case(
        "an optional value is missing too often",
        change("weather", "temp", first(200, float("nan"))),
        "REJECT", "weather.temp", ["9.0% of 2013-01 is null", "allowed 2.0%"],
    ),
    Case(
        "a code stands for a missing wind",
        change("weather", "wind_speed", first(4, -9999.0)),
        "NULL", "weather.wind_speed", ["4 values", "-9999.0", "code"],
    ),
    Case(
        "a code stands for a missing view",
        change("weather", "visib", first(4, 99.0)),
        "NULL", "weather.visib", ["4 values", "99.0", "code"],
    ),
    Case(
        "a wind of 1048 miles per hour",
        change("weather", "wind_speed", first(1, 1048.36058)),
        "NULL", "weather.wind_speed", ["1048.36", "0 .. 150"],
    ),
    Case("winter temperatures in Celsius", CELSIUS, "REJECT", "weather.temp", ["median", "unit"]),
    Case(
        "summer temperatures in Celsius", CELSIUS, "REJECT", "weather.temp", ["humid", "Fahrenheit", "unit"],
        month="2013-07",
    ),
    Case("delays in seconds", SECONDS, "REJECT", "flights.dep_delay", ["median is -120", "unit"]),
    Case(
        "pressure in inches of mercury",
        change("weather", "pressure", lambda column: pc.multiply(column, 0.02953)),
        "REJECT", "weather.pressure", ["median is 30", "unit"],
    ),
    Case(
        "distances in kilometres",
        change("flights", "distance", lambda column: pc.cast(pc.multiply(column, 1.609), pa.int64(), safe=False)),
        "REJECT", "flights.distance", ["great circle", "unit"],
    ),
    Case(
        "a flight has no date",
        change("flights", "day", first(1, "soon")),
        "QUARANTINE", "flights.day", ["is not like"], gone={"flights": 1},
    ),
    Case("no flight has a date", change("flights", "day", first(27004, "soon")), "REJECT", "flights", ["100.00%"]),
    Case(
        "wind in knots",
        change("weather", "wind_speed", lambda column: pc.divide(column, 1.15078)),
        "REJECT", "weather.wind_speed", ["knots", "unit"],
    ),
    Case(
        "local hours stamped as UTC",
        change("flights", "time_hour", shifted(-5)),
        "REJECT", "flights.time_hour", ["New York hour is not `hour`", "27004 of 27004"],
    ),
    Case(
        "scheduled departures in UTC",
        change("flights", "sched_dep_time", hhmm_plus_five_hours),
        "REJECT", "flights.sched_dep_time", ["`hour`"],
    ),
    Case(
        "weather five hours late with its local hour",
        both(
            change("weather", "event_at", shifted(5)),
            change("weather", "available_at", shifted(5)),
            change("weather", "hour", lambda column: pa.array((column.to_numpy() + 5) % 24)),
        ),
        "REJECT", "weather.event_at", ["warmest New York hour of 2013-01 is 19", "11 .. 17"],
    ),
    Case(
        "weather stamped in local time",
        change("weather", "event_at", shifted(-5)),
        "REJECT", "weather.event_at", ["New York hour is not `hour`"],
    ),
    Case(
        "a repeated clock hour keyed locally",
        whole("weather", repeated_clock_hour_keyed_locally),
        "REJECT", "weather.event_at", ["ambiguous time", "6 of"], month="2013-11",
    ),
    Case(
        "a skipped clock hour",
        whole("weather", skipped_clock_hour_present),
        "REJECT", "weather.event_at", ["New York hour is not `hour`", "3 of"], month="2013-03",
    ),
    Case(
        "the whole month is delivered twice",
        whole("flights", lambda table: pa.concat_tables([table, table])),
        "WARN", "flights", ["27004 rows came again", "counts once"], gone={"flights": 0},
    ),
    Case(
        "a flight has two arrivals",
        whole("flights", second_arrival_for_the_first_flight),
        "QUARANTINE", "flights", ["2 rows share their (day, carrier, flight, origin)"], gone={"flights": 1},
    ),
    Case(
        "a row comes from the future",
        change("weather", "available_at", first(1, datetime(2014, 1, 3, 0, 6, tzinfo=UTC))),
        "QUARANTINE", "weather.available_at", ["2014-01-03 00:06", "as_of + 5 min"], gone={"weather": 1},
    ),
    Case(
        "weather is known before its hour",
        change("weather", "available_at", shifted(-2)),
        "REJECT", "weather.available_at", ["before their event_at", "do not train"],
    ),
    Case(
        "arrivals come two days later",
        change("flights", "arr_available_at", shifted(48)),
        "WARN", "flights.arr_available_at", ["count from when they came"], gone={"flights": 0},
    ),
    Case(
        "a day has no flights",
        whole("flights", without_rows(day="2013-01-05")),
        "REJECT", "flights", ["3 of 93 segments", "2013-01-05 EWR: 0 rows, allowed 172 .. 471"],
    ),
    Case("there are no flights", whole("flights", lambda table: table.slice(0, 0)), "REJECT", "flights", ["0 rows"]),
    Case("there is no weather", whole("weather", lambda table: table.slice(0, 0)), "REJECT", "weather", ["0 rows"]),
    Case(
        "a table is not delivered",
        lambda tables: {name: table for name, table in tables.items() if name != "planes"},
        "REJECT", "planes", ["missing"],
    ),
    Case(
        "an airport is missing",
        whole("flights", without_rows(origin="EWR")),
        "REJECT", "flights", ["31 of 93 segments", "EWR: 0 rows"],
    ),
    Case(
        "a day has 300 flights",
        whole("flights", only_rows_of_a_day("2013-01-05", 300)),
        "REJECT", "flights", ["2013-01-05", "rows, allowed"],
    ),
    Case(
        "most of the weather is missing",
        whole("weather", lambda table: table.slice(0, 1500)),
        "REJECT", "weather", ["hours of 2013-01 have no row"],
    ),
    Case(
        "a day of weather is missing",
        whole("weather", without_rows(day="2013-01-05")),
        "WARN", "weather", ["outage on 2013-01-05 EWR"],
    ),
    Case("carriers explode", CARRIER_WITH_FLIGHT, "REJECT", "flights.carrier", ["unseen values", "allowed 1%"]),
    Case(
        "a few flights go to a new place",
        change("flights", "dest", first(5, "ANC")),
        "WARN", "flights.dest", ["5 rows", "ANC", "unknown"],
    ),
    Case(
        "many flights go to a new place",
        change("flights", "dest", first(500, "ANC")),
        "REJECT", "flights.dest", ["1.85%", "ANC"],
    ),
    Case(
        "tail numbers lose their N", ALL_TAILS_WITHOUT_N, "REJECT", "flights.tailnum", ["0.0% of 2013-01 in planes"]
    ),
    Case(
        "cancelled flights become on time",
        change("flights", "arr_delay", lambda column: pc.fill_null(column, 0)),
        "BLOCK", "flights.arr_delay", ["unlabelled", "allowed 0.50%"],
    ),
    Case(
        "only early labels are in",
        whole("flights", only_early_labels),
        "BLOCK", "flights.arr_delay", ["unlabelled", "allowed 0.50% .. 8.00%"],
    ),
    Case(
        "all labels are late",
        change("flights", "arr_delay", lambda column: pc.if_else(pc.is_valid(column), 90, column)),
        "BLOCK", "flights.arr_delay", ["positive", "allowed 10.00% .. 40.00%"],
    ),
    Case(
        "the youngest flights are eight hours old",
        lambda tables: tables,
        "BLOCK", "flights.arr_delay", ["youngest", "12:00:00"], as_of=datetime(2013, 2, 1, 12, tzinfo=UTC),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_corruption_is_met_with_the_action_it_needs(case: Case):
    delivered = real_tables(case.month)

    checked = check_tables(case.corrupt(delivered), as_of=case.as_of)

    verdict = judge(checked.findings)
    assert verdict["ok"] is not case.stops, verdict["reasons"]
    messages = [
        finding["message"]
        for finding in verdict["findings"]
        if finding["action"] == case.action and finding["message"].startswith(f"{case.place}:")
    ]
    assert any(all(word in message for word in case.words) for message in messages), verdict["findings"]
    for table, rows in case.gone.items():
        assert checked.sound[table].num_rows == delivered[table].num_rows - rows


@pytest.mark.parametrize("month", ["2013-01", "2013-03", "2013-07", "2013-11"])
def test_a_real_month_is_accepted(month: str):
    checked = check_tables(real_tables(month), as_of=YEAR_END)

    assert judge(checked.findings)["reasons"] == []
    assert {table.num_rows for table in checked.aside.values()} == {0}


NUMBERS = [
    (contract.table, column.name)
    for contract in agreed.CONTRACTS
    for column in contract.columns
    if column.type in (pa.int64(), pa.float64(), UTC_TIME) and (contract.table, column.name) not in UNBOUNDED
]


@pytest.mark.parametrize("value", [-(2**62), 2**62])
@pytest.mark.parametrize(("table", "column"), NUMBERS)
def test_an_absurd_number_anywhere_is_a_finding_and_no_exception(table: str, column: str, value: int):
    few = {name: rows.slice(0, 400) for name, rows in real_tables().items()}
    kind = few[table][column].type
    absurd = float(value) if kind == pa.float64() else value

    checked = check_tables(change(table, column, first(1, absurd))(few), as_of=YEAR_END)

    assert table in {finding.table for finding in checked.findings}


def test_a_month_that_came_twice_gives_the_tables_of_one_that_came_once():
    once = real_tables()
    twice = {name: pa.concat_tables([table, table]) for name, table in once.items()}

    checked = check_tables(twice, as_of=YEAR_END)

    assert checked.sound["flights"].equals(check_tables(once, as_of=YEAR_END).sound["flights"])


def test_all_findings_are_reported_at_once():
    broken = both(SECONDS, CELSIUS, ALL_TAILS_WITHOUT_N)(real_tables())

    reasons = " ".join(judge(check_tables(broken, as_of=YEAR_END).findings)["reasons"])

    assert all(place in reasons for place in ("flights.dep_delay", "weather.temp", "flights.tailnum"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return real_source_slice(tmp_path / "source")


def recode(encoding: str, *, name: str = "airports") -> Callable[[Path], None]:
    def corrupt(source: Path) -> None:
        data = (source / FILES[name]).read_text(encoding="utf-8").replace("Lansdowne", "Montréal “North”")
        (source / FILES[name]).write_bytes(data.encode(encoding))

    return corrupt


def rewrite(name: str, new: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def corrupt(source: Path) -> None:
        path = source / FILES[name]
        path.write_bytes(new(path.read_bytes()))

    return corrupt


def emptied(data: bytes) -> bytes:
    return b""


FILE_CASES = [
    ("half a zip file", rewrite("flights", lambda data: data[: len(data) // 2]), ["flights.csv.zip", "cannot be read"]),
    ("an empty zip file", rewrite("flights", emptied), ["flights.csv.zip", "cannot be read"]),
    ("an empty file", rewrite("weather", emptied), ["weather.csv", "empty file"]),
    ("a missing file", lambda source: (source / "planes.csv").unlink(), ["planes.csv", "cannot be read"]),
    ("cp1252", recode("cp1252"), ["airports.csv", "looks like cp1252", "UTF-8"]),
    ("UTF-16", recode("utf-16"), ["airports.csv", "looks like utf-16"]),
    ("semicolons", rewrite("weather", lambda data: data.replace(b",", b";")), ["weather.csv", "delimiter ';'"]),
    ("tabs", rewrite("planes", lambda data: data.replace(b",", b"\t")), ["planes.csv", r"delimiter '\t'"]),
    (
        "a header with another case",
        rewrite("weather", lambda data: data.replace(b"origin,", b"Origin,", 1)),
        ["weather.csv.origin", "'Origin' looks like it"],
    ),
    (
        "rows with too few columns",
        rewrite("weather", lambda data: data + b"EWR,2013\n"),
        ["weather.csv", "cannot be parsed"],
    ),
]


@pytest.mark.parametrize(("corrupt", "words"), [case[1:] for case in FILE_CASES], ids=[case[0] for case in FILE_CASES])
def test_a_broken_file_is_refused_by_name(source: Path, corrupt: Callable[[Path], object], words: list[str]):
    corrupt(source)

    with pytest.raises(BadInput) as caught:
        ingest_tables(source, months=["2013-01"], digests={})

    assert all(word in str(caught.value) for word in words), caught.value


def test_a_byte_order_mark_is_stripped(source: Path):
    plain = ingest_tables(source, months=["2013-01"], digests={})
    rewrite("weather", lambda data: b"\xef\xbb\xbf" + data)(source)

    assert ingest_tables(source, months=["2013-01"], digests={})["weather"].equals(plain["weather"])


def test_words_among_the_numbers_of_a_file_reach_validation_as_text(source: Path):
    rewrite("weather", lambda data: data.replace(b",1012,", b",high,", 1))(source)

    weather = ingest_tables(source, months=["2013-01"], digests={})["weather"]

    assert weather["pressure"].type == pa.string()
    assert weather["temp"].type == pa.float64()


def test_changed_bytes_of_a_source_file_are_refused_with_both_digests(source: Path):
    rewrite("planes", lambda data: data.replace(b"BOEING", b"BOEIMG", 1))(source)

    with pytest.raises(BadInput, match=r"planes\.csv: got sha256 [0-9a-f]{64}, expected sha256 778962"):
        ingest_tables(source, months=["2013-01"])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[: len(data) // 2], "manifest says"),
        (emptied, "manifest says"),
        (lambda data: data[:4000] + bytes(64) + data[4064:], "manifest says"),
    ],
    ids=["half a file", "no bytes", "64 zero bytes"],
)
def test_a_damaged_partition_is_rejected_and_nothing_is_published(tmp_path: Path, damage, words):
    write_raw(tmp_path / "raw", real_tables())
    part = tmp_path / "raw" / "flights" / "part-2013-01.parquet"
    part.write_bytes(damage(part.read_bytes()))

    verdict = validate(
        raw=tmp_path / "raw", as_of="2014-01-03", clean=tmp_path / "clean", quarantine=tmp_path / "quarantine"
    )

    assert verdict["verdict"] == "rejected"
    assert "flights/part-2013-01.parquet" in verdict["reasons"][0]
    assert words in verdict["reasons"][0]
    assert list((tmp_path / "clean").iterdir()) == []


@cache
def labels_and_table() -> tuple[np.ndarray, pa.Table]:
    flights = real_tables()["flights"]
    delay = as_floats(flights["arr_delay"])
    return np.where(np.isnan(delay), np.nan, delay >= agreed.LATE_MINUTES), flights


def test_a_feature_that_knows_the_outcome_is_blocked():
    late, flights = labels_and_table()
    features = {name: as_floats(flights[name]) for name in ("dep_delay", "sched_dep_time", "distance")}

    findings = check_leaks(features, late, known_in_time=features, table="frame")

    assert [finding.column for finding in findings] == ["dep_delay"]
    assert findings[0].action == "BLOCK"
    assert "AUC of 0.885" in findings[0].message


@pytest.mark.parametrize("name", ["air_time", "arr_time", "dep_time"])
def test_a_feature_without_a_declared_availability_is_blocked(name: str):
    late, flights = labels_and_table()

    (finding,) = check_leaks({name: as_floats(flights[name])}, late, known_in_time=["distance"], table="frame")

    assert finding.action == "BLOCK"
    assert "declares" in finding.message


def test_the_catalogue_covers_every_source_file():
    assert {path.name for path in source_folder().iterdir()} >= set(FILES.values())
    assert set(SOURCE) == set(FILES)


def test_a_rejected_batch_writes_no_clean_table(tmp_path: Path):
    write_raw(tmp_path / "raw", SECONDS(real_tables()))

    verdict = validate(
        raw=tmp_path / "raw", as_of="2014-01-03", clean=tmp_path / "clean", quarantine=tmp_path / "quarantine"
    )

    assert verdict["verdict"] == "rejected"
    assert verdict["counts"]["flights"]["clean"] == 0
    assert list((tmp_path / "clean").iterdir()) == []
