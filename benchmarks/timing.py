"""Times whole processes: CPU of the process and of every child it waited for, and wall-clock time."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# One thread per numeric library, so that CPU time means work and not threads that wait by spinning.
QUIET = {
    "DO_NOT_TRACK": "1",
    "KEDRO_DISABLE_TELEMETRY": "true",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Cost:
    """What one process cost: user and system time with its children's, and elapsed time."""

    cpu_s: float
    wall_s: float


@dataclass(frozen=True)
class Command:
    """A process to time."""

    arguments: Sequence[str]
    folder: Path
    env: Mapping[str, str]


def environment(**extra: str) -> dict[str, str]:
    """Return this process's variables without those that change how Python runs, and with telemetry off."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ARGOSY_", "MLFLOW_"))}
    return kept | QUIET | extra


def measure(command: Command) -> Cost:
    """Run a process to its end and return its cost.

    Raises:
        RuntimeError: It failed; the message holds the end of what it wrote.

    """
    with tempfile.TemporaryFile() as written:
        began = time.perf_counter()
        process = subprocess.Popen(
            command.arguments, cwd=command.folder, env=command.env,
            stdin=subprocess.DEVNULL, stdout=written, stderr=subprocess.STDOUT,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            written.seek(0)
            end = written.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command.arguments)} exited with {process.returncode}:\n{end}")
    return Cost(usage.ru_utime + usage.ru_stime, wall_s)


def interleave(subjects: Mapping[str, Callable[[], Mapping[str, Cost]]], rounds: int) -> dict[str, list[Cost]]:
    """Measure every subject once per round, starting each round with another, after one round of warming up.

    Args:
        subjects: What to call for one round of each subject; it returns its costs by label.
        rounds: How many rounds count.

    """
    found: dict[str, list[Cost]] = {}
    names = list(subjects)
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in (*names[turn:], *names[:turn]):
            costs = subjects[name]()
            if number > 0:
                for label, cost in costs.items():
                    found.setdefault(label, []).append(cost)
        load = os.getloadavg()[0]
        print(f"round {number} of {rounds}, load average {load:.1f}", file=sys.stderr, flush=True)
    return found


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median CPU and the median wall time."""
    return Cost(statistics.median(cost.cpu_s for cost in costs), statistics.median(cost.wall_s for cost in costs))


def machine() -> str:
    """Describe this machine in words that name no one."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} processors, {gib:.0f} GiB, {platform.system()} on {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def write_section(page: Path, text: str) -> None:
    """Replace what stands between the `measured` marks of a page."""
    start, end = "<!-- measured -->\n", "<!-- /measured -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(start)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{start}{text}{end}{after}", encoding="utf-8")
