"""Features: event rows, compiled definitions, retrieval as of each request."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Output

from argosy.kubeflow.declare import step
from components.images import STEPS


@dsl.component(base_image=STEPS, install_kfp_package=False)
def build_flight_events(clean: Input[Dataset], events: Output[Dataset]) -> dict:
    """Write one row per event that enters a feature, and the requests that features are retrieved for."""
    from pathlib import Path

    from components.flights.events import build_events

    return build_events(clean=Path(clean.path), events=Path(events.path))


@step(reads=["feature_repo"])
@dsl.component(base_image=STEPS, install_kfp_package=False)
def compile_features(service: str, features: Output[Artifact]) -> dict:
    """Compile the Feast definitions of a service into the rules that retrieval and serving follow."""
    import os
    from pathlib import Path

    from argosy.features.definitions.compile import compile_features as compile_service

    repository = Path(os.environ["ARGOSY_PROJECT"]) / "feature_repo"
    return compile_service(feature_repo=repository, service=service, out=Path(features.path))


@dsl.component(base_image=STEPS, install_kfp_package=False)
def check_coverage(events: Input[Dataset], features: Input[Artifact], profile: str) -> NamedTuple(
    "Covered", accepted=bool, coverage=dict, verdict=dict
):
    """Refuse views whose rows, under their schedule, would be served too late for the requests of training."""
    from pathlib import Path

    from argosy.features.offline.coverage import check_coverage as check
    from components.flights.profiles import PROFILES

    plan, source = PROFILES[profile].training, Path(events.path)
    found = check(events=source, features=Path(features.path), start=plan.train.start, end=plan.calibrate.end)
    return found["ok"], found["coverage"], {name: found[name] for name in ("verdict", "ok", "reasons")}


@dsl.component(base_image=STEPS, install_kfp_package=False)
def retrieve_features(events: Input[Dataset], features: Input[Artifact], frame: Output[Dataset]) -> NamedTuple(
    "Retrieved", ages=dict
):
    """Join features to requests as of each request's time, under the TTL rule."""
    from pathlib import Path

    from argosy.features.offline.retrieval import retrieve

    source = Path(events.path)
    return (
        retrieve(requests=source / "requests", events=source, features=Path(features.path), frame=Path(frame.path)),
    )
