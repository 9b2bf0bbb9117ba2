"""The whole object: a Workflow, and the same as a WorkflowTemplate or a CronWorkflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.arguments import parameters
from argosy.argo.claims import is_claim
from argosy.argo.container import container_templates, launcher_images
from argosy.argo.dag import GUARD, ROOT, Names, dag_templates, guarded
from argosy.argo.fused import with_shared_pods
from argosy.argo.names import slug, unique
from argosy.argo.pod import NOT_OF_PODS, OF_PODS, RESTRICTED, pull_secrets
from argosy.argo.schedule import takes_schedule
from argosy.argo.scopes import read_scopes
from argosy.argo.sizes import require_handed
from argosy.argo.unsupported import refusal
from argosy.argo.workspace import workspace_claim
from argosy.errors import Mistake
from argosy.launcher.canonical import unsubstituted_json
from argosy.spec.model import Executor

if TYPE_CHECKING:
    from argosy.argo.scopes import Scopes
    from argosy.argo.wanted import Wanted
    from argosy.spec.model import Pipeline

API: Final = "argoproj.io/v1alpha1"
ACCOUNT: Final = "argosy"
WEEK_S: Final = 7 * 24 * 3600
EVERY_POD: Final = 9999
"""More pods than a run has: Kubernetes takes no share of pods that nothing scales."""
TIMES: Final = {
    "resourceTtlOnCompletion": "secondsAfterCompletion",
    "resourceTtlOnSuccess": "secondsAfterSuccess",
    "resourceTtlOnFailure": "secondsAfterFailure",
}

EXECUTOR: Final = unsubstituted_json(
    {
        kind: [{"name": name, "securityContext": {key: RESTRICTED[key] for key in NOT_OF_PODS}}]
        for kind, name in (("initContainers", "init"), ("containers", "wait"))
    }
)
"""Argo's own containers, which its controller makes under no profile: a namespace may demand one of all containers."""


def manifest(pipeline: Pipeline, wanted: Wanted) -> dict[str, Any]:
    """Return the manifest of a pipeline.

    Raises:
        Mistake: A schedule is missing, or stands where nothing is scheduled.
        Unsupported: The pipeline holds what does not compile to Argo.

    """
    if (wanted.kind == "CronWorkflow") is not bool(wanted.schedule):
        raise Mistake(
            f"--schedule: got {wanted.schedule or 'none'} with --kind {wanted.kind}; "
            "a CronWorkflow needs one, like '0 6 * * *', and nothing else takes one"
        )
    name, spec = slug(pipeline.name), workflow_spec(with_shared_pods(pipeline, wanted), wanted)
    described = {"annotations": {"workflows.argoproj.io/description": pipeline.description.replace("{{", "{ {")}}
    metadata: dict[str, Any] = described if pipeline.description else {}
    named = {"generateName": f"{name}-"} if wanted.kind == "Workflow" else {"name": name}
    if wanted.kind == "CronWorkflow":
        # A run that is late or long must not meet the next one.
        scheduled = {
            "schedules": [wanted.schedule],
            "timezone": wanted.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 600,
        }
        spec = {**scheduled, "workflowSpec": spec}
    return {"apiVersion": API, "kind": wanted.kind, "metadata": {**named, **metadata}, "spec": spec}


def workflow_spec(pipeline: Pipeline, wanted: Wanted) -> dict[str, Any]:
    """Return the `spec` of a Workflow."""
    scopes = read_scopes(pipeline, wanted.store, scheduled=wanted.kind == "CronWorkflow")
    loops, rounds = _loop_names(scopes)
    taken = {ROOT, GUARD, *loops.values(), *rounds.values()}
    containers, container_names = container_templates(scopes, taken, wanted)
    dags = dag_templates(scopes, Names(container_names, loops, rounds))
    spec: dict[str, Any] = {"entrypoint": ROOT, "serviceAccountName": ACCOUNT}
    given = [_scheduled(each, scopes) for each in parameters(pipeline)]
    if given:
        spec["arguments"] = {"parameters": given}
    spec |= _lifetime(pipeline) | workspace_claim(pipeline)
    if secrets := sorted({name for task in pipeline.tasks for name in pull_secrets(task)}):
        spec["imagePullSecrets"] = [{"name": name} for name in secrets]
    spec["securityContext"] = {key: RESTRICTED[key] for key in OF_PODS}
    spec["podSpecPatch"] = EXECUTOR
    spec["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    guard = [_guard(pipeline, wanted.image)] if guarded(scopes) else []
    spec["templates"] = [*dags, *containers, *guard]
    require_handed(spec["templates"], given)
    return spec


def _loop_names(scopes: Scopes) -> tuple[dict[str, str], dict[str, str]]:
    loops: dict[str, str] = {}
    for name in scopes.pipeline.loops:
        loops[name] = unique(scopes.loop_node(name), [ROOT, GUARD, *loops.values()])
    rounds: dict[str, str] = {}
    for name, template in loops.items():
        rounds[name] = unique(f"{template}-round", [ROOT, GUARD, *loops.values(), *rounds.values()])
    return loops, rounds


def _scheduled(parameter: dict[str, Any], scopes: Scopes) -> dict[str, Any]:
    """Return a parameter without a value of its own where a schedule gives one."""
    name = parameter["name"]
    return {"name": name, "value": ""} if scopes.scheduled and takes_schedule(scopes.pipeline, name) else parameter


def _lifetime(pipeline: Pipeline) -> dict[str, Any]:
    given: dict[str, Any] = dict(pipeline.platform)
    kept = {field: int(given[key]) for key, field in TIMES.items() if given.get(key)}
    spec: dict[str, Any] = {
        "ttlStrategy": kept or {"secondsAfterCompletion": WEEK_S},
        # The logs of what failed stay until the workflow goes.
        "podGC": {"strategy": "OnPodSuccess"},
        # No node is emptied while pods of the run work on it; it goes with the run.
        "podDisruptionBudget": {"minAvailable": EVERY_POD},
    }
    if seconds := given.get("activeDeadlineSeconds"):
        spec["activeDeadlineSeconds"] = int(seconds)
    return spec


def _guard(pipeline: Pipeline, image: str | None) -> dict[str, Any]:
    """Return the template that fails a run in which something failed and something else went on."""
    # Where no image is known to hold the launcher, programs are started by Python.
    executors = [task.component.executor for task in pipeline.tasks if not is_claim(task)]
    own = [executor.image for executor in executors if isinstance(executor, Executor)]
    images = [*launcher_images(pipeline, image), *own]
    if not images:
        raise refusal("tasks", "program", "nothing but claims of storage")
    said = "import sys; sys.exit('failed in spite of what ran afterwards: ' + sys.argv[1])"
    return {
        "name": GUARD,
        "inputs": {"parameters": [{"name": "ends"}]},
        "container": {
            "image": images[0],
            "command": ["python3", "-c", said],
            "args": ["{{inputs.parameters.ends}}"],
            "securityContext": dict(RESTRICTED),
        },
    }
