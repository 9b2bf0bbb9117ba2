"""The overlays of the platform on a real API server, and what `dev` brings up there."""

import json
import subprocess
import uuid

import pytest

from argosy.registry.client import connect
from tests.fakes.kubernetes import find_kubectl, forwarded, kubectl, run_step_pod, write_elsewhere

pytestmark = pytest.mark.slow
SOURCE = f"argosy://sha256/{'a' * 64}"
REGISTER = f"""
import json, os
from argosy.registry.client import connect

registry = connect(os.environ["MLFLOW_TRACKING_URI"])
registry.create_model("delays")
registry.create_version("delays", source="{SOURCE}", tags={{"key": "k"}}, description="made in a pod")
registry.set_alias("delays", "champion", 1)
print(json.dumps([[version.number, version.source] for version in registry.list_versions("delays")]))
"""


@pytest.mark.parametrize("overlay", ["dev", "production"])
def test_an_api_server_takes_an_overlay_strictly_and_without_a_warning(cluster, overlay, tmp_path):
    name = f"argosy-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    try:
        # Whoever applies it may see what pod security would refuse; in a namespace that exists it says so.
        kubectl("label", "namespace", name, "pod-security.kubernetes.io/warn=restricted")
        words = ["apply", "--dry-run=server", "--validate=strict", "-k", write_elsewhere(overlay, name, tmp_path)]
        answer = subprocess.run([find_kubectl(), *words], capture_output=True, text=True)
    finally:
        kubectl("delete", "namespace", name, "--wait=false")

    assert answer.returncode == 0, answer.stderr
    assert [line for line in answer.stderr.splitlines() if "last-applied-configuration" not in line] == []
    assert "deployment.apps/mlflow created (server dry run)" in answer.stdout


def test_mlflow_takes_a_model_version_from_a_steps_pod_and_shows_it_outside(platform):
    listed = run_step_pod(platform, "register", ["python3", "-c", REGISTER])

    assert json.loads(listed.splitlines()[-1]) == [[1, SOURCE]]
    with forwarded(platform, "mlflow", 5000) as url:
        registry = connect(url)
        assert registry.find_model("delays").aliases == {"champion": 1}
        assert [version.description for version in registry.list_versions("delays")] == ["made in a pod"]


def test_a_version_outlives_the_server_of_mlflow(platform):
    with forwarded(platform, "mlflow", 5000) as url:
        connect(url).create_model("kept")
    kubectl("-n", platform, "rollout", "restart", "deployment/mlflow")
    kubectl("-n", platform, "rollout", "status", "deployment/mlflow", "--timeout=300s")

    with forwarded(platform, "mlflow", 5000) as url:
        assert connect(url).find_model("kept") is not None


@pytest.mark.parametrize(("password", "answer"), [("argosy-dev", "PONG"), ("guessed", "NOAUTH")])
def test_redis_answers_who_knows_the_password(platform, password, answer):
    said = kubectl("-n", platform, "exec", "redis-0", "--", "env", f"REDISCLI_AUTH={password}", "redis-cli", "ping")

    assert said.startswith(answer)


@pytest.mark.parametrize(
    ("verb", "group", "resource", "allowed"),
    [
        ("create", "argoproj.io", "workflowtaskresults", True),
        ("patch", "argoproj.io", "workflowtaskresults", True),
        ("delete", "argoproj.io", "workflowtaskresults", False),
        ("get", "", "secrets", False),
        ("get", "", "pods", False),
        ("create", "", "pods", False),
    ],
)
def test_the_account_of_steps_may_report_and_nothing_else(platform, verb, group, resource, allowed):
    asked = {"namespace": platform, "verb": verb, "group": group, "resource": resource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": f"system:serviceaccount:{platform}:argosy", "resourceAttributes": asked},
    }

    answer = json.loads(kubectl("create", "-f", "-", "-o", "json", given=json.dumps(review)))

    assert answer["status"]["allowed"] is allowed


def test_a_pod_that_is_not_restricted_is_refused(platform):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"}}
    pod["spec"] = {"containers": [{"name": "main", "image": "argosy-steps:0.1.0"}]}

    with pytest.raises(AssertionError, match='violates PodSecurity "restricted'):
        kubectl("-n", platform, "create", "-f", "-", given=json.dumps(pod))
