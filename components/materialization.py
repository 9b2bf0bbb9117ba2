"""Bring features into the online store."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input

from argosy.kubeflow.declare import step
from components.images import STEPS


@step(kind="observe")
@dsl.component(base_image=STEPS, install_kfp_package=False)
def observe_online(events: Input[Dataset], features: Input[Artifact], as_of: str, at: str, since: str) -> NamedTuple(
    "Observed", current=bool, held=dict
):
    """Say what the online store holds, and whether it is complete as of the instant."""
    import os
    from pathlib import Path

    from argosy.features.online.marks import observe

    return observe(features=Path(features.path), at=at or as_of, since=since, env=os.environ)


@step(measurements=["online"])
@dsl.component(base_image=STEPS, install_kfp_package=False)
def materialize_features(
    events: Input[Dataset], features: Input[Artifact], as_of: str, at: str, since: str, held: dict
) -> NamedTuple("Materialized", online=dict):
    """Write what became known into the online store; the key names what the store held before."""
    import os
    from pathlib import Path

    from argosy.features.online.materialize import materialize_for

    paths = {"events": Path(events.path), "features": Path(features.path)}
    return (materialize_for(**paths, at=at or as_of, since=since, env=os.environ),)
