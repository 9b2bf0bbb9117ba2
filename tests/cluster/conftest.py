"""The platform of dev, brought up in a namespace of its own."""

import os
import uuid

import pytest

from components.images import STEPS
from tests.fakes.kubernetes import find_kubectl, images_of_nodes, kubectl, write_elsewhere

WORKLOADS = ("statefulset/postgres", "statefulset/redis", "statefulset/store", "deployment/mlflow")


@pytest.fixture(scope="session")
def cluster():
    """Skip what needs a cluster that can be asked."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster")
    if find_kubectl() is None:
        pytest.skip("kubectl is not installed")


@pytest.fixture(scope="session")
def platform(cluster, tmp_path_factory):
    """Give the namespace in which the overlay `dev` is up; it goes afterwards."""
    if not any(name.endswith(f"/{STEPS}") for name in images_of_nodes()):
        pytest.skip(f"no node holds the image {STEPS}: build it with `make image`, and load it")
    name = f"argosy-{uuid.uuid4().hex[:8]}"
    folder = write_elsewhere("dev", name, tmp_path_factory.mktemp("overlay"))
    kubectl("apply", "-k", folder)
    try:
        for workload in WORKLOADS:
            kubectl("-n", name, "rollout", "status", workload, "--timeout=300s")
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")
