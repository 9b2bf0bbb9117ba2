"""Measure what a read of one entity costs with and without the rule of TTL, and write the tables into README.md.

Run as `python benchmarks/online/run.py [REQUESTS]`.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.online.stores import (
    FLIGHTS,
    TTL_US,
    aged_rows,
    differing,
    feast_over,
    fill,
    redis_on,
    requests_of,
    wanted_by,
)
from benchmarks.timing import machine, write_section

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
WARM, ENTITIES, AIM = 300, 3_000, 1.2
PAIRS = {
    "Feast's store": "stock-{}",
    "ours in Feast": "{}",
    "Argosy, no Feast": "engine-{}",
}


def subjects(folder: Path, port: int) -> dict[str, Callable[[dict[str, Any]], object]]:
    """Open and fill each store; return how each answers a request."""
    from argosy.features.online.connect import open_online

    found: dict[str, Callable[[dict[str, Any]], object]] = {}
    registry = None
    urls = {"sqlite": f"sqlite:///{folder}/sqlite.db", "redis": f"redis://127.0.0.1:{port}/0"}
    for kind, url in urls.items():
        for name in (f"stock-{kind}", kind):
            store, service = feast_over(name, folder, port)
            fill(store, requests_of(FLIGHTS))
            # Feast remembers what a request resolves to for one registry of a process alone.
            store._registry = registry = registry or store.registry
            found[name] = lambda keys, store=store, service=service: store.get_online_features(service, [keys])
        engine, read = open_online(f"{url}?project=bench"), wanted_by(service)
        found[f"engine-{kind}"] = lambda keys, engine=engine, read=read: read(engine, keys)
    return found


def measure(answer: dict[str, Callable[[dict[str, Any]], object]], count: int) -> dict[str, list[float]]:
    """Put each request to all, and return the microseconds of each."""
    names, found = list(answer), {name: [] for name in answer}
    asked = requests_of(FLIGHTS)
    for number in range(WARM + count):
        keys, turn = asked[number % len(asked)], number % len(names)
        for name in (*names[turn:], *names[:turn]):
            began = time.perf_counter_ns()
            answer[name](keys)
            took = (time.perf_counter_ns() - began) / 1_000
            if number >= WARM:
                found[name].append(took)
    return found


def table(times: dict[str, list[float]]) -> str:
    """Return the figures in Markdown."""
    text = f"| store | reader | p50 us | p99 us | p50 to Feast's (aim: {AIM}) | p99 to Feast's |\n"
    text += "|---|---|---|---|---|---|\n"
    for kind in ("sqlite", "redis"):
        base = _quantiles(times[f"stock-{kind}"])
        for what, name in PAIRS.items():
            p50, p99 = _quantiles(times[name.format(kind)])
            text += f"| {kind} | {what} | {p50:.0f} | {p99:.0f} | {p50 / base[0]:.2f} | {p99 / base[1]:.2f} |\n"
    return text


def parity(folder: Path, port: int) -> str:
    """Count the cells that are not what the rule gives, in Markdown."""
    text = "| online store | differing, written in order | differing, written in any order |\n|---|---|---|\n"
    for number, name in enumerate(("stock-sqlite", "stock-redis", "sqlite", "redis")):
        text += f"| {name} |"
        for ordered in (True, False):
            rows = aged_rows(random.Random(7), ENTITIES, time.time_ns() // 1_000)  # noqa: S311 - it draws no secrets
            rows = sorted(rows, key=lambda row: row[1:3]) if ordered else rows
            wrong = differing(folder, port, name=name, view=f"aged{number}{ordered}", rows=rows)
            text += f" {wrong:,} of {ENTITIES:,} ({wrong / ENTITIES:.1%}) |"
        text += "\n"
    return text


def _quantiles(times: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def main(count: int) -> None:
    """Measure and write."""
    warnings.simplefilter("ignore")  # Feast announces what it will change
    before = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="online-")))
        port = stack.enter_context(redis_on(folder))
        times = measure(subjects(folder, port), count)
        cells = parity(folder, port)
    note = (
        f"{machine()}; load average {before:.1f} before, {os.getloadavg()[0]:.1f} after. {count:,} requests each; "
        f"TTL of the parity {TTL_US // 1_000_000} s.\n\n"
    )
    write_section(HERE / "README.md", f"{note}{table(times)}\n{cells}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3_000)
