"""A small world of feeds, an online store that gets them late, and the log of a server that reads from it."""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from argosy.features.carried import carry
from argosy.features.online.rows import OnlineRow
from argosy.features.replay.replay import replay
from argosy.features.rules import RequestFeature, Rules
from argosy.features.vector import assemble
from tests.fakes.features import INSTANT, a_feature, a_view, rules_with

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_370_000_000_000_000 // DAY * DAY
DAYS = 4
ORIGINS = ("EWR", "JFK", "LGA")
TAILS = [f"N{number}" for number in range(40)]
SCHEDULE = {"max_lateness_s": 900, "materialize_every_s": 300, "run_budget_s": 120}
LAG = (900 + 300 + 120) * 1_000_000
TYPES = {
    "known_at": INSTANT, "origin": pa.string(), "tailnum": pa.string(), "temp": pa.float32(), "gust": pa.float32(),
    "rain": pa.float32(), "sky": pa.string(), "delay": pa.float32(), "ready_at": INSTANT, "last": pa.string(),
    "seats": pa.float32(),
}  # fmt: skip

Row = dict[str, Any]

RULES: Rules = rules_with(
    a_view(
        name="weather", source="weather", keys=["origin"], ttl_us=2 * HOUR, age_feature="weather_age_s", **SCHEDULE,
        features=[
            *(a_feature(name=name, field=name) for name in ("temp", "gust", "rain")),
            a_feature(name="sky", field="sky", dtype="String", type="category"),
        ],
    ),
    a_view(
        name="tail", source="tail", keys=["tailnum"], ttl_us=DAY, age_feature="tail_age_s", **SCHEDULE,
        features=[
            a_feature(name="delay", field="delay"),
            a_feature(name="slack", field="ready_at", dtype="UnixTimestamp", since="min"),
            a_feature(name="same", field="last", dtype="String", equals="dest"),
        ],
    ),
    a_view(
        name="planes", source="planes", keys=["tailnum"], ttl_us=None, age_feature=None, **SCHEDULE,
        features=[a_feature(name="seats", field="seats")],
    ),
    request=[
        RequestFeature("distance", "number", "schedule", "miles"),
        RequestFeature("dest", "category", "schedule", "airport"),
        RequestFeature("queue", "number", "now", "waiting", expires_with="weather"),
    ],
)  # fmt: skip


@dataclass
class Delivery:
    """A row as the online store gets it: when, and what became of it on its way."""

    arrives_at: int
    row: Row
    event: int = field(default=0)


def weather_rows(rng: random.Random) -> list[Row]:
    """Return hourly rows per origin, a gust in half of them."""
    return [
        {
            "origin": origin,
            "known_at": START + hour * HOUR,
            "temp": round(rng.gauss(60, 15), 1),
            "gust": round(rng.uniform(10, 40), 1) if rng.random() < 0.5 else None,
            "rain": float(np.float32(np.log1p(round(rng.uniform(0, 3), 2)))),
            "sky": rng.choice(["clear", "cloud", "fog"]),
        }
        for origin in ORIGINS
        for hour in range(-24, DAYS * 24)
    ]


def tail_rows(rng: random.Random) -> list[Row]:
    """Return some departures of each aircraft a day, at whole minutes."""
    rows = []
    for tail in TAILS:
        minutes = sorted(rng.sample(range(-1440, DAYS * 1440), 4 * (DAYS + 1)))
        for minute in minutes:
            at = START + minute * MINUTE
            ready = at + rng.randrange(60, 600) * MINUTE
            delay = float(rng.randrange(-20, 180))
            rows.append(
                {"tailnum": tail, "known_at": at, "delay": delay, "ready_at": ready, "last": rng.choice(["BOS", "SFO"])}
            )
    return rows


def world(seed: int = 1) -> dict[str, list[Row]]:
    """Return the rows of each source."""
    rng = random.Random(seed)
    planes = [
        {"tailnum": tail, "known_at": START - 9 * DAY, "seats": float(rng.randrange(50, 400))} for tail in TAILS[5:]
    ]
    return {"weather": weather_rows(rng), "tail": tail_rows(rng), "planes": planes}


