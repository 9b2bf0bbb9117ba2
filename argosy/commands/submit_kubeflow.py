"""`argosy submit`: hand a pipeline to Kubeflow, or find the run of the same plan that goes on."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from argosy.commands.compile import Manifest, manifest_of
from argosy.commands.printing import print_json, print_line
from argosy.errors import Mistake
from argosy.kubeflow.submission import Submitted, cron_of, plan_name, submit_recurring_run, submit_run
from argosy.kubeflow.watch import exit_code, follow
from argosy.session import open_session
from argosy.spec.arguments import bind_arguments
from argosy.spec.fields import Fields
from argosy.spec.model import ArtifactSlot, Parameter, Pipeline
from argosy.spec.signatures import read_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.kubeflow.client import Kubeflow
    from argosy.session import Session
    from argosy.spec.model import JsonValue


@dataclass(frozen=True)
class Asked:
    """What a person asked to submit, and where."""

    pipeline: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    experiment: str | None = None
    host: str | None = None
    namespace: str | None = None
    cron: str | None = None
    watch: bool = False


def submit_pipeline(asked: Asked, *, store: str | None, as_json: bool) -> int:
    """Submit, print what became of it, and return the exit code of the process.

    Raises:
        Mistake: The pipeline or a parameter is wrong, or the server refuses what was asked.
        Outage: The server did not answer.

    """
    if asked.cron and asked.watch:
        raise Mistake("--watch and --cron: a recurring run has no end to wait for; leave one out")
    cron = cron_of(asked.cron) if asked.cron else ""
    session = open_session(store=store)
    manifest = manifest_of(asked.pipeline, session, env=_env_of_pods(session))
    arguments = _arguments(manifest, asked.parameters)

    # Not before the plan is known to be sound: the client takes a second to import.
    from argosy.kubeflow.client import Kubeflow, Order

    pipeline = str(manifest.spec["pipelineInfo"]["name"])
    kubeflow = Kubeflow(asked.host or session.settings.kubeflow_host or "", asked.namespace)
    order = Order(
        name=plan_name(pipeline, manifest.document, arguments, cron),
        experiment=kubeflow.experiment(asked.experiment or pipeline),
        spec=manifest.document,
        arguments=arguments,
    )
    submitted = submit_recurring_run(kubeflow, order, cron, pipeline=pipeline) if cron else submit_run(kubeflow, order)
    _tell(kubeflow, submitted, recurring=bool(cron))
    if cron and "as_of" in arguments:
        _progress(
            f"as_of is {arguments['as_of']} each time: Kubeflow tells pipelines of version 2 no scheduled time; where "
            "it has to move, let a scheduler of your own call `argosy submit -p as_of=...`"
        )
    run = follow(kubeflow, submitted.run, _progress) if asked.watch else submitted.run
    url = kubeflow.url(run, recurring=bool(cron))
    if as_json:
        told = {"target": "kubeflow", "run": run.id, "name": run.name, "state": run.state, "url": url}
        others = [{"run": other.id, "name": other.name} for other in submitted.others]
        print_json(told | {"attached": submitted.attached, "tasks": dict(run.tasks), "others": others})
    else:
        print_line(url)
    return exit_code(run) if asked.watch else 0


def _arguments(manifest: Manifest, given: Mapping[str, Any]) -> dict[str, JsonValue]:
    slots = read_inputs(Fields(manifest.spec["root"], "root"))
    for name, slot in slots.items():
        if isinstance(slot, ArtifactSlot) and not slot.optional:
            raise Mistake(
                f"root.inputDefinitions.artifacts.{name}: Kubeflow's API takes no artifacts; import it by URI"
            )
    parameters = {name: slot for name, slot in slots.items() if isinstance(slot, Parameter)}
    return bind_arguments(Pipeline("", "", parameters, ()), given)


def _env_of_pods(session: Session) -> dict[str, str]:
    """Return what every pod is told: the store, where pods can reach it."""
    store = session.settings.store
    if "://" in store:
        return {"ARGOSY_STORE": store}
    sys.stderr.write(
        f"argosy: {store} is a folder of this machine; pods use the ARGOSY_STORE of their image, or submit with "
        "--store s3://bucket/prefix\n"
    )
    return {}


def _tell(kubeflow: Kubeflow, submitted: Submitted, *, recurring: bool) -> None:
    kind = "recurring run" if recurring else "run"
    done = "goes on already; attached" if submitted.attached else "created"
    _progress(f"{kind} {submitted.run.name} {done}")
    for other in submitted.others:
        _progress(f"{other.name} recurs too: {kubeflow.url(other, recurring=True)}")


def _progress(text: str) -> None:
    sys.stderr.write(f"argosy: {text}\n")
