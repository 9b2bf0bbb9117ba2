"""Runs a plan's tasks in parallel as far as the DAG and the machine allow.

First everything that is already done is settled in this process, which is all that an unchanged run does. Only if a
task is left are fork servers started.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from argosy.errors import Mistake, Outage
from argosy.launcher.claims import Cancelled
from argosy.launcher.closure import source_closure
from argosy.launcher.key import step_key
from argosy.launcher.launch import Job, launch, look, observe
from argosy.launcher.step import Outcome
from argosy.local.debugger import debug
from argosy.local.imports import shared_imports
from argosy.local.outside import is_outside, look_outside
from argosy.local.processes import ForkServers
from argosy.local.reasons import reason_to_run
from argosy.spec.model import Executor
from argosy.spec.plan import build_step, place_of
from argosy.spec.resolution import reason_to_skip
from argosy.spec.unrolling import Instance, Unrolling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from argosy.launcher.executor import Request
    from argosy.launcher.key import Project
    from argosy.launcher.launch import Context
    from argosy.launcher.step import Step
    from argosy.local.imports import Imports
    from argosy.spec.model import Pipeline, Task

Happening = Literal["started", "ended"]
Listener = Callable[[str, Happening, Outcome | None], None]
Todo: TypeAlias = tuple[Instance, Job]
WAKE_S = 0.1


@dataclass
class Run:
    """The state of one run: how far its plan has come, and when each step started.

    Attributes:
        arguments: What the pipeline is given: JSON values and artifacts.
        run_values: What only the run knows, by name.
        started_s: Seconds from the start of the run to the start of each step that ran.
        debug: The step to run in this process, under the debugger.
        last_keys: Each step's key in the last run, to say why it has to run now.
        reasons: Why each step had to run.
        elsewhere: Whether steps run on a cluster: then what is outside is looked at there.

    """

    pipeline: Pipeline
    arguments: Mapping[str, object]
    context: Context
    listen: Listener = lambda _name, _happening, _outcome: None
    debug: str | None = None
    last_keys: Mapping[str, str] = field(default_factory=dict)
    run_values: Mapping[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    started_s: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    elsewhere: bool = False

    def __post_init__(self) -> None:
        self.so_far = Unrolling(self.pipeline, self.arguments, self.run_values)

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """How each step ended, in the order of ending."""
        return self.so_far.outcomes

    def end(self, instance: Instance, outcome: Outcome) -> None:
        """Note how a step ended and tell the listener."""
        self.so_far.end(instance, outcome)
        self.listen(instance.name, "ended", outcome)

    def start(self, name: str) -> None:
        """Note that a step started to run and tell the listener."""
        self.started_s[name] = time.monotonic() - self.began
        self.listen(name, "started", None)


def run_tasks(run: Run, *, concurrency: int | None = None) -> None:
    """Bring every task to its end.

    Raises:
        Cancelled: The run was interrupted; its children have ended.
        Mistake: A task cannot be keyed: its code cannot be parsed, or what it reads is missing.

    """
    todo = settle(run)
    if todo:
        _execute(run, deque(todo), concurrency or os.cpu_count() or 1)


def settle(run: Run) -> list[Todo]:
    """End everything that needs no process, and return what is ready and has to run."""
    todo = []
    while ready := run.so_far.ready():
        for instance in ready:
            found = _outcome_or_step(run, instance)
            if found is None:
                continue
            if isinstance(found, Outcome):
                run.end(instance, found)
                continue
            job = Job(found, step_key(found, run.context.project), run.context)
            outcome = _observe(run, job) if found.kind == "observe" else look(job)
            if outcome is None:
                run.reasons[instance.name] = reason_to_run(job, run.last_keys.get(instance.name))
                todo.append((instance, job))
            else:
                run.end(instance, outcome)
    return todo


def _observe(run: Run, job: Job) -> Outcome | None:
    outcome = observe(job)
    # What does not answer here, such as a service inside the cluster, is observed by its pod.
    return None if run.elsewhere and outcome.exit_code == Outage.exit_code else outcome


def _outcome_or_step(run: Run, instance: Instance) -> Outcome | Step | None:
    try:
        if skip := reason_to_skip(instance.task.start, place_of(instance), run.so_far):
            return Outcome("skipped", reason=skip)
        if is_outside(instance.task):
            return None if run.elsewhere else look_outside(instance, run.so_far, run.context)
        return build_step(instance, run.so_far)
    except Mistake as error:
        # A value that came up in this run does not fit; what does not depend on it goes on.
        return Outcome("failed", error=str(error), exit_code=error.exit_code)


def _execute(run: Run, todo: deque[Todo], concurrency: int) -> None:
    remaining = [task for task in run.pipeline.tasks if not run.so_far.is_over(task.name) and not is_outside(task)]
    imports = {task.name: _imports(task, run.context.project) for task in remaining}
    # A task in a loop will most likely run more than once.
    wanted = [imports[task.name] for task in remaining for _ in range(2 if task.loops else 1)]
    servers = ForkServers(run.context.cancelled, shared_imports(wanted))
    working: dict[Future[Outcome], Instance] = {}
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="step")
    try:
        while todo or working:
            while todo and len(working) < concurrency:
                instance, job = todo.popleft()
                run.start(instance.name)
                if instance.name == run.debug:
                    run.end(instance, launch(replace(job, context=replace(job.context, execute=debug))))
                    todo.extend(settle(run))
                    continue
                server = servers.server_for(imports[instance.task.name])
                working[pool.submit(_launch, instance.task, job, servers, server)] = instance
            servers.warm_up()
            done, _ = wait(working, timeout=WAKE_S, return_when=FIRST_COMPLETED)
            if run.context.cancelled():
                raise Cancelled
            for future in done:
                run.end(working.pop(future), future.result())
            if done:
                todo.extend(settle(run))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        servers.close()


def _imports(task: Task, project: Project) -> tuple[str, ...]:
    """Return the third-party modules that a task's code imports."""
    executor = task.component.executor
    source = executor.source if isinstance(executor, Executor) else None
    return source_closure(source or "", project.roots, project.stamps).third_party


def _launch(task: Task, job: Job, servers: ForkServers, server: Imports) -> Outcome:
    def execute(request: Request, *, log: Path, lock: int, timeout_s: float | None) -> int:
        return servers.run(request, server, log=log, lock=lock, timeout_s=timeout_s)

    local = replace(job, context=replace(job.context, execute=execute))
    outcome = launch(local)
    if task.retry is None:
        return outcome
    for attempt in range(task.retry.max_count):
        # 2 is a mistake and 3 a verdict: both would come out the same again.
        if outcome.status != "failed" or outcome.exit_code in {2, 3}:
            break
        _pause(min(task.retry.backoff_s * task.retry.factor**attempt, task.retry.max_backoff_s), job.context)
        outcome = launch(local)
    return outcome


def _pause(seconds: float, context: Context) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if context.cancelled():
            raise Cancelled
        time.sleep(min(WAKE_S, max(0.0, until - time.monotonic())))
