"""Measure the same seven steps under Argosy and its peers, and write the table into README.md; then the shapes.

Run as `python benchmarks/orchestrators/run.py [ROUNDS]`. The peers are installed into `.venv-bench` on the first run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from benchmarks.orchestrators.peers import VENV, install_peers, pins
from benchmarks.orchestrators.shapes import run as shapes
from benchmarks.orchestrators.subjects import subjects
from benchmarks.timing import Cost, interleave, machine, median, write_section

HERE = Path(__file__).parent
STEPS = 7


def table(costs: dict[str, Cost]) -> str:
    """Return the rows in Markdown."""
    floor = costs["one process, fresh"]
    rows = [
        "| | fresh CPU s / wall s | CPU s per step over one process | unchanged CPU s / wall s |",
        "|---|---|---|---|",
    ]
    for label, cost in costs.items():
        name, _, kind = label.rpartition(", ")
        if kind == "fresh":
            again = costs.get(f"{name}, unchanged")
            over = f"{(cost.cpu_s - floor.cpu_s) / STEPS:.2f}"
            rows.append(f"| {name} | {_pair(cost)} | {over} | {_pair(again) if again else '= fresh'} |")
    return "\n".join(rows) + "\n"


def findings(costs: dict[str, Cost]) -> str:
    """Return the comparisons that the project aims at, as they came out."""
    ours, compiled = costs["Argosy, fresh"], costs["Argosy, spec compiled before, fresh"]
    kfp, again = costs["kfp.local, cached, unchanged"], costs["Argosy, unchanged"]
    lines = [f"- Unchanged: Argosy takes {_ratio(again, kfp)} of kfp.local's cached run; the aim is at most 0.8."]
    for runner, aim in (("ParallelRunner", "; the aim is below 1"), ("SequentialRunner", ", which forks nothing")):
        peer = costs[f"Kedro {runner}, fresh"]
        lines.append(
            f"- Fresh: Argosy takes {_ratio(ours, peer)} of Kedro's {runner}{aim}; with the spec compiled before, "
            f"{_ratio(compiled, peer)}."
        )
    others = ("DVC", "Metaflow", "kfp.local, cached")
    lines += [f"- Fresh: Argosy takes {_ratio(ours, costs[f'{peer}, fresh'])} of {peer}." for peer in others]
    return "\n".join(lines) + "\n"


def versions() -> str:
    """Return what was compared, in one line."""
    pinned = pins()
    peers = ", ".join(f"{name} {pinned[name]}" for name in ("kedro", "dvc", "metaflow", "kfp"))
    same = ("pandas", "numpy", "pyarrow", "scikit-learn")
    differing = [name for name in same if metadata.version(name) != pinned[name]]
    libraries = ", ".join(f"{name} {pinned[name]}" for name in same)
    note = f"; but Argosy's environment has another {', '.join(differing)}" if differing else " in both environments"
    return f"Argosy {metadata.version('argosy')}, {peers}; {libraries}{note}"


def main(rounds: int) -> None:
    """Measure and write."""
    install_peers()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="orchestrators-") as work:
        found = subjects(Path(work), VENV)
        measured = interleave({subject.name: subject.once for subject in found}, rounds)
    order = [f"{subject.name}, {kind}" for subject in found for kind in ("fresh", "unchanged")]
    costs = {label: median(measured[label]) for label in order if label in measured}
    load = f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after"
    text = (
        f"{versions()}. {machine()}; {load}. Median of {rounds} interleaved rounds after one of warming up.\n\n"
        f"{table(costs)}\n{findings(costs)}"
    )
    write_section(HERE / "README.md", text)
    print(text)


def _pair(cost: Cost) -> str:
    return f"{cost.cpu_s:.2f} / {cost.wall_s:.2f}"


def _ratio(ours: Cost, theirs: Cost) -> str:
    return f"{ours.cpu_s / theirs.cpu_s:.2f} of the CPU and {ours.wall_s / theirs.wall_s:.2f} of the wall time"


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    main(asked)
    shapes.main(asked)
