"""kubectl, as tests use it: it renders overlays without a cluster, and asks the cluster that KUBECONFIG names."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.fakes.projects import ROOT

PLATFORM = ROOT / "manifests/platform"
WORKFLOW = ROOT / "manifests/workflows/argo/flights-training.yaml"
ENDED_WITHIN_S = 240


def find_kubectl():
    """Return kubectl, of this environment or of the machine, or None."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else shutil.which("kubectl")


def kubectl(*words, given=None):
    """Run a command of kubectl with a text as its input; return what it printed."""
    answer = subprocess.run([find_kubectl(), *map(str, words)], input=given, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def rendered(overlay):
    """Return the objects of an overlay, by kind and name."""
    found = yaml.safe_load_all(kubectl("kustomize", PLATFORM / overlay))
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def write_elsewhere(overlay, namespace, folder):
    """Write an overlay into a folder that puts one of ours into another namespace."""
    base = os.path.relpath(PLATFORM / overlay, folder.resolve())
    (folder / "kustomization.yaml").write_text(f"namespace: {namespace}\nresources: [{base}]\n", encoding="utf-8")
    return folder


def images_of_nodes():
    """Return the names of the images that nodes of the cluster hold, as far as they tell."""
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    images = [image for node in nodes for image in node["status"]["images"]]
    # One whose name was given to another has none.
    return {name for image in images for name in image.get("names") or ()}


def step_pod(name, command, env=()):
    """Return a pod as the checked-in workflow asks for the one of its first step, with a command of its own."""
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["spec"]
    container = next(each["container"] for each in workflow["templates"] if "container" in each)
    container = {key: value for key, value in container.items() if key != "args"}
    container |= {"name": "main", "command": command, "env": [*container["env"], *env]}
    spec = {"restartPolicy": "Never", "containers": [container]}
    spec |= {key: workflow[key] for key in ("serviceAccountName", "securityContext", "volumes")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def run_step_pod(namespace, name, command, env=()):
    """Run a pod like a step's to its end; return what it printed."""
    kubectl("-n", namespace, "create", "-f", "-", given=json.dumps(step_pod(name, command, env)))
    until = time.monotonic() + ENDED_WITHIN_S
    phase = ""
    while phase not in {"Succeeded", "Failed"}:
        assert time.monotonic() < until, kubectl("-n", namespace, "describe", "pod", name)
        time.sleep(0.5)
        phase = kubectl("-n", namespace, "get", "pod", name, "-o", "jsonpath={.status.phase}")
    printed = kubectl("-n", namespace, "logs", name)
    assert phase == "Succeeded", printed
    return printed


@contextmanager
def forwarded(namespace, service, port):
    """Give the address on this machine under which a service of the cluster answers."""
    command = [find_kubectl(), "-n", namespace, "port-forward", f"service/{service}", f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
        try:
            found = re.search(r"127\.0\.0\.1:\d+", forwarding.stdout.readline())
            yield f"http://{found[0]}"
        finally:
            forwarding.terminate()
