"""What the overlays of the platform promise, read as kubectl renders them; no cluster is asked."""

import re

import pytest
import yaml

from argosy.argo.container import SETTINGS
from argosy.argo.pod import RESTRICTED
from argosy.argo.workflow import ACCOUNT
from components.images import STEPS
from tests.fakes.kubernetes import PLATFORM, find_kubectl, rendered

pytestmark = pytest.mark.skipif(find_kubectl() is None, reason="kubectl is not installed")
OVERLAYS = ("dev", "production")
WORKLOADS = {"Deployment", "StatefulSet"}


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request):
    return rendered(request.param)


@pytest.fixture(scope="module")
def production():
    return rendered("production")


def pods(objects):
    """Return the pod of each workload, by its name."""
    return {name: each["spec"]["template"]["spec"] for (kind, name), each in objects.items() if kind in WORKLOADS}


def containers(objects):
    """Yield each container with its name; `pod/container`."""
    for name, pod in pods(objects).items():
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            yield f"{name}/{container['name']}", container


def test_every_object_is_complete_and_in_the_namespace(objects):
    for (kind, name), each in objects.items():
        assert each["apiVersion"], (kind, name)
        assert kind == "Namespace" or each["metadata"]["namespace"] == "argosy"
        assert each["metadata"]["labels"]["app.kubernetes.io/part-of"] == "argosy"


def test_the_namespace_takes_restricted_pods_alone_and_every_pod_is_one(objects):
    labels = objects["Namespace", "argosy"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"

    for name, pod in pods(objects).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == RESTRICTED["seccompProfile"], name
        assert pod["automountServiceAccountToken"] is False, name
        assert "hostPath" not in str(pod.get("volumes")), name
    for name, container in containers(objects):
        asked = {key: RESTRICTED[key] for key in ("allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem")}
        assert container["securityContext"] == asked, name


def test_every_container_says_what_it_needs_and_whether_it_answers(objects):
    for name, container in containers(objects):
        assert {"cpu", "memory"} == set(container["resources"]["requests"]), name
        assert "memory" in container["resources"]["limits"], name
    for name, pod in pods(objects).items():
        assert "readinessProbe" in pod["containers"][0], name


def test_every_volume_that_is_mounted_is_there(objects):
    for (kind, name), each in objects.items():
        if kind not in WORKLOADS:
            continue
        pod = each["spec"]["template"]["spec"]
        claims = each["spec"].get("volumeClaimTemplates", [])
        volumes = {volume["name"] for volume in pod.get("volumes", [])} | {
            claim["metadata"]["name"] for claim in claims
        }
        mounts = [mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", [])]
        assert set(mounts) == volumes, name


def test_what_is_stored_outlives_a_pod_in_production(production):
    for name in ("postgres", "redis"):
        claims = production["StatefulSet", name]["spec"]["volumeClaimTemplates"]
        assert [claim["metadata"]["name"] for claim in claims] == ["data"]


def test_a_name_of_an_image_stays_with_one_image(objects):
    for name, container in containers(objects):
        image = container["image"].rpartition("/")[2]
        assert re.search(r"@sha256:[0-9a-f]{64}$|:\d+\.\d+[\w.-]*$", image), name


def test_production_takes_foreign_images_by_their_digest(production):
    foreign = {name: each["image"] for name, each in containers(production) if "argosy-steps" not in each["image"]}

    assert sorted(foreign) == ["postgres/postgres", "redis/redis"]
    for name, image in foreign.items():
        assert re.search(r"@sha256:[0-9a-f]{64}$", image), name


def test_mlflow_runs_in_the_image_of_steps(objects):
    images = {each["image"] for name, each in containers(objects) if name.startswith("mlflow/")}

    assert {image.rpartition("/")[2] for image in images} == {STEPS}


def test_production_holds_no_secret_and_names_each_that_it_needs(production):
    assert [name for kind, name in production if kind == "Secret"] == []

    named = set()
    for name, container in containers(production):
        for variable in container.get("env", []):
            if re.search("PASSWORD|SECRET|AUTH|KEY", variable["name"]):
                reference = variable["valueFrom"]["secretKeyRef"]
                named.add((reference["name"], reference["key"]))
            assert not re.search(r"://[^/@]*:[^$@]", variable.get("value", "")), name
    assert named == {("postgres", "password"), ("redis", "password")}


def test_the_passwords_of_dev_stand_in_dev_alone():
    secrets = yaml.safe_load((PLATFORM / "dev/kustomization.yaml").read_text(encoding="utf-8"))["secretGenerator"]
    values = {literal.partition("=")[2] for secret in secrets for literal in secret["literals"]} - {"argosy"}

    files = [file for file in PLATFORM.rglob("*") if file.is_file() and file.parent.name != "dev"]
    assert values == {"argosy-dev", "redis://:argosy-dev@redis:6379/0"}
    assert [file.name for file in files if any(value in file.read_text(encoding="utf-8") for value in values)] == []


def test_workflows_find_their_account_and_their_settings(objects):
    settings = objects["ConfigMap", SETTINGS]["data"]

    assert ("ServiceAccount", ACCOUNT) in objects
    assert settings["ARGOSY_STORE"].startswith("s3://")
    assert settings["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"
    assert ("Service", "mlflow") in objects


def test_the_account_may_report_results_and_nothing_else(objects):
    assert [name for kind, name in objects if kind in {"Role", "ClusterRole"}] == [ACCOUNT]
    assert objects["Role", ACCOUNT]["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]
    assert objects["RoleBinding", ACCOUNT]["subjects"] == [
        {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "argosy"}
    ]


def test_nobody_is_reached_but_by_a_policy_of_its_own(objects):
    policies = {name: each["spec"] for (kind, name), each in objects.items() if kind == "NetworkPolicy"}
    services = {name for kind, name in objects if kind == "Service"}

    assert policies.pop("nobody") == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert set(policies) == services
    for name, policy in policies.items():
        assert policy["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": name}}
        assert policy["policyTypes"] == ["Ingress", "Egress"]


def test_postgres_answers_mlflow_alone(objects):
    (rule,) = objects["NetworkPolicy", "postgres"]["spec"]["ingress"]

    assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "mlflow"}}}]


def test_of_two_servers_of_mlflow_one_stays_while_a_node_is_drained(production):
    assert production["Deployment", "mlflow"]["spec"]["replicas"] == 2
    assert production["PodDisruptionBudget", "mlflow"]["spec"] == {
        "minAvailable": 1,
        "selector": {"matchLabels": {"app.kubernetes.io/name": "mlflow"}},
    }
