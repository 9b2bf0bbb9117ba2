"""The subjects: how each orchestrator is started, what is removed before a fresh run, what a run makes."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timing import Command, Cost, environment, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent
ARGOSY = str(Path(sys.executable).with_name("argosy"))


@dataclass(frozen=True)
class Subject:
    """One row of the table.

    Attributes:
        fresh: The command of a run from nothing.
        again: The command of an unchanged run; None where there is no such thing.
        remove: What goes before a fresh run: paths under the command's folder.
        made: The pattern, under the command's folder, of the files that an executed step would write anew.

    """

    name: str
    fresh: Command
    again: Command | None
    remove: tuple[str, ...]
    made: str

    def once(self) -> Mapping[str, Cost]:
        """Run from nothing, then unchanged; return both costs.

        Raises:
            RuntimeError: The unchanged run executed something.

        """
        for name in self.remove:
            _remove(self.fresh.folder / name)
        costs = {f"{self.name}, fresh": measure(self.fresh)}
        if self.again is not None:
            before = self._files()
            costs[f"{self.name}, unchanged"] = measure(self.again)
            if not before or self._files() != before:
                raise RuntimeError(f"{self.name}: the unchanged run wrote outputs anew")
        return costs

    def _files(self) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in self.fresh.folder.glob(self.made) if path.is_file()}


def subjects(work: Path, venv: Path) -> list[Subject]:
    """Lay every subject out in a folder of its own and return them in the order of the table."""
    shutil.copytree(HERE / "project", work / "project", ignore=shutil.ignore_patterns("__pycache__", ".argosy"))
    env = environment(PYTHONPATH=str(work / "project"))
    makers: list[Callable[[], Subject]] = [
        lambda: _one_process(work, venv, env),
        lambda: _kedro(work, venv, env, "SequentialRunner"),
        lambda: _kedro(work, venv, env, "ParallelRunner"),
        lambda: _dvc(work, venv),
        lambda: _metaflow(work, venv, env),
        lambda: _kfp_local(work, venv, env),
        lambda: _argosy(work, "Argosy", remove=(".argosy",)),
        lambda: _argosy(
            work, "Argosy, spec compiled before", remove=(".argosy/store", ".argosy/claims", ".argosy/keys")
        ),
    ]
    return [make() for make in makers]


def _one_process(work: Path, venv: Path, env: Mapping[str, str]) -> Subject:
    folder = _folder(work, "one-process")
    fresh = Command([str(venv / "bin/python"), str(HERE / "one_process.py"), "files"], folder, env)
    return Subject("one process", fresh, None, ("files",), "files/*")


def _kedro(work: Path, venv: Path, env: Mapping[str, str], runner: str) -> Subject:
    folder = work / f"kedro-{runner}"
    shutil.copytree(HERE / "kedro_project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "conf/local").mkdir()
    fresh = Command([str(venv / "bin/kedro"), "run", f"--runner={runner}"], folder, env)
    again = Command([*fresh.arguments, "--only-missing-outputs"], folder, env)
    return Subject(f"Kedro {runner}", fresh, again, ("data",), "data/*")


def _dvc(work: Path, venv: Path) -> Subject:
    folder = work / "dvc"
    shutil.copytree(HERE / "dvc_project", folder)
    # The modules that the stages depend on lie inside the project, as DVC's users have them.
    (folder / "code").symlink_to(work / "project/components/parcels")
    path = os.pathsep.join([str(venv / "bin"), os.environ["PATH"]])
    env = environment(PYTHONPATH=str(work / "project"), PATH=path, DVC_SITE_CACHE_DIR=str(work / "dvc-site"))
    dvc = str(venv / "bin/dvc")
    measure(Command([dvc, "init", "--quiet", "--no-scm"], folder, env))
    measure(Command([dvc, "config", "core.analytics", "false"], folder, env))
    command = Command([dvc, "repro"], folder, env)
    return Subject("DVC", command, command, ("data", "dvc.lock", ".dvc/cache", ".dvc/tmp"), "data/*")


def _metaflow(work: Path, venv: Path, env: Mapping[str, str]) -> Subject:
    folder = _folder(work, "metaflow")
    told = {"USERNAME": "bench", "METAFLOW_HOME": str(work / "metaflow-home")}
    script = str(HERE / "metaflow_project/parcels_flow.py")
    fresh = Command([str(venv / "bin/python"), script, "run"], folder, {**env, **told})
    return Subject("Metaflow", fresh, None, (".metaflow",), ".metaflow/**/*")


def _kfp_local(work: Path, venv: Path, env: Mapping[str, str]) -> Subject:
    folder = _folder(work, "kfp-local")
    # The interpreter of the steps is whatever `python3` of the runner is: that of the peers' environment.
    command = Command([str(venv / "bin/python"), str(HERE / "kfp_local.py"), "."], folder, env)
    return Subject("kfp.local, cached", command, command, ("outputs", "workspace"), "outputs/parcels*/*/*")


def _argosy(work: Path, name: str, *, remove: tuple[str, ...]) -> Subject:
    folder = work / name.replace(" ", "-")
    shutil.copytree(HERE / "project", folder, ignore=shutil.ignore_patterns("__pycache__", ".argosy"))
    command = Command([ARGOSY, "run", "parcels", "--store", ".argosy/store"], folder, environment())
    return Subject(name, command, command, remove, ".argosy/store/blobs/**/*")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _folder(work: Path, name: str) -> Path:
    (work / name).mkdir()
    return work / name