def delivered(rows: dict[str, list[Row]], skew: Any, seed: int = 2) -> dict[str, list[Delivery]]:
    """Bring each row to the store within the lag, as a skew changes it; None is a row that never comes."""
    rng = random.Random(seed)
    found: dict[str, list[Delivery]] = {name: [] for name in rows}
    for name, each in rows.items():
        for row in each:
            arrives = row["known_at"] + rng.randrange(0, LAG + 1)
            made = skew(name, Delivery(arrives, dict(row), row["known_at"]))
            if made is not None:
                found[name].append(made)
    return found


class Held:
    """What the store holds of each entity at each instant: the newest event of all that arrived."""

    def __init__(self, key: str, rows: list[Delivery]) -> None:
        by_key: dict[str, list[Delivery]] = {}
        for each in sorted(rows, key=lambda each: each.arrives_at):
            by_key.setdefault(each.row[key], []).append(each)
        self._arrivals = {name: [each.arrives_at for each in rows] for name, rows in by_key.items()}
        newest = lambda one, two: two if two.event >= one.event else one  # noqa: E731
        self._newest = {name: list(accumulate(rows, newest)) for name, rows in by_key.items()}

    def at(self, key: str, at_us: int) -> Delivery | None:
        """Return what is held of an entity at an instant."""
        count = bisect_right(self._arrivals.get(key, []), at_us)
        return self._newest[key][count - 1] if count else None


def online_row(name: str, found: Delivery | None) -> OnlineRow | None:
    """Turn a delivery into what a store returns: float32, and instants in whole seconds."""
    if found is None:
        return None
    values = {
        key: float(np.float32(value))
        if isinstance(value, float)
        else value // 1_000_000
        if key == "ready_at"
        else value
        for key, value in found.row.items()
    }
    return OnlineRow((name,), found.event, None, values)


def some_requests(count: int, seed: int = 3) -> list[tuple[int, str]]:
    """Return instants of requests all over the days, and the origins that they ask for."""
    rng = random.Random(seed)
    return sorted((rng.randrange(START, START + DAYS * DAY), rng.choice(ORIGINS)) for _ in range(count))


def write_log(folder: Path, deliveries: dict[str, list[Delivery]], asked: list[tuple[int, str]]) -> None:
    """Serve requests from what was delivered, and log them as the server does."""
    rng, rules = random.Random(4), carry(RULES)
    keys = {view.name: view.keys[0] for view in rules.views}
    held = {name: Held(keys[name], rows) for name, rows in deliveries.items()}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "1.jsonl").open("w") as lines:
        for number, (at_us, origin) in enumerate(asked):
            entity = {
                "origin": origin,
                "tailnum": rng.choice([*TAILS, None, "N999"]),
                "distance": rng.uniform(100, 3000),
                "dest": rng.choice(["BOS", "SFO"]),
                "queue": float(rng.randrange(20)),
            }
            rows = [
                online_row(
                    view.name, held[view.name].at(entity[keys[view.name]], at_us) if entity[keys[view.name]] else None
                )
                for view in rules.views
            ]
            vector = assemble(rules, entity, rows, at_us)
            record = {
                "request_id": f"r{number}", "at_us": at_us, "model": "sha256:one", "entity": entity,
                "views": {name: seen[:2] for name, seen in vector.views.items()}, "features": vector.features,
                "decision": "predict", "probability": 0.5,
            }  # fmt: skip
            lines.write(json.dumps(record) + "\n")


def write_events(folder: Path, rows: dict[str, list[Row]]) -> None:
    """Write the sources as retrieval reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in rows.items():
        columns = {
            column: pa.array(
                [row[column] for row in each], pa.int64() if TYPES[column] == INSTANT else TYPES[column]
            ).cast(TYPES[column])
            for column in (each[0] if each else world()[name][0])
        }
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def replayed(folder: Path, skew: Any = lambda _name, delivery: delivery, *, count: int = 2000) -> dict[str, Any]:
    """Serve from a skewed store and replay what was served against the true rows."""
    rows = world()
    write_events(folder / "events", rows)
    write_log(folder / "served", delivered(rows, skew), some_requests(count))
    (folder / "features.json").write_text(RULES.to_json())
    return replay(served=folder / "served", events=folder / "events", features=folder / "features.json")


def changed(delivery: Delivery, **values: Any) -> Delivery:
    """Return the delivery with other values."""
    return replace(delivery, row={**delivery.row, **values})
