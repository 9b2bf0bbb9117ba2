"""Measure what reading and planning large pipelines costs, and write the table into README.md.

Run as `python benchmarks/plan/run.py [ROUNDS]`. Each measurement is a process of its own.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from benchmarks.plan.specs import SHAPES, write_spec
from benchmarks.timing import environment, machine, write_section

if TYPE_CHECKING:
    from argosy.spec.model import Pipeline

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SIZES = (1_000, 3_000, 10_000)


@dataclass(frozen=True)
class Cost:
    """CPU seconds to read a file into a plan, look up what is ready, and unroll it; the most memory that was used."""

    read_s: float
    settle_s: float
    unroll_s: float
    peak_mb: float


def plan(path: Path) -> Cost:
    """Read, settle and unroll one file in this process; no step is executed."""
    from argosy.spec.read import read_pipeline

    began = time.process_time()
    pipeline = read_pipeline(path)
    read = time.process_time()
    _settle(pipeline)
    settled = time.process_time()
    _unroll(pipeline)
    ended = time.process_time()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(read - began, settled - read, ended - settled, peak_mb)


def _settle(pipeline: Pipeline) -> None:
    """Key and look up every step that is ready, against an empty store, as `argosy plan` does."""
    from argosy.launcher.closure import Roots
    from argosy.launcher.key import Project
    from argosy.launcher.launch import Context
    from argosy.launcher.store import open_store
    from argosy.local.runner import Run, settle

    with tempfile.TemporaryDirectory(prefix="plan-") as folder:
        place = Path(folder)
        store = open_store(str(place / "store"))
        project = Project(Roots(place), None, store.stamps)
        settle(Run(pipeline, {}, Context(store, project, "run", place, _never)))


def _never(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("planning executes nothing")


def _unroll(pipeline: Pipeline) -> None:
    """Bring the plan to its end as if each step had given 1."""
    from argosy.launcher.step import Outcome, Output
    from argosy.spec.plan import build_step, place_of
    from argosy.spec.resolution import reason_to_skip
    from argosy.spec.unrolling import Unrolling

    so_far = Unrolling(pipeline, {})
    while ready := so_far.ready():
        for instance in ready:
            if skip := reason_to_skip(instance.task.start, place_of(instance), so_far):
                raise RuntimeError(f"{instance.name}: {skip}")
            build_step(instance, so_far)
            so_far.end(instance, Outcome("ran", outputs={"Output": Output(1)}))


def measure(path: Path) -> Cost:
    """Plan a file in a new process."""
    return Cost(**json.loads(_child("--file", str(path))))


def _child(*arguments: str) -> str:
    """Run this file in a new process; this one stays small, since children inherit its peak of memory."""
    command = [sys.executable, str(HERE / "run.py"), *arguments]
    env = environment(PYTHONPATH=str(ROOT))
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout


def table(rows: list[tuple[str, int, float, Cost]]) -> str:
    """Return the figures in Markdown."""
    head = "| | tasks or rounds | YAML MB | read s | look up s | unroll s | peak MB |\n|---|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| {shape} | {size:,} | {mb:.1f} | {cost.read_s:.2f} | {cost.settle_s:.2f} | {cost.unroll_s:.2f} "
        f"| {cost.peak_mb:.0f} |\n"
        for shape, size, mb, cost in rows
    )


def main(rounds: int) -> None:
    """Measure and write."""
    before, rows = os.getloadavg()[0], []
    with tempfile.TemporaryDirectory(prefix="plan-") as work:
        for shape in SHAPES:
            for size in SIZES:
                path = Path(work) / f"{shape}-{size}.yaml"
                _child("--write", shape, str(size), str(path))
                print(f"{shape} of {size}", file=sys.stderr, flush=True)
                costs = [measure(path) for _ in range(rounds)]
                rows.append((shape, size, path.stat().st_size / 1e6, middle(costs)))
    note = (
        f"{machine()}; load average {before:.1f} before, {os.getloadavg()[0]:.1f} after. "
        f"Median of {rounds} processes each.\n\n"
    )
    write_section(HERE / "README.md", note + table(rows))


def middle(costs: list[Cost]) -> Cost:
    """Return the median of each figure."""
    fields = ("read_s", "settle_s", "unroll_s", "peak_mb")
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in fields))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--file", path]:
            print(json.dumps(vars(plan(Path(path)))))
        case ["--write", shape, size, path]:
            write_spec(shape, int(size), Path(path))
        case rounds:
            main(int(rounds[0]) if rounds else 3)
