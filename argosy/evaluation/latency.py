"""Measure how fast a model answers: a measurement, never a value that a key depends on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.errors import BadInput
from argosy.evaluation.evaluate import folder_bytes
from argosy.evaluation.frame import DAY, parts_between, read_rows
from argosy.serving.runtime import load_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from argosy.serving.runtime import Model

WARM_UP_CALLS = 50
MAX_CALLS = 5_000
SINGLE_BUDGET_S = 0.6
BATCH_ROWS = 20_000
FIRST_DAY, LAST_DAY = "0000-01-01", "9999-12-31"


def measure(*, model: Path, frame: Path) -> dict[str, Any]:
    """Measure a model on rows of the frame's last month, on one thread.

    Args:
        model: The model folder.
        frame: The frame folder.

    Returns:
        `p50_us` and `p99_us` of one row through `predict_rows`, over `n_calls`; `rows_per_s` of a batch
        through `predict_table`; `load_ms`; `size_bytes` of the folder.

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
    calls_us = time_single_rows(loaded, table.select(loaded.feature_names).slice(0, 500).to_pylist())
    return {
        "p50_us": round(float(np.quantile(calls_us, 0.50)), 1),
        "p99_us": round(float(np.quantile(calls_us, 0.99)), 1),
        "n_calls": len(calls_us),
        "rows_per_s": round(batch_rows_per_s(loaded, table)),
        "load_ms": round(load_s * 1e3, 1),
        "size_bytes": folder_bytes(model),
    }


def time_single_rows(model: Model, rows: Sequence[Mapping[str, object]]) -> list[float]:
    """Return the microseconds of single calls, at most 5,000 of them or 0.6 s, warm-up left out."""
    for index in range(WARM_UP_CALLS):
        model.predict_rows([rows[index % len(rows)]])
    calls_us: list[float] = []
    deadline = time.perf_counter() + SINGLE_BUDGET_S
    while len(calls_us) < MAX_CALLS and (not calls_us or time.perf_counter() < deadline):
        row = rows[len(calls_us) % len(rows)]
        before = time.perf_counter_ns()
        model.predict_rows([row])
        calls_us.append((time.perf_counter_ns() - before) / 1e3)
    return calls_us


def batch_rows_per_s(model: Model, table: pa.Table) -> float:
    """Return the rows per second of the better of two batches: the other one pays for cold caches."""
    seconds = []
    for _ in range(2):
        before = time.perf_counter()
        model.predict_table(table)
        seconds.append(time.perf_counter() - before)
    rows: int = table.num_rows
    return rows / min(seconds)
