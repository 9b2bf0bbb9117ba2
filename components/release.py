"""Registration, promotion, deployment: the steps that change something outside the store."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from argosy.kubeflow.declare import step
from components.images import STEPS


@step(kind="observe")
@dsl.component(base_image=STEPS, install_kfp_package=False)
def observe_champion(candidate: Input[Model], ref: str, champion: Output[Model]) -> None:
    """Lay out the model that the candidate is judged against; nothing where there is none."""
    import json
    import os
    from pathlib import Path

    from argosy.release.champion import write_champion

    digest = json.loads(os.environ["ARGOSY_INPUTS"])["candidate"]
    champion.metadata.update(write_champion(ref=ref, candidate=digest, out=Path(champion.path)))


@step(
    kind="fact",
    env=["MLFLOW_TRACKING_URI"],
    key=["$MLFLOW_TRACKING_URI", "name", "model"],
    measurements=["version"],
)
@dsl.component(base_image=STEPS, install_kfp_package=False)
def register_model(model: Input[Model], frame: Input[Dataset], name: str, metrics: dict) -> NamedTuple(
    "Registered", version=str
):
    """Register a version for the model's digest, with its metrics and where it came from."""
    import os
    from pathlib import Path

    from argosy.registry.lineage import register_with_lineage

    return (register_with_lineage(model=Path(model.path), name=name, metrics=metrics["overall"], env=os.environ),)


@step(kind="move", env=["MLFLOW_TRACKING_URI"], key=["ref", "model", "champion"])
@dsl.component(base_image=STEPS, install_kfp_package=False)
def promote_model(model: Input[Model], champion: Input[Model], ref: str, version: str) -> NamedTuple(
    "Promoted", verdict=dict
):
    """Make the model the champion, if the champion is still the one that it was judged against."""
    from argosy.release.promotion import project_promotion

    return (project_promotion(),)


@step(kind="deployment", key=["model"], measurements=["seconds"])
@dsl.component(base_image=STEPS, install_kfp_package=False)
def deploy_model(model: Input[Model], promotion: dict) -> NamedTuple("Deployed", seconds=float):
    """Wait until the server serves the model."""
    import json
    import os

    from argosy.release.deployment import wait_until_served

    digest = json.loads(os.environ["ARGOSY_INPUTS"])["model"]
    return (wait_until_served(url=os.environ["ARGOSY_SERVING_URL"], digest=digest),)
