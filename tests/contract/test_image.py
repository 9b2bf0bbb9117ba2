"""What the image of steps is made of: the project, and what its lock pins. No builder is started."""

import re
import subprocess
import tomllib
from fnmatch import fnmatch

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from argosy.launcher.distributions import PIN
from components.images import STEPS
from tests.fakes.projects import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINNED = {pin["name"]: pin["version"] for pin in PIN.finditer((ROOT / "requirements.lock").read_text(encoding="utf-8"))}
KEYED = ("argosy", "components", "pipelines", "feature_repo", "pyproject.toml", "requirements.lock")


def test_it_is_named_by_the_version_of_the_project():
    assert STEPS.split(":") == ["argosy-steps", PROJECT["version"]]


@pytest.mark.parametrize("builder", ["docker", "buildah"])
def test_make_builds_it_under_the_name_that_components_give(builder):
    told = subprocess.run(
        ["make", "-n", "image", f"BUILDER={builder}", "BASE=python:3.12"], cwd=ROOT, capture_output=True, text=True
    ).stdout

    assert f"{builder} build --build-arg BASE=python:3.12 --tag {STEPS} ." in " ".join(told.split())


def test_it_has_every_extra_but_what_only_develops():
    assert set(re.findall(r"--extra (\w+)", DOCKERFILE)) == set(EXTRAS) - {"dev"}


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_the_lock_pins_whatever_pyproject_asks_for(extra):
    asked = [Requirement(text) for text in (EXTRAS[extra] if extra else PROJECT["dependencies"])]

    for requirement in asked:
        if requirement.marker is None or requirement.marker.evaluate(default_environment() | {"extra": ""}):
            assert requirement.name in PINNED, requirement.name
            assert requirement.specifier.contains(PINNED[requirement.name]), requirement.name


def test_versions_and_hashes_are_those_of_the_lock_wherever_something_is_installed():
    installs = re.findall(r"pip install (?:[^&]|\n)*", DOCKERFILE)

    assert len(installs) == 3
    for install in installs:
        assert "requirements.lock" in install or "--require-hashes -r /tmp/uv.lock" in install


def test_whatever_may_be_in_a_key_is_sent_to_the_builder():
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in left_out if line and not line.startswith("#")]
    tracked = subprocess.run(["git", "ls-files", *KEYED], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()

    # A pattern without a slash is about the top alone, one with `**/` about any depth.
    for file in tracked:
        parts = file.split("/")
        for pattern in patterns:
            deep, name = pattern.startswith("**/"), pattern.removeprefix("**/")
            assert not any(fnmatch(part, name) for part in (parts if deep else parts[:1])), (file, pattern)
    assert len(tracked) > 200


@pytest.mark.parametrize("private", [".git", ".venv", ".argosy", "tests", "docs"])
def test_what_no_step_needs_stays_outside(private):
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert any(fnmatch(private, pattern) for pattern in patterns)
