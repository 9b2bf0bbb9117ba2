"""A namespace of a real cluster for a session of tests, in which Argo's controller runs what it is given.

KUBECONFIG names the cluster, ARGOSY_TEST_IMAGE an image there that holds this project, ARGOSY_TEST_STORE a store that
its pods and the tests reach, with the variables that start with AWS_. ARGOSY_TEST_SHARED names a folder that the tests
and the cluster's nodes have in common under one name, where they have one.
"""

import copy
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.argo.workflow import ACCOUNT, API
from argosy.errors import ArgosyError
from tests.fakes.shapes.cases import Case

if TYPE_CHECKING:  # the client of Kubernetes takes a second to import, which most sessions do not need
    from argosy.cluster import Cluster

NEEDED = {
    "KUBECONFIG": "names no cluster",
    "ARGOSY_TEST_IMAGE": "names no image of a cluster that holds the launcher",
    "ARGOSY_TEST_STORE": "names no store that pods reach",
}
SHARED = "ARGOSY_TEST_SHARED"
SETTINGS = "argosy"
SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
RESULTS = {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
ENDED = frozenset({"Succeeded", "Failed", "Error"})
POLL_S = 1.0
SEEN_WITHIN_S = 30.0
ENDS_WITHIN_S = 900.0
CLAIM = "shared"


def lacking(engine: str, case: Case) -> str:
    """Return what an engine needs for a case and does not find; empty where it can run."""
    if engine != "argo":
        return ""
    missing = [f"{name} {why}" for name, why in NEEDED.items() if not os.environ.get(name)]
    if not missing and case.left is not None and shared_folder() is None:
        missing = [f"what steps leave in a folder is not seen here: {SHARED} names none that pods see too"]
    return "; ".join(missing) or _place()[1]


def shared_folder() -> Path | None:
    """Return the folder that pods see as the tests do, where there is one."""
    return Path(os.environ[SHARED]) if os.environ.get(SHARED) else None


@dataclass(frozen=True)
class Place:
    """A namespace in which workflows of this project can run.

    Attributes:
        store: The URL below which each run has a store of its own.

    """

    cluster: "Cluster"
    store: str

    def run(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Run a workflow whose containers see the shared folder, and return it as the controller left it."""
        folder = shared_folder()
        name = self.cluster.create_workflow(_seeing(folder, body) if folder else body)["metadata"]["name"]
        return self.await_phase(name, ENDED, ENDS_WITHIN_S)

    def await_phase(self, name: str, phases: frozenset[str], patience_s: float) -> dict[str, Any]:
        """Return a workflow once it is in one of some phases.

        Raises:
            TimeoutError: It did not come to that.

        """
        until = time.monotonic() + patience_s
        while True:
            found = self.cluster.workflow(name) or {}
            phase = found.get("status", {}).get("phase", "")
            if phase in phases:
                return found
            if time.monotonic() > until:
                raise TimeoutError(f"workflow {name}: {phase or 'no controller saw it'} after {patience_s} s")
            time.sleep(POLL_S)


def place() -> Place:
    """Return the namespace of this session."""
    found, why = _place()
    assert found, why
    return found


def leave_place() -> None:
    """Remove the namespace, if this session made one."""
    if _place.cache_info().currsize and _place()[0]:
        _remove(_name())
    _place.cache_clear()
    _name.cache_clear()


@cache
def _name() -> str:
    return f"argosy-tests-{uuid.uuid4().hex[:8]}"


@cache
def _place() -> tuple[Place | None, str]:
    """Make a namespace and let Argo run a workflow without pods; or say what is not there."""
    from argosy.cluster import Cluster

    name = _name()
    try:
        found = Place(Cluster(name), f"{os.environ['ARGOSY_TEST_STORE'].rstrip('/')}/{name}")
        with _removed_on_error(name):
            _apply(_objects(name))
            probe = found.cluster.create_workflow(_probe())["metadata"]["name"]
            found.await_phase(probe, ENDED, SEEN_WITHIN_S)
    except (ArgosyError, TimeoutError, OSError) as error:
        return None, f"no Argo on the cluster that KUBECONFIG names: {error}"
    return found, ""


def _seeing(folder: Path, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a workflow whose containers have the shared folder under its own name."""
    spec: dict[str, Any] = copy.deepcopy(body["spec"])
    spec["volumes"].append({"name": CLAIM, "persistentVolumeClaim": {"claimName": CLAIM}})
    for template in spec["templates"]:
        for container in (*filter(None, [template.get("container")]), *template.get("sidecars", ())):
            container.setdefault("volumeMounts", []).append({"name": CLAIM, "mountPath": str(folder)})
    return {**body, "spec": spec}


def _probe() -> dict[str, Any]:
    template = {"name": "main", "suspend": {"duration": "0"}}
    metadata = {"generateName": "probe-"}
    spec = {"entrypoint": "main", "templates": [template]}
    return {"apiVersion": API, "kind": "Workflow", "metadata": metadata, "spec": spec}


def _objects(name: str) -> list[dict[str, Any]]:
    """Return what a namespace needs for workflows of this project, and the folder that its pods share."""
    aws = {key: value for key, value in os.environ.items() if key.startswith("AWS_") and "CA_BUNDLE" not in key}
    secret = {key: value for key, value in aws.items() if key in SECRETS}
    rbac, within = "rbac.authorization.k8s.io", {"namespace": name, "name": ACCOUNT}
    subject = {"kind": "ServiceAccount", **within}
    bound = {"roleRef": {"apiGroup": rbac, "kind": "Role", "name": ACCOUNT}, "subjects": [subject]}
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    settings = {key: value for key, value in aws.items() if key not in secret}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": within},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": within, "rules": [RESULTS]},
        {"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": within, **bound},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**within, "name": SETTINGS}, "data": settings},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {**within, "name": SETTINGS}, "stringData": secret},
        *(_volume(name, folder) if (folder := shared_folder()) else ()),
    ]


def _volume(name: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield a claim of the shared folder: the restricted profile lets no pod name a folder of its node."""
    both = {"storageClassName": "", "accessModes": ["ReadWriteMany"]}
    size = {"storage": "1Gi"}
    volume = {**both, "capacity": size, "hostPath": {"path": str(folder)}}
    claim = {**both, "volumeName": name, "resources": {"requests": size}}
    within = {"namespace": name, "name": CLAIM}
    yield {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume}
    yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": within, "spec": claim}


def _client() -> Any:
    from kubernetes import config

    return config.new_client_from_config(os.environ["KUBECONFIG"])


def _apply(objects: list[dict[str, Any]]) -> None:
    from kubernetes import utils
    from urllib3.exceptions import HTTPError

    try:
        utils.create_from_yaml(_client(), yaml_objects=objects)
    except (HTTPError, utils.FailToCreateError) as error:
        raise OSError(str(error)) from error


def _remove(name: str) -> None:
    from kubernetes import client
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    core = client.CoreV1Api(_client())
    for remove in (core.delete_namespace, core.delete_persistent_volume):
        try:
            remove(name)
        except ApiException as error:
            if error.status not in {404, 409}:  # 409: it is on its way out
                raise
        except HTTPError:
            return  # whatever does not answer now did not answer before


@contextmanager
def _removed_on_error(name: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _remove(name)
        raise
