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
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Literal

from argosy.launcher.claims import Cancelled
from argosy.launcher.closure import source_closure
from argosy.launcher.key import step_key
from argosy.launcher.launch import Job, launch, look, observe
from argosy.launcher.step import Outcome
from argosy.local.debugger import debug
from argosy.local.imports import shared_imports
from argosy.local.processes import ForkServers
from argosy.local.reasons import reason_to_run
from argosy.spec.plan import build_step, readiness

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from argosy.launcher.executor import Request
    from argosy.launcher.key import Project
    from argosy.launcher.launch import Context
    from argosy.local.imports import Imports
    from argosy.spec.model import JsonValue, Pipeline, Task

Happening = Literal["started", "ended"]
Listener = Callable[[str, Happening, Outcome | None], None]
WAKE_S = 0.1


@dataclass
class Run:
    """The state of one run: what has ended, and when each task started.

    Attributes:
        outcomes: How each task ended, in the order of ending.
        started_s: Seconds from the start of the run to the start of each task that ran.
        debug: The step to run in this process, under the debugger.
        last_keys: Each task's key in the last run, to say why it has to run now.
        reasons: Why each task had to run.

    """

    pipeline: Pipeline
    arguments: Mapping[str, JsonValue]
    context: Context
    listen: Listener = lambda _name, _happening, _outcome: None
    debug: str | None = None
    last_keys: Mapping[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    started_s: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.tasks = {task.name: task for task in self.pipeline.tasks}
        self._order = {name: index for index, name in enumerate(self.tasks)}
        self._graph = TopologicalSorter({task.name: task.after for task in self.pipeline.tasks})
        self._graph.prepare()

    def ready(self) -> list[Task]:
        """Return the tasks that became ready since the last call, in plan order."""
        return [self.tasks[name] for name in sorted(self._graph.get_ready(), key=self._order.__getitem__)]

    def end(self, name: str, outcome: Outcome) -> None:
        """Note how a task ended and tell the listener."""
        self.outcomes[name] = outcome
        self._graph.done(name)
        self.listen(name, "ended", outcome)

    def start(self, name: str) -> None:
        """Note that a task started to run and tell the listener."""
        self.started_s[name] = time.monotonic() - self.began
        self.listen(name, "started", None)


def run_tasks(run: Run, *, concurrency: int | None = None) -> None:
    """Bring every task to its end.

    Raises:
        Cancelled: The run was interrupted; its children have ended.
        Mistake: A task cannot be keyed: its code cannot be parsed, or what it reads is missing.

    """
    jobs = settle(run)
    if jobs:
        _execute(run, deque(jobs), concurrency or os.cpu_count() or 1)


def settle(run: Run) -> list[Job]:
    """End every task that needs no process, and return the ready ones that have to run."""
    jobs = []
    while ready := run.ready():
        for task in ready:
            answer = readiness(task, run.arguments, run.outcomes)
            if answer.skip:
                run.end(task.name, Outcome("skipped", reason=answer.skip))
                continue
            step = build_step(task, run.arguments, run.outcomes)
            job = Job(step, step_key(step, run.context.project), run.context)
            outcome = observe(job) if step.kind == "observe" else look(job)
            if outcome is None:
                run.reasons[task.name] = reason_to_run(job, run.last_keys.get(task.name))
                jobs.append(job)
            else:
                run.end(task.name, outcome)
    return jobs


def _execute(run: Run, jobs: deque[Job], concurrency: int) -> None:
    remaining = [task for name, task in run.tasks.items() if name not in run.outcomes]
    imports = {task.name: _imports(task, run.context.project) for task in remaining}
    servers = ForkServers(run.context.cancelled, shared_imports(imports.values()))
    working: dict[Future[Outcome], str] = {}
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="step")
    try:
        while jobs or working:
            while jobs and len(working) < concurrency:
                job = jobs.popleft()
                name = job.step.name
                run.start(name)
                if name == run.debug:
                    run.end(name, launch(replace(job, context=replace(job.context, execute=debug))))
                    jobs.extend(settle(run))
                    continue
                server = servers.server_for(imports[name])
                working[pool.submit(_launch, run.tasks[name], job, servers, server)] = name
            servers.warm_up()
            done, _ = wait(working, timeout=WAKE_S, return_when=FIRST_COMPLETED)
            if run.context.cancelled():
                raise Cancelled
            for future in done:
                run.end(working.pop(future), future.result())
            if done:
                jobs.extend(settle(run))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        servers.close()


def _imports(task: Task, project: Project) -> tuple[str, ...]:
    """Return the third-party modules that a task's code imports."""
    return source_closure(task.component.executor.source or "", project.roots, project.stamps).third_party


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
