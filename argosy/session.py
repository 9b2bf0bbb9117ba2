"""One command's work on this machine: settings, store and keyed project opened, pipelines loaded, runs made."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.errors import ArgosyError, Mistake, Unsupported
from argosy.features.online.rows import ELSEWHERE
from argosy.launcher.artifacts import Artifact, store_artifact, stored_artifact
from argosy.launcher.claims import Cancelled, try_lock
from argosy.launcher.launch import Context
from argosy.launcher.store import Store, open_store
from argosy.local.reasons import last_keys, remember_keys
from argosy.local.records import finish_run, new_run_id, register_run, result_document
from argosy.local.refusals import refusals
from argosy.local.runner import Run, run_tasks
from argosy.project import Settings, compiled_spec, keyed_project, load_settings
from argosy.serving.supervisor import status as serving_status
from argosy.spec.arguments import bind_arguments
from argosy.spec.fields import did_you_mean
from argosy.spec.model import ArtifactSlot
from argosy.spec.read import read_pipeline
from argosy.spec.starts import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.launcher.key import Project
    from argosy.spec.model import Pipeline


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    settings: Settings
    store: Store
    project: Project


@dataclass(frozen=True)
class Request:
    """What a person asked to run."""

    pipeline: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    force: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    debug: str | None = None
    concurrency: int | None = None


def open_session(*, store: str | None = None) -> Session:
    """Open the project that the working folder belongs to."""
    settings = load_settings(Path.cwd(), store=store)
    opened = open_store(settings.store, state=settings.state)
    # The registry is part of what names a registered version, and the served URL of what a deployment waits for.
    os.environ.setdefault("MLFLOW_TRACKING_URI", settings.tracking_uri)
    os.environ["ARGOSY_STORE"] = settings.store
    os.environ["ARGOSY_ONLINE"] = settings.online
    os.environ["ARGOSY_STATE"] = str(settings.state)
    os.environ["ARGOSY_PROJECT"] = str(settings.root)
    return Session(settings, opened, keyed_project(settings, opened.stamps))


def load_pipeline(name: str, session: Session) -> Pipeline:
    """Read a catalogued pipeline by name, or any PipelineSpec by the path of its file.

    Raises:
        Mistake: There is no such file or pipeline, or the spec cannot be read.

    """
    return read_pipeline(_file_of(name) or compiled_spec(name, session.settings, session.project))


def load_spec(name: str, session: Session) -> str:
    """Return the text of what `load_pipeline` reads."""
    file = _file_of(name)
    if file is not None:
        read_pipeline(file)  # it says what is wrong with the place of the file
        return file.read_text(encoding="utf-8")
    return json.dumps(compiled_spec(name, session.settings, session.project), sort_keys=True)


def _file_of(name: str) -> Path | None:
    if not name.endswith((".yaml", ".yml", ".json")):
        return None
    if not Path(name).is_file():
        raise Mistake(f"{name}: there is no such file; give a PipelineSpec or a name of the catalogue")
    return Path(name)


def serving_url(settings: Settings) -> str | None:
    """Return the URL that deployments wait for: the setting's, or that of the server running here."""
    if settings.serving_url:
        return settings.serving_url
    running = serving_status(settings.state / "serving.json")
    return str(running["url"]) if running.get("running") else None


def new_run(session: Session, request: Request) -> tuple[Run, str]:
    """Make a run of a pipeline, bound to its arguments; nothing has started yet.

    Raises:
        Mistake: The pipeline, a parameter or a named step does not exist, or a parameter has the wrong type.

    """
    pipeline = load_pipeline(request.pipeline, session)
    steps = [task.name for task in pipeline.tasks]
    for name in (*request.force, *request.only, *([request.debug] if request.debug else [])):
        if name.partition("[")[0] not in steps:
            near = did_you_mean(name, steps)
            raise Mistake(f"step {name!r} is not in {pipeline.name}{near}, which has: {', '.join(steps)}")
    if request.only:
        pipeline = _restricted(pipeline, request.only)
    arguments = _bound(pipeline, request.parameters)
    run_id = new_run_id(pipeline.name)
    url = serving_url(session.settings)
    context = Context(
        store=session.store,
        project=session.project,
        run=run_id,
        state=session.settings.state,
        execute=_no_execute,
        env=_told(url),
        forced=frozenset((*request.force, *([request.debug] if request.debug else []))),
    )
    last = last_keys(session.settings.state, pipeline.name)
    given = arguments | _artifacts(pipeline, arguments, session.store)
    told = _run_values(run_id, session.settings.state)
    return Run(pipeline, given, context, debug=request.debug, last_keys=last, run_values=told), run_id


TOLD = ("ARGOSY_STORE", "ARGOSY_ONLINE", "ARGOSY_SERVING_URL", "MLFLOW_TRACKING_URI")


def run_elsewhere(session: Session, pipeline: Pipeline, given: Mapping[str, Any], env: Mapping[str, str]) -> Run:
    """Make a run whose steps are started on a cluster; `env` is what its pods are told.

    Raises:
        Mistake: A parameter is unknown or missing, or has the wrong type.

    """
    arguments: dict[str, Any] = bind_arguments(pipeline, given)
    # The online store of this machine is not theirs, and a secret of the cluster may name theirs.
    told = {"ARGOSY_ONLINE": ELSEWHERE} | {name: env[name] for name in TOLD if name in env}
    run_id = f"plan-{new_run_id(pipeline.name)}"
    context = Context(session.store, session.project, run_id, session.settings.state, _no_execute, env=told)
    return Run(pipeline, arguments | _artifacts(pipeline, arguments, session.store), context, elsewhere=True)


