"""Measure what a Workflow of a long chain costs beside kfp's own compiling, and write the table into README.md.

Run as `python benchmarks/compile/run.py [ROUNDS]`. Each round is a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timing import environment, machine, write_section

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SIZES = (100, 1_000)
WARM = 10
AIM_RATIO, AIM_KB = 1 / 5, 900
Row = dict[str, float]


def translate(path: Path) -> str:
    """Return the Workflow of a file with a PipelineSpec."""
    from argosy.argo.emit import emit
    from argosy.argo.wanted import Wanted
    from argosy.argo.workflow import manifest
    from argosy.spec.read import read_pipeline

    return emit(manifest(read_pipeline(path), Wanted()))


def compile_both(tasks: int, *, kfp_first: bool) -> Row:
    """Compile a chain with kfp and translate it, in one order or the other, and return seconds and kilobytes."""
    from benchmarks.compile.pipeline import chain

    compile_to = chain(tasks)
    with tempfile.TemporaryDirectory(prefix="compile-") as folder:
        ready, written = Path(folder) / "ready.yaml", Path(folder) / "written.yaml"
        compile_to(ready)
        found: Row = {}
        turns: list[tuple[str, Callable[[], object]]] = [
            ("kfp_s", lambda: compile_to(written)),
            ("argosy_s", lambda: translate(ready)),
        ]
        for name, work in turns if kfp_first else reversed(turns):
            began = time.process_time()
            work()
            found[name] = time.process_time() - began
        return found | {"spec_kb": ready.stat().st_size / 1000, "argo_kb": len(translate(ready).encode()) / 1000}


def measure(tasks: int, number: int) -> Row:
    """Measure one round of one size in a new process."""
    command = [sys.executable, str(HERE / "run.py"), "--round", str(tasks), str(number)]
    env = environment(PYTHONPATH=str(ROOT))
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env).stdout)


def table(rows: dict[int, list[Row]]) -> str:
    """Return the figures in Markdown; the ratio is the median of each round's own."""
    text = f"| tasks | kfp s | Argosy s | ratio (aim: {AIM_RATIO}) | PipelineSpec KB | Workflow KB (aim: {AIM_KB}) |\n"
    text += "|---|---|---|---|---|---|\n"
    for tasks, rounds in rows.items():
        kfp, argosy, spec, argo = (middle(rounds, name) for name in ("kfp_s", "argosy_s", "spec_kb", "argo_kb"))
        ratio = statistics.median(each["argosy_s"] / each["kfp_s"] for each in rounds)
        text += f"| {tasks:,} | {kfp:.2f} | {argosy:.2f} | {ratio:.2f} | {spec:.0f} | {argo:.0f} |\n"
    return text


def middle(rounds: list[Row], name: str) -> float:
    """Return the median of one figure."""
    return statistics.median(each[name] for each in rounds)


def main(rounds: int) -> None:
    """Measure and write."""
    before = os.getloadavg()[0]
    rows: dict[int, list[Row]] = {tasks: [] for tasks in SIZES}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for tasks in SIZES:
            rows[tasks].append(measure(tasks, number))
    note = (
        f"{machine()}; load average {before:.1f} before, {os.getloadavg()[0]:.1f} after. "
        f"Median of {rounds} processes each.\n\n"
    )
    write_section(HERE / "README.md", note + table(rows))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--round", tasks, number]:
            compile_both(WARM, kfp_first=True)
            print(json.dumps(compile_both(int(tasks), kfp_first=int(number) % 2 == 0)))
        case rounds:
            main(int(rounds[0]) if rounds else 5)
