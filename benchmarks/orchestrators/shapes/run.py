"""Measure trivial steps in several shapes under Argosy and kfp.local, and write the table into README.md.

Run as `python benchmarks/orchestrators/shapes/run.py [ROUNDS]`, or with the seven steps by `make bench`.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmarks.orchestrators.peers import VENV, install_peers, pins
from benchmarks.timing import Command, Cost, environment, interleave, machine, measure, median, write_section

HERE = Path(__file__).parent
ARGOSY = str(Path(sys.executable).with_name("argosy"))
# The steps of each shape, and how it is called in the table.
SHAPES = {
    "one": (1, "one step"),
    "chain": (5, "chain of 5"),
    "wide": (5, "5 side by side"),
    "reduced": (6, "5, and one on their results"),
    "loop": (5, "`ParallelFor` of 5, collected"),
}
RUNNERS = ("Argosy", "kfp.local")
AIM = 1 / 3


@dataclass(frozen=True)
class Runners:
    """Where both runners work; the specs are compiled before."""

    specs: Path
    argosy: Path
    kfp: Path

    def run(self, shape: str) -> dict[str, Cost]:
        """Run a shape from nothing under both; return both processes, and the call inside kfp.local's."""
        return {
            f"Argosy, {shape}": measure(self._argosy("run", shape)),
            f"kfp.local, {shape}": measure(self._kfp(shape)),
            # What the call costs in CPU lies in its children and is not told apart.
            f"call, {shape}": Cost(0.0, float((self.kfp / "call").read_text(encoding="utf-8"))),
        }

    def start(self) -> dict[str, Cost]:
        """Do everything up to the first step of the chain under both, and stop there."""
        return {
            "Argosy, start": measure(self._argosy("plan", "chain")),
            "kfp.local, start": measure(self._kfp("chain", "--start")),
        }

    def _argosy(self, verb: str, shape: str) -> Command:
        shutil.rmtree(self.argosy / ".argosy", ignore_errors=True)
        return Command([ARGOSY, verb, str(self.specs / f"{shape}.yaml")], self.argosy, environment())

    def _kfp(self, shape: str, *flags: str) -> Command:
        for name in ("outputs", "workspace"):
            shutil.rmtree(self.kfp / name, ignore_errors=True)
        arguments = [str(VENV / "bin/python"), str(HERE / "kfp_local.py"), str(self.specs / f"{shape}.yaml"), *flags]
        return Command(arguments, self.kfp, environment())


def prepare(work: Path) -> Runners:
    """Lay out both runners and compile the shapes."""
    runners = Runners(work / "specs", work / "argosy", work / "kfp-local")
    for folder in (runners.specs, runners.argosy, runners.kfp):
        folder.mkdir()
    (runners.argosy / "pyproject.toml").write_text("[tool.argosy]\n", encoding="utf-8")
    compiling = [str(VENV / "bin/python"), str(HERE / "pipelines.py"), str(runners.specs)]
    measure(Command(compiling, work, environment()))
    return runners


def whole(costs: dict[str, Cost]) -> str:
    """Return what whole processes took, in Markdown."""
    rows = ["| wall s | Argosy | kfp.local | ratio | kfp.local, the call alone |", "|---|---|---|---|---|"]
    for shape, (_, words) in SHAPES.items():
        ours, theirs = (costs[f"{name}, {shape}"].wall_s for name in RUNNERS)
        call = costs[f"call, {shape}"].wall_s
        rows.append(f"| {words} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} | {call:.2f} |")
    ours, theirs = (costs[f"{name}, start"].wall_s for name in RUNNERS)
    rows.append(f"| start, no step | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} | |")
    return "\n".join(rows) + "\n"


def per_step(costs: dict[str, Cost]) -> str:
    """Return what a step took, both ways, in Markdown."""
    rows = [
        "| ms per step | over start: Argosy | kfp.local | ratio | over one step: Argosy | kfp.local | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for shape, (steps, words) in SHAPES.items():
        if steps > 1:
            over_start = [_over(costs, f"{name}, {shape}", f"{name}, start", steps) for name in RUNNERS]
            over_one = [_over(costs, f"{name}, {shape}", f"{name}, one", steps - 1) for name in RUNNERS]
            rows.append(f"| {words} | {_milliseconds(*over_start)} | {_milliseconds(*over_one)} |")
    return "\n".join(rows) + "\n"


def findings(costs: dict[str, Cost]) -> str:
    """Return how the shapes of several steps stand to the aim."""
    several = [shape for shape, (steps, _) in SHAPES.items() if steps > 1]
    outer = [costs[f"Argosy, {shape}"].wall_s / costs[f"kfp.local, {shape}"].wall_s for shape in several]
    inner = [costs[f"Argosy, {shape}"].wall_s / costs[f"call, {shape}"].wall_s for shape in several]
    return (
        f"- Whole processes: Argosy takes {min(outer):.2f} to {max(outer):.2f} of kfp.local's wall time; the aim is at "
        f"most {AIM:.2f}.\n"
        f"- Argosy's whole process takes {min(inner):.2f} to {max(inner):.2f} of the call of the pipeline alone inside "
        f"kfp.local's process, with all imports done (mean {statistics.fmean(inner):.2f}).\n"
    )


def main(rounds: int) -> None:
    """Measure and write."""
    install_peers()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="shapes-") as work:
        runners = prepare(Path(work))
        subjects = {shape: lambda shape=shape: runners.run(shape) for shape in SHAPES}
        measured = interleave({**subjects, "start": runners.start}, rounds)
    costs = {label: median(found) for label, found in measured.items()}
    text = (
        f"Argosy {metadata.version('argosy')}, kfp {pins()['kfp']}. {machine()}; load average {before:.1f} before, "
        f"{os.getloadavg()[0]:.1f} after. Median of {rounds} interleaved rounds after one of warming up.\n\n"
        f"{whole(costs)}\n{per_step(costs)}\n{findings(costs)}"
    )
    write_section(HERE / "README.md", text)
    print(text)


def _over(costs: dict[str, Cost], more: str, less: str, steps: int) -> float:
    return (costs[more].wall_s - costs[less].wall_s) / steps


def _milliseconds(ours: float, theirs: float) -> str:
    return f"{1000 * ours:.0f} | {1000 * theirs:.0f} | {ours / theirs:.2f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
