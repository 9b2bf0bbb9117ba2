"""`argosy submit` to Argo: plan here, hand over what is left, or find the workflow of the same plan that goes on."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from argosy.commands.compile import lock_of
from argosy.commands.following import finish, follow
from argosy.commands.printing import print_json, print_line
from argosy.commands.run import print_summary
from argosy.errors import ArgosyError, Mistake
from argosy.launcher.canonical import canonical_json
from argosy.launcher.key import code_part
from argosy.launcher.registration import now_text, run_path
from argosy.launcher.step import shown
from argosy.local.records import exit_code, result_document
from argosy.local.runner import settle
from argosy.project import load_settings
from argosy.session import load_spec, open_session, run_elsewhere
from argosy.spec.plan import code_key
from argosy.spec.read import read_pipeline
from argosy.spec.remaining import remaining

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.argo.submission import Submitted
    from argosy.cluster import Cluster
    from argosy.local.runner import Run
    from argosy.session import Session
    from argosy.spec.model import Pipeline

SETTINGS: Final = "argosy"
"""The config map that tells pods where the store, the registry and the server are."""


@dataclass(frozen=True)
class Asked:
    """What a person asked to submit, and where."""

    pipeline: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    namespace: str | None = None
    watch: bool = False
    fuse: bool = False


@dataclass(frozen=True)
class Planned:
    """A plan that is about to be handed over.

    Attributes:
        spec: The text that it was read from.
        left: What has to run.

    """

    asked: Asked
    session: Session
    spec: str
    run: Run
    left: Pipeline


def submit_pipeline(asked: Asked, *, store: str | None, as_json: bool) -> int:
    """Submit, print what became of it, and return the exit code of the process.

    Raises:
        Mistake: The pipeline or a parameter is wrong, the store is out of the reach of pods, or the cluster refuses.
        Outage: The cluster or the store did not answer.

    """
    # Not before now: the client of Kubernetes takes a second to import.
    from argosy.cluster import Cluster

    began = time.monotonic()
    cluster = Cluster(asked.namespace)
    settings = cluster.settings(SETTINGS)
    usual = load_settings(Path.cwd(), store=store).store
    planned = plan(asked, session_of(settings, store), settings)
    if not planned.left.tasks:
        document = result_document(planned.run, planned.run.context.run, seconds=time.monotonic() - began)
        _print_unchanged(document, as_json=as_json)
        return exit_code(planned.run, document)
    submitted = hand_over(cluster, planned, _own_env(settings, planned.session))
    _tell(planned, submitted, cluster)
    if planned.session.settings.store != usual:
        # Commands that look at runs ask no cluster which store is meant.
        _say(f"`argosy status {submitted.name} --store {planned.session.settings.store}` follows it")
    if asked.watch:
        return finish(follow(cluster, planned.session, submitted.name), planned.session, as_json=as_json)
    if as_json:
        told = {"target": "argo", "run": submitted.name, "namespace": cluster.namespace}
        print_json(told | {"attached": submitted.attached, "steps": [task.name for task in planned.left.tasks]})
    else:
        print_line(submitted.name)
    return 0


def plan(asked: Asked, session: Session, settings: Mapping[str, str]) -> Planned:
    """Settle all that is done already, and say what is left.

    Raises:
        ArgosyError: A step that only observes failed, or a value that is known does not fit.

    """
    spec = load_spec(asked.pipeline, session)
    run = run_elsewhere(session, read_pipeline(spec), asked.parameters, settings)
    settle(run)
    shutil.rmtree(session.settings.state / "scratch" / run.context.run, ignore_errors=True)
    for name, outcome in run.outcomes.items():
        if outcome.status == "failed":
            error = ArgosyError(f"{name}: {outcome.error}")
            error.exit_code = outcome.exit_code
            raise error
    return Planned(asked, session, spec, run, remaining(run.so_far))


def session_of(settings: Mapping[str, str], store: str | None) -> Session:
    """Open the project as the pods of a cluster will see it.

    Args:
        settings: What the config map of the cluster says.
        store: The store's URL, if a flag gave one.

    Raises:
        Mistake: The store is a folder that pods do not know under the same name.

    """
    os.environ.setdefault("MLFLOW_TRACKING_URI", settings.get("MLFLOW_TRACKING_URI", ""))
    if not os.environ["MLFLOW_TRACKING_URI"]:
        del os.environ["MLFLOW_TRACKING_URI"]
    session = open_session(store=store or os.environ.get("ARGOSY_STORE") or settings.get("ARGOSY_STORE"))
    found = session.settings.store
    if "://" not in found and found != settings.get("ARGOSY_STORE"):
        raise Mistake(
            f"store {found}: a folder of this machine, which pods do not reach; give --store s3://bucket/prefix, or "
            f"set ARGOSY_STORE in the config map {SETTINGS} of the namespace"
        )
    return session


def _own_env(settings: Mapping[str, str], session: Session) -> dict[str, str]:
    """Return what pods have to be told beside what the config map says."""
    ours = {"ARGOSY_STORE": session.settings.store, "MLFLOW_TRACKING_URI": os.environ.get("MLFLOW_TRACKING_URI", "")}
    # A registry in a file of this machine is none of theirs.
    told = {name: value for name, value in ours.items() if value and not value.startswith("sqlite:")}
    return {name: value for name, value in told.items() if settings.get(name) != value}


def hand_over(cluster: Cluster, planned: Planned, env: Mapping[str, str]) -> Submitted:
    """Submit what is left of a plan, and register the run."""
    from argosy.argo.arguments import with_arguments
    from argosy.argo.emit import emit
    from argosy.argo.submission import plan_name, submit_workflow
    from argosy.argo.wanted import Wanted
    from argosy.argo.workflow import manifest

    run, session = planned.run, planned.session
    arguments = {name: shown(value) for name, value in run.arguments.items()}
    wanted = Wanted(
        lock=lock_of(session.settings),
        planned=planned_code(run.pipeline, session),
        env=env,
        image=session.settings.image,
        fuse=planned.asked.fuse,
    )
    whole = manifest(run.pipeline, wanted)
    body = with_arguments(manifest(planned.left, replace(wanted, store=session.store)), arguments, planned.left)
    emit(body)  # it says what is lost or too large
    name = plan_name(run.pipeline.name, whole["spec"], arguments)
    submitted = submit_workflow(cluster, session.store, name, body)
    if not submitted.attached:
        _register(planned, submitted.name, cluster.namespace)
    return submitted


def planned_code(pipeline: Pipeline, session: Session) -> dict[str, str]:
    """Return, by component, the digest of the code that its steps are keyed with, and keep what it stands for."""
    found = {}
    for component in {task.component.name: task.component for task in pipeline.tasks}.values():
        if key := code_key(component, session.project):
            found[component.name] = "sha256:" + session.store.put_bytes(canonical_json(code_part(key.document)))
    return found


def _register(planned: Planned, name: str, namespace: str) -> None:
    """Keep what the run is, so that it can be shown and resumed from here or elsewhere."""
    store, run = planned.session.store, planned.run
    document = {
        "run": name,
        "pipeline": run.pipeline.name,
        "parameters": {name: shown(value) for name, value in run.arguments.items()},
        "started": now_text(),
        "target": "argo",
        "namespace": namespace,
        "asked": planned.asked.pipeline,
        "spec": "sha256:" + store.put_bytes(planned.spec.encode()),
        "fuse": planned.asked.fuse,
        "settled": {name: outcome.to_json() for name, outcome in run.outcomes.items()},
    }
    store.write_json(run_path(name), document)


def _tell(planned: Planned, submitted: Submitted, cluster: Cluster) -> None:
    done = sum(outcome.status in {"reused", "observed"} for outcome in planned.run.outcomes.values())
    happened = "goes on already; attached" if submitted.attached else "created"
    _say(
        f"workflow {submitted.name} {happened} in {cluster.namespace}: {len(planned.left.tasks)} tasks left, "
        f"{done} steps stand as they were"
    )


def _say(text: str) -> None:
    sys.stderr.write(f"argosy: {text}\n")


def _print_unchanged(document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({key: value for key, value in document.items() if key != "sections"})
    else:
        print_summary(document, "")
