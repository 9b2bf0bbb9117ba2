"""One attempt at a step: its scratch folder, what its process is told, what it left behind."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.errors import StepFailed
from argosy.launcher.artifacts import Artifact, Artifacts, materialize, store_artifact
from argosy.launcher.canonical import fault_of, normal_json
from argosy.launcher.closure import LAUNCHER
from argosy.launcher.executor import Request
from argosy.launcher.key import declared_places
from argosy.launcher.logs import log_beside
from argosy.launcher.placeholders import render_argv
from argosy.launcher.step import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from argosy.launcher.key import Key, Project
    from argosy.launcher.step import Step
    from argosy.launcher.store import Store


@dataclass(frozen=True)
class Attempt:
    """A prepared scratch folder.

    Attributes:
        inputs_before: Size, times and inode of every input file, to notice a step that writes into its inputs.

    """

    folder: Path
    request: Request
    inputs_before: Mapping[Path, tuple[int, ...]]

    @property
    def log(self) -> Path:
        """The file that the step's stdout and stderr go to."""
        return log_beside(self.folder)


def prepare(step: Step, key: Key, project: Project, store: Store, *, folder: Path, env: Mapping[str, str]) -> Attempt:
    """Lay out inputs, source and request in an empty folder."""
    clear_folder(folder)
    for name in ("in", "out", "work"):
        (folder / name).mkdir(parents=True)
    source = folder / "source.py"
    source.write_text(step.source, encoding="utf-8")
    log_beside(folder).write_bytes(b"")
    root = project.roots.project
    library = project.roots.library
    executor_input = _executor_input(step, store, folder)
    request = Request(
        source_file=str(source),
        function=step.function,
        argv=tuple(render_argv(step.argv, executor_input)),
        executor_input=executor_input,
        scratch=str(folder),
        project=str(root),
        env=dict(env) | dict(step.env),
        modules=tuple(sorted(key.closure.modules)),
        files=tuple(str(path) for path in key.closure.paths),
        reads=tuple(str(place) for name in step.reads for place in declared_places(name, project.roots)),
        store=str(store.root or ""),
        outside=(
            str(folder.parent), str(store.root or folder), sys.prefix,
            *(str(library.joinpath(*name.split("."))) for name in LAUNCHER),
        ),
    )  # fmt: skip
    return Attempt(folder, request, _stamps(folder / "in"))


def clear_folder(folder: Path) -> None:
    """Remove a scratch folder with all that is in it, whatever modes a step's code gave to that."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.is_dir():
        return
    folder.chmod(0o700)
    for place, names, _ in os.walk(folder):
        for path in (Path(place, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def collect(step: Step, attempt: Attempt, store: Store) -> dict[str, Output]:
    """Read and store what a step left, checked against what it declared.

    Raises:
        StepFailed: A declared value is missing or of another type, or an input was written to.

    """
    now = _stamps(attempt.folder / "in")
    if changed := sorted(path.name for path, stamp in attempt.inputs_before.items() if now.get(path) != stamp):
        raise StepFailed(f"{step.name}: wrote into its inputs ({', '.join(changed)}); copy what has to change")
    written = _read_written(step, attempt.folder / "out" / "executor_output.json")
    measured = set(step.outputs) if step.is_measured else step.measurements
    outputs = {}
    for name in step.outputs:
        try:
            _require_own_files(attempt.folder / "out" / name, (attempt.folder, store.root or attempt.folder))
            value = _collect_output(step, name, written, folder=attempt.folder, store=store)
        except (ValueError, TypeError) as error:
            raise StepFailed(f"{step.name}: output {name!r} cannot be stored: {error}") from error
        outputs[name] = Output(value, measured=name in measured)
    return outputs


def _read_written(step: Step, file: Path) -> dict[str, Any]:
    """Read what kfp's executor writes when a function returns; a program may write the same, or anything else."""
    if not file.exists():
        if step.function and step.outputs:
            raise StepFailed(f"{step.name}: its process ended before its function returned, so nothing of it is kept")
        return {}
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        artifacts = {name: list(map(dict, each["artifacts"])) for name, each in written.get("artifacts", {}).items()}
        return {"parameterValues": dict(written.get("parameterValues", {})), "artifacts": artifacts}
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise StepFailed(f"{step.name}: wrote an {file.name} that is none: {error}") from error


