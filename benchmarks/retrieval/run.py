"""Measure point-in-time retrieval beside a join written by hand and Feast's own store, and write README.md's tables.

Run as `python benchmarks/retrieval/run.py [ROUNDS]`. Every retrieval is a process of its own. Feast's store needs ibis,
which is installed beside the data from `requirements.txt` on the first run.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.retrieval.data import flights, synthetic
from benchmarks.retrieval.joins import LIMIT_CPU_S
from benchmarks.timing import environment, machine, write_section

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REQUIREMENTS = HERE / "requirements.txt"
SCRATCH = ROOT / ".argosy" / "benchmarks" / "retrieval"
VENV = SCRATCH / "venv"
SUBJECTS = {
    "bare": "ASOF by hand, in memory",
    "bare_written": "ASOF by hand, written as Parquet",
    "feast_ours": "Feast with our store",
    "argosy": "Argosy's retrieval, written as Parquet",
    "feast_duckdb": "Feast's duckdb store",
}
FLOOR = {"feast_ours": "bare", "argosy": "bare_written"}
VIEWS = {"weather": "weather", "all": "all 11 views"}
LINEAR = ("bare", "feast_ours")
SIZES = (100_000, 500_000, 1_000_000, 5_000_000)
Found = dict[str, Any]


def install() -> None:
    """Make the environment of Feast's own store, unless it was made from these requirements."""
    stamp = VENV / "requirements.txt"
    if stamp.is_file() and stamp.read_bytes() == REQUIREMENTS.read_bytes():
        return
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(VENV / "bin/python"), "-r", str(REQUIREMENTS)]
    subprocess.run(install, check=True)
    stamp.write_bytes(REQUIREMENTS.read_bytes())


def measure(subject: str, data: Path, views: str) -> Found:
    """Run one retrieval in a new process."""
    python = VENV / "bin/python" if subject == "feast_duckdb" else Path(sys.executable)
    command = [str(python), "-O", "-W", "ignore", str(HERE / "joins.py"), subject, str(data), views]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(PYTHONPATH=str(ROOT), TZ="UTC"))
    if done.returncode in {-signal.SIGKILL, -signal.SIGXCPU} and subject == "feast_duckdb":
        return {"stopped": True, "cpu_s": LIMIT_CPU_S}
    if done.returncode:
        raise RuntimeError(f"{subject} {views}: {done.stderr[-2000:]}")
    found: Found = json.loads(done.stdout.splitlines()[-1])
    print(f"{subject} {views}: {found}", file=sys.stderr, flush=True)
    return found


def middle(rounds: list[Found], what: str) -> float:
    """Return the median of one figure."""
    return statistics.median(each[what] for each in rounds)


def flights_table(rows: dict[tuple[str, str], list[Found]]) -> str:
    """Return the flights' figures in Markdown."""
    text = "| | " + " | ".join(f"{label}: CPU s / wall s / GB" for label in VIEWS.values())
    text += " | CPU over its floor | CPU of Feast's duckdb store over it |\n" + "|---" * (3 + len(VIEWS)) + "|\n"
    for subject, label in SUBJECTS.items():
        cells = " | ".join(figures(rows[subject, view]) for view in VIEWS)
        over = " / ".join(ratio(rows, subject, FLOOR[subject], view) for view in VIEWS) if subject in FLOOR else "-"
        under = "-"
        if subject != "feast_duckdb":
            under = " / ".join(ratio(rows, "feast_duckdb", subject, view) for view in VIEWS)
        text += f"| {label} | {cells} | {over} | {under} |\n"
    return text


def figures(rounds: list[Found]) -> str:
    """Write medians of CPU, wall time and memory."""
    if any("stopped" in each for each in rounds):
        return f"stopped at {LIMIT_CPU_S} s"
    return " / ".join(f"{middle(rounds, what):.2f}" for what in ("cpu_s", "wall_s", "peak_gb"))


def ratio(rows: dict[tuple[str, str], list[Found]], above: str, below: str, view: str) -> str:
    """Say how much more CPU one subject takes than another: the median of the rounds' own ratios."""
    pairs = list(zip(rows[above, view], rows[below, view], strict=True))
    stopped = any("stopped" in one and "stopped" not in other for one, other in pairs)
    return "> " * stopped + f"{statistics.median(one['cpu_s'] / other['cpu_s'] for one, other in pairs):.2f}"


def linear_table(rows: dict[tuple[str, int], Found]) -> str:
    """Return the synthetic figures in Markdown."""
    text = "\n| requests and rows | ASOF by hand, CPU s | Feast with our store, CPU s | us per request | peak GB |\n"
    text += "|---|---|---|---|---|\n"
    for size in SIZES:
        bare, ours = rows["bare", size], rows["feast_ours", size]
        text += f"| {size:,} | {bare['cpu_s']:.2f} | {ours['cpu_s']:.2f} | {ours['cpu_s'] / size * 1e6:.2f} "
        text += f"| {ours['peak_gb']:.2f} |\n"
    return text


def measure_flights(rounds: int) -> dict[tuple[str, str], list[Found]]:
    """Measure every subject on the flights, starting each round with another.

    Raises:
        RuntimeError: Two of them found something else.

    """
    data = flights(SCRATCH / "flights")
    rows: dict[tuple[str, str], list[Found]] = {(subject, view): [] for subject in SUBJECTS for view in VIEWS}
    names = list(SUBJECTS)
    for number in range(rounds):
        turn = number % len(names)
        for view in VIEWS:
            for subject in (*names[turn:], *names[:turn]):
                rows[subject, view].append(measure(subject, data, view))
    for view in VIEWS:
        require_same([each for subject in SUBJECTS for each in rows[subject, view]], view)
    return rows


def measure_linear() -> dict[tuple[str, int], Found]:
    """Measure synthetic rows of growing number."""
    found = {}
    for size in SIZES:
        data = synthetic(SCRATCH, size)
        for subject in LINEAR:
            found[subject, size] = measure(subject, data, "all")
        require_same([found[subject, size] for subject in LINEAR], f"{size} rows")
    return found


def require_same(found: list[Found], what: str) -> None:
    """Refuse results that differ."""
    sums = {each["checksum"] for each in found if "stopped" not in each}
    if len(sums) != 1:
        raise RuntimeError(f"{what}: checksums differ: {sums}")


def main(rounds: int) -> None:
    """Measure and write."""
    install()
    before = os.getloadavg()[0]
    tables = flights_table(measure_flights(rounds)) + linear_table(measure_linear())
    note = (
        f"{machine()}; load average {before:.1f} before, {os.getloadavg()[0]:.1f} after. Median of {rounds} "
        "interleaved rounds. CPU is of two threads, ratios are of CPU; all that ended gave the same checksum.\n\n"
    )
    write_section(HERE / "README.md", note + tables)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
