"""Run every check on the raw flights tables: row by row, then against the reference period."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.validation import cells, labels, population, rows, shape, times
from argosy.validation.findings import Finding, is_rejected
from components.flights import checks
from components.flights import contract as agreed
from components.flights.ingestion import by_month

if TYPE_CHECKING:
    from datetime import datetime

    from argosy.validation.contract import Contract


@dataclass(frozen=True)
class Checked:
    """Tables after validation: sound rows (all rows where too many are faulty), rows set aside, findings."""

    sound: dict[str, pa.Table]
    aside: dict[str, pa.Table]
    findings: list[Finding]


def check_tables(tables: dict[str, pa.Table], *, as_of: datetime) -> Checked:
    """Run every check; a table whose shape is wrong is not looked into further, the others are."""
    sound, aside = {}, {}
    findings: list[Finding] = []
    for contract in agreed.CONTRACTS:
        if contract.table not in tables:
            missing = "the table is missing; deliver it"
            findings.append(Finding("missing table", contract.table, "", "REJECT", 0, 0, missing))
            continue
        table = tables[contract.table]
        found = shape.check_columns(table, contract)
        findings += found
        if not is_rejected(found):
            sound[contract.table], aside[contract.table], found = check_rows(table, contract, as_of=as_of)
            findings += found
    findings += check_populations(sound, as_of=as_of)
    return Checked(sound, aside, findings)


def check_rows(table: pa.Table, contract: Contract, *, as_of: datetime) -> tuple[pa.Table, pa.Table, list[Finding]]:
    """Check a table row by row: repeats, types, values, instants, and what its use case knows."""
    table = table.select([column.name for column in contract.columns])
    table, findings = rows.drop_repeats(table, contract.table, key=contract.key)
    table, found, faults = shape.settle_types(table, contract)
    findings += found
    # Before impossible values are emptied: in another unit all of them may be.
    for at, part in monthly(table, contract):
        findings += population.check_bands(part, contract, at=at)
    table, found = cells.null_impossible(table, contract)
    findings += found
    conflicts = rows.find_conflicts(table, contract.key)
    faults[f"({', '.join(contract.key)}) occurs again with other content"] = conflicts
    findings += rows.conflict_finding(conflicts, contract.table, contract.key)
    for found, more in (cells.find_faulty_rows(table, contract), times.find_future(table, contract, as_of=as_of)):
        findings += found
        faults |= more
    if contract.lags:
        findings += times.check_availability(table, contract, lag=agreed.LAGS[contract.table])
    if contract is agreed.FLIGHTS:
        findings += cells.record_nulls(table, contract, ["tailnum", "arr_delay"])
        findings += checks.check_flight_clocks(table) + checks.find_early_tails(table)
        found, more = checks.find_inconsistent_flights(table)
        findings += found
        faults |= more
    if contract is agreed.WEATHER:
        findings += checks.check_weather_clocks(table, conflicts)
    sound, aside, found = rows.set_aside(table, contract.table, faults, limit=agreed.QUARANTINE_LIMIT)
    # With too many faulty rows the rest is no sample of the batch: what is wrong shows in all of it.
    return (table if found else sound), aside, findings + found


def check_populations(tables: dict[str, pa.Table], *, as_of: datetime) -> list[Finding]:
    """Hold the sound rows against the reference period, month by month."""
    findings: list[Finding] = []
    for contract in agreed.CONTRACTS:
        if contract.table in tables:
            findings += population.check_categories(tables[contract.table], contract)
            for at, part in monthly(tables[contract.table], contract):
                findings += cells.check_null_budgets(part, contract, at=at)
    if "flights" in tables:
        findings += check_flights(tables["flights"], tables, as_of=as_of)
    if "flights" in tables and "airports" in tables:
        findings += checks.check_distances(tables["flights"], tables["airports"])
    if "weather" in tables:
        findings += check_weather(tables["weather"])
    return findings


def monthly(table: pa.Table, contract: Contract) -> list[tuple[str, pa.Table]]:
    """Split a table by month, where it has days; a fault of one month must not drown in a year."""
    has_days = contract in (agreed.FLIGHTS, agreed.WEATHER)
    return by_month(table) if has_days else [(contract.table, table)]


def check_flights(flights: pa.Table, tables: dict[str, pa.Table], *, as_of: datetime) -> list[Finding]:
    """Check volumes, keys into the other tables, and labels."""
    months = by_month(flights)
    limits = {
        f"{day} {origin}": allowed
        for month, _ in months
        for day in days_of(month)
        for origin, allowed in agreed.DAILY_FLIGHTS.items()
    }
    findings = population.check_volumes(count_by(flights, ["day", "origin"]), limits, "flights")
    past = pc.less_equal(flights["sched_dep_at"], pa.scalar(as_of, agreed.INSTANT))
    youngest = pc.max(flights["sched_dep_at"].filter(past)).as_py()
    findings += labels.check_maturity(youngest, agreed.LABEL, as_of=as_of) if youngest else []
    for month, part in months:
        findings += check_keys(part, tables, at=month)
        delay = cells.as_floats(part["arr_delay"])
        late = np.where(np.isnan(delay), np.nan, delay >= agreed.LATE_MINUTES)
        findings += labels.check_labels(late, agreed.LABEL, at=month) if len(late) else []
    return findings


def check_keys(flights: pa.Table, tables: dict[str, pa.Table], *, at: str) -> list[Finding]:
    """Check that tails, destinations and hours find as many partners as in the reference."""
    findings: list[Finding] = []
    for other, key, partner in (("planes", "tailnum", "tailnum"), ("airports", "dest", "faa")):
        if other in tables:
            keys = flights[key].drop_null()
            found = pc.is_in(keys, value_set=tables[other][partner].combine_chunks())
            findings += population.check_match(
                matched=pc.sum(found).as_py() or 0,
                total=len(keys),
                reference=agreed.MATCHES[other],
                place=("flights", key),
                at=f"{at} in {other}",
            )
    if "weather" in tables:
        hours = {"hours": pc.floor_temporal(flights["sched_dep_at"], unit="hour"), "origin": flights["origin"]}
        joined = pa.table(hours).join(
            tables["weather"].select(["origin", "event_at"]),
            keys=["origin", "hours"],
            right_keys=["origin", "event_at"],
            join_type="left semi",
        )
        findings += population.check_match(
            matched=joined.num_rows,
            total=flights.num_rows,
            reference=agreed.MATCHES["weather"],
            place=("flights", "sched_dep_at"),
            at=f"{at} in weather",
        )
    return findings


def check_weather(weather: pa.Table) -> list[Finding]:
    """Check the feed for outages, and its units and clock against physics."""
    findings: list[Finding] = []
    for month, part in by_month(weather):
        findings += checks.check_humidity(part, at=month) + checks.check_wind_unit(part, at=month)
        findings += checks.check_diurnal(part, at=month) + check_feed(part, month)
    return findings


def check_feed(weather: pa.Table, month: str) -> list[Finding]:
    """Record days without weather, and refuse a month that has too many."""
    segments = [f"{day} {origin}" for day in days_of(month) for origin in sorted(agreed.ORIGINS)]
    counts = count_by(weather, ["day", "origin"])
    missing = [max(0, 24 - counts.get(segment, 0)) for segment in segments]
    share = sum(missing) / (24 * len(segments))
    outages = [s for s, hours in zip(segments, missing, strict=True) if hours > agreed.OUTAGE_HOURS]
    if share > 1 - agreed.WEATHER_COVERAGE:
        message = f"{share:.1%} of the hours of {month} have no row, allowed {1 - agreed.WEATHER_COVERAGE:.0%}"
        return [Finding("feed", "weather", "", "REJECT", sum(missing), 24 * len(segments), message)]
    if outages:
        message = f"outage on {', '.join(outages[:6])}: over {agreed.OUTAGE_HOURS} hours without a row; values age out"
        return [Finding("feed", "weather", "", "WARN", sum(missing), 24 * len(segments), message)]
    return []


def count_by(table: pa.Table, columns: list[str]) -> dict[str, int]:
    """Count rows by the values of text columns, joined by a space."""
    counts = table.group_by(columns).aggregate([([], "count_all")]).to_pylist()
    return {" ".join(str(row[column]) for column in columns): row["count_all"] for row in counts}


def days_of(month: str) -> list[str]:
    """Return the days of a month, `2013-01` -> `2013-01-01` and on."""
    year, number = map(int, month.split("-"))
    return [f"{month}-{day:02}" for day in range(1, monthrange(year, number)[1] + 1)]
