"""`argosy status`, `logs` and `retry` of runs on a cluster; `retry` of runs on this machine, too."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_columns, print_json, print_line
from argosy.errors import Mistake
from argosy.local.records import find_run
from argosy.session import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.commands.following import Followed
    from argosy.session import Session


def print_status(run_id: str, namespace: str | None, *, watch: bool, store: str | None, as_json: bool) -> int:
    """Print how far a run has come, and keep how it ended once it has.

    Raises:
        Mistake: There is no such run on a cluster.

    """
    session = open_session(store=store)
    begun = find_run(session.store, run_id)
    if begun.get("target") != "argo":
        raise Mistake(f"run {begun['run']} ran on this machine; `argosy show {begun['run']}` shows it")
    # Not before now: the client of Kubernetes takes a second to import.
    from argosy.cluster import Cluster
    from argosy.commands.following import ending_of, finish, follow, look_at

    cluster = Cluster(namespace or begun.get("namespace"))
    if watch:
        return finish(follow(cluster, session, begun["run"]), session, as_json=as_json)
    found = look_at(cluster, session, begun["run"])
    if found.workflow is None:
        # What was kept of its end must not be overwritten by what is no longer known.
        raise Mistake(
            f"workflow {found.name}: it is gone from its cluster; `argosy show {found.name}` tells how it ended"
        )
    code = ending_of(found, session) if found.has_ended else 0
    rows = list(_rows(found))
    if as_json:
        steps = [dict(zip(("name", "status", "seconds", "message"), row, strict=True)) for row in rows]
        print_json({"run": found.name, "phase": found.phase, "exit_code": code, "steps": steps})
        return code
    print_line(f"{found.name}  {found.phase}")
    print_columns([("step", "status", "seconds", ""), *rows])
    return code


def print_log_of_pod(session: Session, begun: Mapping[str, Any], step: str, namespace: str | None) -> None:
    """Print what a step of a workflow wrote: from the store once it has ended, before that from its pod.

    Raises:
        Mistake: The run has no such step, or it has not started.

    """
    from argosy.cluster import Cluster
    from argosy.commands.following import attempts_of, look_at

    found = look_at(Cluster(namespace or begun.get("namespace")), session, begun["run"])
    outcome, attempts = found.outcomes.get(step), attempts_of(found, session, step)
    if outcome is not None and outcome.log:
        chunks = session.store.blob_chunks(outcome.log.removeprefix("sha256:"))
    elif attempts:
        chunks = found.cluster.log(attempts[-1].pod)
    else:
        known = sorted({*found.outcomes, *found.states})
        raise Mistake(f"step {step!r} has not started in {found.name}; those that have: {', '.join(known) or 'none'}")
    written = sum(sys.stdout.buffer.write(chunk) for chunk in chunks or ())
    if not written:
        sys.stderr.write(f"{step} wrote nothing that is left\n")


def retry_run(run_id: str, namespace: str | None, *, watch: bool, store: str | None, as_json: bool) -> int:
    """Run again what is left of a run, with its parameters, where it ran."""
    begun = find_run(open_session(store=store).store, run_id)
    asked, given = str(begun.get("asked") or begun["pipeline"]), begun.get("parameters", {})
    if begun.get("target") != "argo":
        from argosy.commands.run import run_pipeline
        from argosy.session import Request

        return run_pipeline(Request(asked, given), store=store, as_json=as_json)
    from argosy.commands.submit_argo import Asked, submit_pipeline

    where = namespace or begun.get("namespace")
    again = Asked(asked, given, where, watch=watch, fuse=bool(begun.get("fuse")))
    return submit_pipeline(again, store=store, as_json=as_json)


def _rows(found: Followed) -> Iterator[tuple[str, str, str, str]]:
    for task in found.run.pipeline.tasks:
        names = {name: None for name in (*found.outcomes, *found.states) if name.partition("[")[0] == task.name}
        for name in names or [task.name]:
            outcome = found.outcomes.get(name) or found.run.outcomes.get(name)
            if outcome is None:
                yield name, found.states.get(name, "waiting"), "", ""
            else:
                yield name, outcome.status, f"{outcome.seconds:.2f}", outcome.error or outcome.reason
