"""Hand a plan to Argo once: whoever submits it again is attached to the workflow that goes on.

A workflow is named by its plan, and no two can have one name: of twins that submit at once one creates it and the other
finds it there. A plan that has ended gets `-2`, `-3` and so on behind its name.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from argosy.argo.names import slug
from argosy.cluster import Exists
from argosy.errors import Outage
from argosy.launcher.canonical import digest_of
from argosy.launcher.registration import run_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.cluster import Cluster
    from argosy.launcher.store import Store

GOING_ON: Final = frozenset({"", "Pending", "Running"})
TOKEN: Final = "argosy/submission"  # noqa: S105  # tells an answer that was lost from a twin
PIPELINE: Final = "argosy/pipeline"
DIGITS: Final = 10


@dataclass(frozen=True)
class Submitted:
    """What became of a submission: the name of the workflow, and whether it was there before."""

    name: str
    attached: bool


def plan_name(pipeline: str, *identity: Any) -> str:
    """Name a plan: the pipeline, and a short digest of all that is run."""
    digest = digest_of(list(identity)).removeprefix("sha256:")
    return f"{slug(pipeline)[:40].rstrip('-')}-{digest[:DIGITS]}"


def submit_workflow(cluster: Cluster, store: Store, name: str, body: Mapping[str, Any]) -> Submitted:
    """Start a workflow of a plan, or find the one that goes on.

    Args:
        cluster: Where it runs.
        store: Where runs are registered, those too whose workflow is gone.
        name: The plan's.
        body: The manifest; its name is set here.

    """
    for number in count(1):
        named = name if number == 1 else f"{name}-{number}"
        # In this order: a run is registered after its workflow was created.
        was_run = store.read_json(run_path(named)) is not None
        found = cluster.workflow(named)
        if found is None and not was_run:
            made = _create(cluster, named, body)
            if isinstance(made, Submitted):
                return made
            found = made
        if found is not None and phase_of(found) in GOING_ON:
            return Submitted(named, attached=True)
    raise AssertionError("numbers do not end")


def phase_of(workflow: Mapping[str, Any]) -> str:
    """Return the phase of a workflow; empty where the controller has not seen it yet."""
    return str(workflow.get("status", {}).get("phase", ""))


def _create(cluster: Cluster, name: str, body: Mapping[str, Any]) -> Submitted | dict[str, Any] | None:
    """Create a workflow, or return the one that a twin created meanwhile."""
    token = secrets.token_hex(8)
    metadata = {key: value for key, value in body["metadata"].items() if key != "generateName"}
    annotations = {**metadata.get("annotations", {}), TOKEN: token}
    named = {**body, "metadata": {**metadata, "name": name, "annotations": annotations}}
    try:
        cluster.create_workflow(named)
    except Exists:
        return cluster.workflow(name)
    except Outage:
        # It may have been made, and only the answer lost.
        made = cluster.workflow(name)
        if made is None:
            raise
        if made["metadata"].get("annotations", {}).get(TOKEN) != token:
            return made
    return Submitted(name, attached=False)