def _bound(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments; what this machine lacks and what is wrong with the arguments is said at once.

    Raises:
        Unsupported: The machine lacks something.
        Mistake: It does not, and an argument is missing or wrong.

    """
    arguments: dict[str, Any] = {}
    wrong = []
    try:
        arguments = bind_arguments(pipeline, given)
    except Mistake as error:
        wrong.append(str(error))
    if refused := refusals(pipeline, arguments):
        raise Unsupported("\n".join([*refused, *wrong]))
    if wrong:
        raise Mistake(wrong[0])
    return arguments


def _artifacts(pipeline: Pipeline, arguments: Mapping[str, Any], store: Store) -> dict[str, Artifact]:
    """Return the artifacts that a run was given, by a path of this machine or a digest in the store."""
    slots = [name for name, slot in pipeline.inputs.items() if isinstance(slot, ArtifactSlot) and name in arguments]
    return {name: _artifact(name, arguments[name], store) for name in slots}


def _artifact(name: str, given: str, store: Store) -> Artifact:
    if given.startswith("sha256:"):
        return stored_artifact(store, given)
    path = Path(given)
    if not path.exists():
        raise Mistake(f"input {name!r}: {given}: there is no such file or folder; give one, or a digest (sha256:...)")
    return store_artifact(store, path, {})


def _run_values(run_id: str, state: Path) -> dict[str, str]:
    """Return what placeholders for the run stand for on this machine."""
    began = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "pipeline_job_name": run_id,
        "pipeline_job_resource_name": run_id,
        "pipeline_job_uuid": run_id,
        "pipeline_job_create_time_utc": began,
        "pipeline_job_schedule_time_utc": began,
        "pipeline_root": str(state / "scratch" / run_id),
        "workspace_path": str(state / "scratch" / run_id / "workspace"),
    }


def execute(session: Session, run: Run, run_id: str, request: Request) -> tuple[dict[str, Any], int | None]:
    """Run to the end; return the result document and the signal that interrupted the run, if one did."""
    began = time.monotonic()
    register_run(session.store, run, run_id)
    with _interruptible() as interruption, _scratch(session.settings.state, run_id):
        run.context = replace(run.context, cancelled=interruption.is_set)
        try:
            with suppress(Cancelled):
                run_tasks(run, concurrency=request.concurrency)
        except ArgosyError as error:
            _end_early(session.store, run, run_id, began=began, error=error)
            raise
        signal_number = interruption.number
    seconds = time.monotonic() - began
    document = result_document(run, run_id, seconds=seconds, interrupted=signal_number is not None)
    finish_run(session.store, run_id, document)
    remember_keys(session.settings.state, run.pipeline.name, run.outcomes)
    return document, signal_number


def _end_early(store: Store, run: Run, run_id: str, *, began: float, error: ArgosyError) -> None:
    """Write the end of a run that could not go on; without one it would be listed as going on for ever."""
    document = result_document(run, run_id, seconds=time.monotonic() - began)
    with suppress(ArgosyError):  # it may be the store that failed
        finish_run(store, run_id, document | {"status": "failed", "error": str(error)})


def _told(url: str | None) -> dict[str, str]:
    names = ("ARGOSY_STORE", "ARGOSY_STATE", "ARGOSY_PROJECT", "ARGOSY_ONLINE", "MLFLOW_TRACKING_URI")
    told = {name: os.environ[name] for name in names}
    return told | ({"ARGOSY_SERVING_URL": url} if url else {})


def _restricted(pipeline: Pipeline, names: tuple[str, ...]) -> Pipeline:
    """Keep the named steps and what they depend on."""
    needed = set(names)
    for task in reversed(pipeline.tasks):
        if task.name in needed:
            needed |= set(upstream(task, pipeline))
    tasks = tuple(task for task in pipeline.tasks if task.name in needed)
    loops = {name: pipeline.loops[name] for task in tasks for name in task.loops}
    return replace(pipeline, tasks=tasks, loops=loops, outputs={})


def _no_execute(*_: object, **__: object) -> int:
    raise AssertionError("a run's steps are executed by its fork servers")


class _Interruption(threading.Event):
    number: int | None = None


@contextmanager
def _interruptible() -> Iterator[_Interruption]:
    """Turn SIGINT and SIGTERM into a flag; a second one ends this process as usual."""
    interruption = _Interruption()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: object) -> None:
        interruption.number = number
        interruption.set()
        sys.stderr.write("argosy: ending the running steps; once more to give up at once\n")
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _scratch(state: Path, run_id: str) -> Iterator[None]:
    """Hold this run's scratch folder, and clear those of runs that were killed."""
    folder = state / "scratch"
    (folder / run_id / "workspace").mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{run_id}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try_lock(descriptor)
    try:
        for lock in folder.glob("*.lock"):
            _clear_if_dead(lock, own=lock.stem == run_id)
        yield
    finally:
        shutil.rmtree(folder / run_id, ignore_errors=True)
        (folder / f"{run_id}.lock").unlink(missing_ok=True)
        os.close(descriptor)


def _clear_if_dead(lock: Path, *, own: bool) -> None:
    if own:
        return
    with suppress(FileNotFoundError):
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            if try_lock(descriptor):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
