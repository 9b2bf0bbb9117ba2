"""Follow a workflow to its end, and keep how it ended as the store keeps every run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from argosy.argo.fused import members_of, with_shared_pods
from argosy.argo.scopes import read_scopes
from argosy.argo.status import StepNode, step_nodes
from argosy.argo.submission import GOING_ON, phase_of
from argosy.argo.wanted import Wanted
from argosy.commands.printing import print_json
from argosy.commands.run import print_summary, write_run_report
from argosy.errors import Mistake, Outage
from argosy.launcher.registration import PodEntry, read_pods, run_path
from argosy.launcher.step import Outcome
from argosy.local.live import Silence, progress_for
from argosy.local.records import exit_code, finish_run, result_document
from argosy.local.runner import Run
from argosy.session import run_elsewhere
from argosy.spec.plan import place_of
from argosy.spec.read import read_pipeline
from argosy.spec.remaining import remaining
from argosy.spec.resolution import reason_to_skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from argosy.argo.status import State
    from argosy.cluster import Cluster
    from argosy.local.live import Progress
    from argosy.session import Session

POLL_S: Final = 2.0
PATIENCE_S: Final = 300.0
REGISTERED_WITHIN: Final = 10
ENDED: Final = frozenset({"succeeded", "failed", "skipped"})


@dataclass
class Followed:
    """A workflow as far as it has come.

    Attributes:
        name: The workflow's, and the run's.
        run: The plan with how its steps ended, those before the submission included.
        names: The plan's name of each node.
        shared: The steps of each task that runs several in one pod.
        workflow: The object, as last seen; None where it is gone.
        outcomes: How each step ended, by its name in the plan.
        states: How each step stood when it was last looked at.

    """

    cluster: Cluster
    name: str
    run: Run
    names: Mapping[str, str]
    shared: Mapping[str, tuple[str, ...]]
    workflow: Mapping[str, Any] | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    @property
    def phase(self) -> str:
        """What Argo calls how the workflow stands; `Gone` where it was deleted."""
        return (phase_of(self.workflow) or "Pending") if self.workflow is not None else "Gone"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.phase not in GOING_ON


def read_followed(cluster: Cluster, session: Session, name: str) -> Followed:
    """Read what was submitted under the name of a workflow.

    Raises:
        Mistake: It was not submitted by `argosy submit`.

    """
    document = session.store.read_json(run_path(name)) or {}
    spec = session.store.read_blob(str(document.get("spec", "")).removeprefix("sha256:"))
    if spec is None:
        raise Mistake(f"run {name}: `argosy submit` did not start it; `argo get {name}` shows it")
    run = run_elsewhere(session, read_pipeline(spec.decode()), document["parameters"], {})
    settled = {name: Outcome.from_json(each) for name, each in document["settled"].items()}
    replay(run, settled)
    wanted = Wanted(fuse=bool(document.get("fuse")))
    left = with_shared_pods(remaining(run.so_far), wanted)
    nodes = read_scopes(left).node_names
    shared = {task.name: members_of(task) for task in left.tasks if members_of(task)}
    names = {nodes[task.name]: task.name for task in left.tasks}
    return Followed(cluster, name, run, names, shared, outcomes=settled)


def replay(run: Run, outcomes: Mapping[str, Outcome]) -> None:
    """Bring a run as far as it is known how its steps ended."""
    while ready := run.so_far.ready():
        for instance in ready:
            try:
                skip = reason_to_skip(instance.task.start, place_of(instance), run.so_far)
                outcome = Outcome("skipped", reason=skip) if skip else outcomes.get(instance.name)
            except Mistake as error:
                outcome = Outcome("failed", error=str(error), exit_code=error.exit_code)
            if outcome is not None:
                run.end(instance, outcome)


def follow(cluster: Cluster, session: Session, name: str, *, sleep: Callable[[float], None] = time.sleep) -> Followed:
    """Show how a workflow goes on until it ends.

    Raises:
        Outage: The cluster did not answer for five minutes. The workflow goes on without us.

    """
    found = _registered(cluster, session, name, sleep)
    progress = progress_for(found.run.pipeline)
    for step, outcome in found.outcomes.items():
        progress(step, "ended", outcome)
    silent_s = 0.0
    try:
        while not found.has_ended or found.workflow is None:
            try:
                found.workflow = cluster.workflow(name)
                silent_s = 0.0
            except Outage as error:
                if silent_s >= PATIENCE_S:
                    raise Outage(f"{error}; {name} goes on, `argosy status {name}` shows it") from error
                silent_s += POLL_S
            else:
                _note(found, session, progress)
                if found.workflow is None:
                    raise Mistake(f"workflow {name}: it was deleted while it went on; submit the pipeline again")
            if not found.has_ended:
                sleep(POLL_S)
        return found
    finally:
        progress.close()


def look_at(cluster: Cluster, session: Session, name: str) -> Followed:
    """Return how far a workflow has come."""
    found = read_followed(cluster, session, name)
    found.workflow = cluster.workflow(name)
    _note(found, session, Silence())
    return found


def finish(found: Followed, session: Session, *, as_json: bool) -> int:
    """Keep how a workflow ended, print it, and return the exit code that it means."""
    document = keep_result(found, session)
    report = write_run_report(session, document)
    if as_json:
        print_json({key: value for key, value in document.items() if key != "sections"})
    else:
        print_summary(document, report)
    return _exit_code(found, document)


def ending_of(found: Followed, session: Session) -> int:
    """Keep how a workflow ended, and return the exit code that it means."""
    return _exit_code(found, keep_result(found, session))


def attempts_of(found: Followed, session: Session, step: str) -> list[PodEntry]:
    """Return the attempts of a step, in the order of their beginning."""
    paths = [node.path for node in step_nodes(found.workflow or {}, found.names) if node.name == step]
    return [entry for entry in read_pods(session.store, found.name) if any(_is_of(entry.node, path) for path in paths)]


def keep_result(found: Followed, session: Session) -> dict[str, Any]:
    """Write how a workflow ended, as it is written of every run, and return it."""
    # From the start again: what was settled before the submission and what pods told are one run.
    found.run = Run(found.run.pipeline, found.run.arguments, found.run.context, elsewhere=True)
    replay(found.run, found.outcomes)
    status = (found.workflow or {}).get("status", {})
    document = result_document(found.run, found.name, seconds=_seconds(status)) | {"target": "argo"}
    if found.phase != "Succeeded" and document["status"] == "succeeded":
        # Not a step, but the workflow: its deadline, its stop, its quota.
        document |= {"status": "failed", "error": str(status.get("message", "")) or f"the workflow is {found.phase}"}
    finish_run(session.store, found.name, document)
    return document


def _exit_code(found: Followed, document: Mapping[str, Any]) -> int:
    return exit_code(found.run, document) or int(document["status"] == "failed")


def _registered(cluster: Cluster, session: Session, name: str, sleep: Callable[[float], None]) -> Followed:
    """Read a submission; whoever attaches to that of a twin may come before the twin has registered it."""
    for _ in range(REGISTERED_WITHIN):
        if "spec" in (session.store.read_json(run_path(name)) or {}):
            break
        sleep(POLL_S)
    return read_followed(cluster, session, name)


def _note(found: Followed, session: Session, progress: Progress) -> None:
    """Note how the steps stand, and tell what is new; a pod that left no word is told of by the controller."""
    every = list(step_nodes(found.workflow or {}, found.names))
    nodes, shared = ([node for node in every if (node.name in found.shared) is among] for among in (False, True))
    pods: list[PodEntry] = []
    if shared or any(node.state in ENDED and found.states.get(node.name) not in ENDED for node in nodes):
        pods = read_pods(session.store, found.name)
    for node in shared:
        nodes += _within(node, found.shared[node.name], pods)
    for node in nodes:
        before, found.states[node.name] = found.states.get(node.name), node.state
        if node.state == "running" and before != "running":
            progress(node.name, "started", None)
        elif node.state in ENDED and before not in ENDED:
            found.outcomes[node.name] = _outcome_of(node, pods)
            progress(node.name, "ended", found.outcomes[node.name])


def _within(node: StepNode, steps: Sequence[str], pods: Sequence[PodEntry]) -> Iterator[StepNode]:
    """Yield how the steps stand that share the pod of a node: by their own word, or by how the pod ended."""
    told = {entry.step: entry for entry in pods if entry.step and _is_of(entry.node, node.path)}
    for step, entry in told.items():
        if entry.outcome is None:
            yield StepNode(step, entry.node, "running" if node.state == "running" else node.state, node.message)
        else:
            fate: State = "failed" if entry.outcome.exit_code else "succeeded"
            yield StepNode(step, entry.node, "skipped" if entry.outcome.status == "skipped" else fate)
    if node.state == "failed" and not any(entry.outcome and entry.outcome.exit_code for entry in told.values()):
        # Where all have told that they went well, what failed is the workflow, and no step of it.
        yield from (
            StepNode(step, node.path, "failed", node.message) for step in [s for s in steps if s not in told][:1]
        )


def _outcome_of(node: StepNode, pods: Iterable[PodEntry]) -> Outcome:
    if node.state == "skipped":
        return Outcome("skipped", reason=node.message)
    mine = [entry for entry in pods if _is_of(entry.node, node.path) and entry.step in {"", node.name}]
    told = [entry.outcome for entry in mine if entry.outcome]
    if told and (told[-1].exit_code != 0) == (node.state == "failed"):
        return told[-1]
    return Outcome("failed", error=node.message or "its pod left no word", exit_code=1)


def _is_of(attempt: str, path: str) -> bool:
    """Say whether a node is an attempt of the node at a path: the same one, or one with a number behind it."""
    return attempt == path or attempt.startswith(f"{path}(")


def _seconds(status: Mapping[str, Any]) -> float:
    began, ended = status.get("startedAt"), status.get("finishedAt")
    if not began or not ended:
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
