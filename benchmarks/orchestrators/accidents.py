"""Do to Kedro and kfp.local what the second table of README.md says, and print what each executes afterwards.

Run as `python benchmarks/orchestrators/accidents.py` once `run.py` has installed the peers.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.orchestrators.peers import VENV
from benchmarks.orchestrators.subjects import subjects

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.orchestrators.subjects import Subject

# What each peer prints before it runs a step; colours are left out first.
EXECUTING = {"Kedro SequentialRunner": r"Running node: (\w+)", "kfp.local, cached": r"Executing task '([\w-]+)'"}
FEATURES = {"Kedro SequentialRunner": "data/features.parquet", "kfp.local, cached": "outputs/*/build-features/features"}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def executed(subject: Subject) -> list[str]:
    """Run a subject again and return the steps that it executes, with its exit code where it fails."""
    command = subject.again or subject.fresh
    ended = subprocess.run(
        command.arguments, cwd=command.folder, env={**command.env, "COLUMNS": "200"}, capture_output=True, text=True
    )
    steps = re.findall(EXECUTING[subject.name], COLOUR.sub("", ended.stdout + ended.stderr))
    return [*steps, *([f"exit code {ended.returncode}"] if ended.returncode else [])]


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that a file holds once."""
    text = file.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{file.name} holds {old!r} {text.count(old)} times")
    file.write_text(text.replace(old, new), encoding="utf-8")


def flip(file: Path) -> None:
    """Change one bit and keep size and time."""
    data, stat = file.read_bytes(), file.stat()
    file.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def accidents(project: Path, subject: Subject) -> dict[str, Callable[[], None]]:
    """Return what happens to a finished run, by name."""
    plain = project / "components/parcels"
    shell = project / "components/steps.py"

    def features() -> Path:
        return next(subject.fresh.folder.glob(FEATURES[subject.name]))

    def comment() -> None:
        edit(shell, '    """Fit the model."""', '    # It scales first.\n    """Fit the model."""')
        edit(plain / "models.py", '    """Fit a scaled', '    # It scales first.\n    """Fit a scaled')

    return {
        "comment": comment,
        "helper": lambda: edit(plain / "derive.py", '["hour"] >= 17', '["hour"] >= 19'),
        "deleted": lambda: features().unlink(),
        "garbage": lambda: features().write_bytes(b"garbage") and None,
        "flip": lambda: flip(features()),
    }


def main() -> None:
    """Print one line for each peer and accident."""
    with tempfile.TemporaryDirectory(prefix="accidents-") as place:
        work = Path(place) / "work"
        work.mkdir()
        found = [subject for subject in subjects(work, VENV) if subject.name in EXECUTING]
        for subject in found:
            subject.once()
        kept = Path(place) / "kept"
        shutil.copytree(work, kept, symlinks=True)
        for subject in found:
            for name, happen in accidents(work / "project", subject).items():
                happen()
                print(f"{subject.name}, {name}: {', '.join(executed(subject)) or 'nothing'}", flush=True)
                shutil.rmtree(work)
                shutil.copytree(kept, work, symlinks=True)


if __name__ == "__main__":
    main()
