"""Measure what a step, a start and an unchanged run cost, and write the table into README.md.

Run as `python benchmarks/overhead/run.py [ROUNDS]`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Command, Cost, environment, interleave, machine, measure, median, write_section

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ARGOSY = str(Path(sys.executable).with_name("argosy"))
FLIGHTS = ("components", "pipelines", "feature_repo", "pyproject.toml", "requirements.lock")
MONTH = ("flights-training", "-p", "profile=month")
SHORT, LONG = 7, 100


def chain(folder: Path, steps: int) -> dict[str, Cost]:
    """Run a chain of steps from an empty store, its spec compiled before, then unchanged."""
    command = _argosy(folder, "run", f"chain-{steps}", "--store", ".argosy/store")
    for name in ("store", "claims", "keys"):
        shutil.rmtree(folder / ".argosy" / name, ignore_errors=True)
    return {f"{steps} steps": measure(command), f"{steps} steps, unchanged": measure(command)}


def commands(folder: Path) -> dict[str, Cost]:
    """Measure the command line on the flights pipeline, all of whose steps are done."""
    return {
        "argosy --help": measure(_argosy(folder, "--help")),
        "argosy plan flights-training": measure(_argosy(folder, "plan", *MONTH)),
        "argosy run flights-training, unchanged": measure(_argosy(folder, "run", *MONTH)),
    }


def prepare(work: Path) -> tuple[Path, Path]:
    """Lay out the chains and a copy of the flights project that has run once; return both folders."""
    trivial, flights = work / "trivial", work / "flights"
    shutil.copytree(HERE / "project", trivial, ignore=shutil.ignore_patterns("__pycache__", ".argosy"))
    flights.mkdir()
    for name in FLIGHTS:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, flights / name)
    print("running flights-training once", file=sys.stderr, flush=True)
    measure(_argosy(flights, "run", *MONTH))
    return trivial, flights


def table(costs: dict[str, Cost]) -> str:
    """Return the figures in Markdown, each with what the project aims at."""
    step, start = _line(costs[f"{SHORT} steps"], costs[f"{LONG} steps"])
    step_again, start_again = _line(costs[f"{SHORT} steps, unchanged"], costs[f"{LONG} steps, unchanged"])
    rows = [
        ("a step, fresh", step, "50 ms"),
        ("a step, unchanged", step_again, ""),
        ("start and end of a run, fresh", start, ""),
        ("start and end of a run, unchanged", start_again, ""),
        ("`argosy --help`", costs["argosy --help"], "200 ms"),
        ("`argosy plan flights-training`", costs["argosy plan flights-training"], "500 ms"),
        ("`argosy run flights-training`, unchanged", costs["argosy run flights-training, unchanged"], "500 ms"),
    ]
    head = ["| | wall ms | CPU ms | aim (wall) |", "|---|---|---|---|"]
    return "\n".join([*head, *(f"| {name} | {_ms(cost)} | {aim} |" for name, cost, aim in rows)]) + "\n"


def main(rounds: int) -> None:
    """Measure and write."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="overhead-") as work:
        trivial, flights = prepare(Path(work))
        subjects = {
            "short": lambda: chain(trivial, SHORT),
            "long": lambda: chain(trivial, LONG),
            "commands": lambda: commands(flights),
        }
        measured = interleave(subjects, rounds)
    costs = {label: median(found) for label, found in measured.items()}
    text = (
        f"{machine()}; load average {before:.1f} before, {os.getloadavg()[0]:.1f} after. "
        f"Median of {rounds} interleaved rounds after one of warming up.\n\n{table(costs)}"
    )
    write_section(HERE / "README.md", text)
    print(text)


def _argosy(folder: Path, *arguments: str) -> Command:
    return Command([ARGOSY, *arguments], folder, environment())


def _line(short: Cost, long: Cost) -> tuple[Cost, Cost]:
    """Return slope and intercept of cost over steps: what one more step costs, and what none would."""
    steps = LONG - SHORT
    slope = Cost((long.cpu_s - short.cpu_s) / steps, (long.wall_s - short.wall_s) / steps)
    return slope, Cost(short.cpu_s - SHORT * slope.cpu_s, short.wall_s - SHORT * slope.wall_s)


def _ms(cost: Cost) -> str:
    return f"{cost.wall_s * 1000:.1f} | {cost.cpu_s * 1000:.1f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
