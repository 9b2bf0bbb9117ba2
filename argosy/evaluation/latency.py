"""Measure how fast a model answers: a measurement, never a value that a key depends on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.arrow import without_pandas
from argosy.errors import BadInput
from argosy.evaluation.evaluate import folder_bytes
from argosy.evaluation.frame import DAY, parts_between, read_rows
from argosy.serving.runtime import load_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from argosy.serving.runtime import Model

WARM_UP_CALLS = 50
MAX_CALLS = 5_000
ROUND_CALLS = 500
SINGLE_BUDGET_S = 0.6
BATCH_ROWS = 20_000
FIRST_DAY, LAST_DAY = "0000-01-01", "9999-12-31"


@without_pandas()
def measure(*, model: Path, frame: Path) -> dict[str, Any]:
    """Measure a model on rows of the frame's last month, on one thread.

    Args:
        model: The model folder.
        frame: The frame folder.

    Returns:
        `p50_us` and `p99_us` of one row through `predict_rows`, by the clock, of the quietest 500 of
        `n_calls`; `cpu_p99_us`, the processor time of all calls, which a busy machine does not lengthen;
        `rows_per_s` of a batch through `predict_table`; `load_ms`; `size_bytes` of the folder.

    Raises:
        BadInput: The frame has no rows.

    """
    started = time.perf_counter()
    loaded = load_model(model)
    load_s = time.perf_counter() - started
    part = parts_between(frame, FIRST_DAY, LAST_DAY)[-1]
    table = read_rows(part, loaded.feature_names, FIRST_DAY, LAST_DAY).slice(0, BATCH_ROWS).drop_columns([DAY])
    if not table.num_rows:
        raise BadInput(f"{part}: no rows to measure with")
    rows = table.select(loaded.feature_names).slice(0, ROUND_CALLS).to_pylist()
    clock_us, cpu_us = time_single_rows(loaded, rows).T
    p50_us, p99_us = quietest_quantiles(clock_us)
    return {
        "p50_us": round(p50_us, 1),
        "p99_us": round(p99_us, 1),
        "cpu_p99_us": round(float(np.quantile(cpu_us, 0.99)), 1),
        "n_calls": len(clock_us),
        "rows_per_s": round(batch_rows_per_s(loaded, table)),
        "load_ms": round(load_s * 1e3, 1),
        "size_bytes": folder_bytes(model),
    }


def time_single_rows(model: Model, rows: Sequence[Mapping[str, object]]) -> NDArray[np.float64]:
    """Time single calls, at most 5,000 of them or 0.6 s, warm-up left out.

    Returns:
        Microseconds by the clock and of the processor, shape (n_calls, 2).

    """
    for index in range(WARM_UP_CALLS):
        model.predict_rows([rows[index % len(rows)]])
    calls: list[tuple[int, int]] = []
    deadline = time.perf_counter() + SINGLE_BUDGET_S
    while len(calls) < MAX_CALLS and (not calls or time.perf_counter() < deadline):
        row = [rows[len(calls) % len(rows)]]
        clock, cpu = time.perf_counter_ns(), time.thread_time_ns()
        model.predict_rows(row)
        calls.append((time.perf_counter_ns() - clock, time.thread_time_ns() - cpu))
    return np.array(calls) / 1e3


def quietest_quantiles(calls_us: NDArray[np.float64]) -> tuple[float, float]:
    """Return median and 99th percentile of the round of 500 calls in which the latter is least.

    What other processes do to a call can only lengthen it, so the quietest round says most of the model.

    Examples:
        >>> quietest_quantiles(np.array([9.0] * 500 + [1.0] * 500))
        (1.0, 1.0)

    """
    n_rounds = max(1, len(calls_us) // ROUND_CALLS)
    rounds = [np.quantile(calls, [0.50, 0.99]) for calls in np.array_split(calls_us, n_rounds)]
    p50, p99 = min(rounds, key=lambda quantiles: float(quantiles[1]))
    return float(p50), float(p99)


def batch_rows_per_s(model: Model, table: pa.Table) -> float:
    """Return the rows per second of the better of two batches: the other one pays for cold caches."""
    seconds = []
    for _ in range(2):
        before = time.perf_counter()
        model.predict_table(table)
        seconds.append(time.perf_counter() - before)
    rows: int = table.num_rows
    return rows / min(seconds)