def _executor_input(step: Step, store: Store, folder: Path) -> dict[str, Any]:
    parameters, artifacts = {}, {}
    for name, entry in step.inputs.items():
        if isinstance(entry.value, Artifact | Artifacts):
            places = _places(entry.value, folder / "in" / name)
            for artifact, place in places:
                materialize(store, artifact.digest, place)
            title = step.types.get(name)
            entries = [_artifact_entry(name, place, artifact.metadata, title) for artifact, place in places]
            artifacts[name] = {"artifacts": entries}
        else:
            parameters[name] = entry.value
    out = folder / "out"
    slots = step.outputs.items()
    return {
        "inputs": {"parameterValues": parameters, "artifacts": artifacts},
        "outputs": {
            "parameters": {name: {"outputFile": str(out / name)} for name, slot in slots if not slot.is_artifact},
            "artifacts": {
                name: {"artifacts": [_artifact_entry(name, out / name, {}, slot.type)]}
                for name, slot in slots
                if slot.is_artifact
            },
            "outputFile": str(out / "executor_output.json"),
        },
    }


def _places(value: Artifact | Artifacts, place: Path) -> list[tuple[Artifact, Path]]:
    if isinstance(value, Artifact):
        return [(value, place)]
    return [(item, place / str(number)) for number, item in enumerate(value.items)]


def _artifact_entry(name: str, path: Path, metadata: Mapping[str, Any], title: str | None) -> dict[str, Any]:
    # Without a type kfp makes what the function's annotation says: of an optional one, or one returned, it cannot.
    kind = {"type": {"schemaTitle": title}} if title else {}
    return {"name": name, "uri": str(path), "metadata": dict(metadata), **kind}


def _collect_output(step: Step, name: str, written: Mapping[str, Any], *, folder: Path, store: Store) -> Any:
    if not step.outputs[name].is_artifact:
        return _collect_value(step, name, written.get("parameterValues", {}), folder)
    entries = written.get("artifacts", {}).get(name, [])
    if step.outputs[name].is_list:
        return Artifacts(tuple(_collect_artifact(entry, folder / "out" / name, store) for entry in entries))
    return _collect_artifact(entries[0] if entries else {}, folder / "out" / name, store)


def _require_own_files(place: Path, own: tuple[Path, ...]) -> None:
    """Refuse links that lead out of the step's folders: no key holds what they lead to."""
    allowed = [folder.resolve() for folder in own]
    for path in filter(Path.is_symlink, (place, *place.rglob("*"))):
        # `Path.resolve` would raise where links go round in a circle.
        led = Path(os.path.realpath(path))
        if not any(led.is_relative_to(folder) for folder in allowed):
            raise ValueError(f"{path.name} is a link to {led}; copy what it should hold")


def _collect_artifact(entry: Mapping[str, Any], place: Path, store: Store) -> Artifact:
    # A function may also return an artifact that it made, with a place of its own.
    path = entry.get("custom_path") or entry.get("uri") or str(place)
    if "://" in path:
        raise ValueError(f"it points at {path}, and only files can be kept; write them to the output's path")
    return store_artifact(store, Path(path), entry.get("metadata") or {})


def _collect_value(step: Step, name: str, values: Mapping[str, Any], folder: Path) -> Any:
    file = folder / "out" / name
    if name in values:
        value = values[name]
    elif file.is_file():
        value = _read_value(file.read_text(encoding="utf-8"), step.outputs[name].type)
    else:
        raise StepFailed(f"{step.name}: returned no value for its output {name!r}")
    return normal_value(value, step.outputs[name].type, f"{step.name}: output {name!r}")


def _read_value(text: str, kind: str) -> Any:
    """Read what a step wrote into the file of an output, in the forms that Kubeflow reads: `True` and `05` too.

    Raises:
        ValueError: It is none of the output's type.

    """
    if kind == "STRING":
        return text
    if kind == "BOOLEAN" and text.strip() in TRUTH_VALUES:
        return TRUTH_VALUES[text.strip()]
    if kind in READ_NUMBER:
        with suppress(ValueError):
            return READ_NUMBER[kind](text)
    return json.loads(text)


def normal_value(value: Any, kind: str, place: str) -> Any:
    """Return a value as its declared type has it: 3.0 as 3 but for a double.

    Raises:
        StepFailed: The value is not of the declared type, or holds what JSON cannot carry.

    """
    if fault := fault_of(value):
        raise StepFailed(place + fault)
    value = normal_json(value)
    if kind == "NUMBER_DOUBLE" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    allowed = TYPES[kind]
    wrong_bool = isinstance(value, bool) and bool not in allowed
    if wrong_bool or not isinstance(value, allowed):
        raise StepFailed(f"{place}: got {value!r:.200}, allowed is {kind}")
    return value


READ_NUMBER: Mapping[str, Callable[[str], int | float]] = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float}
TRUTH_VALUES: Mapping[str, bool] = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
TYPES: Mapping[str, tuple[type, ...]] = {
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (float,),
    "STRING": (str,),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
}


def _stamps(folder: Path) -> dict[Path, tuple[int, ...]]:
    stats = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path: (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino) for path, stat in stats.items()}
