"""`argosy verify` on the real thing: it names what does not hold, and the next run or `--repair` mends it."""

import json
import os
import subprocess
import sys

import pytest

from tests.fakes.flights_project import a_flights_project

pytestmark = pytest.mark.slow

BY_HAND = """\
import sys
from mlflow.tracking import MlflowClient

client = MlflowClient(tracking_uri=sys.argv[1], registry_uri=sys.argv[1])
client.delete_registered_model_alias("flights-delay", "champion")
client.set_model_version_tag("flights-delay", "1", "stage", "archived")
client.set_model_version_tag("flights-delay", "1", "held", "true")
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A copy of the project after its first run, with what that run printed."""
    project = a_flights_project(tmp_path_factory.mktemp("verify") / "flights")
    return project, project.month()


@pytest.fixture
def project(fresh):
    """The copy as its first run left it."""
    with fresh[0].restored() as project:
        yield project


def verified(project, *arguments):
    """Return the exit code of `argosy verify` and the problems that it found."""
    answer = project.argosy("verify", "--output", "json", *arguments)
    assert answer.stdout, answer
    return answer.code, answer.document["problems"]


def record_of(project, answer, step):
    return project.store / "steps" / answer.step(step)["key"].removeprefix("sha256:") / "00000001.json"


def test_a_damaged_output_and_a_torn_record_are_named_and_made_again(fresh, project):
    assert verified(project) == (0, [])
    frame = json.loads(record_of(project, fresh[1], "retrieve-features").read_text(encoding="utf-8"))["outputs"][
        "frame"
    ]
    largest = max(frame["blobs"], key=frame["blobs"].__getitem__)
    with (project.store / "blobs" / "sha256" / largest[:2] / largest[2:]).open("r+b") as blob:
        blob.truncate(1000)
    record_of(project, fresh[1], "choose-candidate").write_text("{", encoding="utf-8")

    code, problems = verified(project)
    mended = project.month()

    assert (code, len(problems)) == (1, 2)
    assert any("retrieve-features: output frame" in problem for problem in problems)
    assert any(fresh[1].step("choose-candidate")["key"].removeprefix("sha256:") in problem for problem in problems)
    assert (mended.code, mended.ran) == (0, {"retrieve-features", "choose-candidate"})
    assert verified(project) == (0, [])


def test_a_generation_of_a_ref_that_cannot_be_read_is_named(project):
    generation = project.store / "refs" / "flights-delay" / "champion" / "00000001.json"
    generation.write_text(generation.read_text(encoding="utf-8").replace('"previous":null', '"previous":"sha256:0"'))

    code, problems = verified(project)

    assert code == 1
    assert ["ref flights-delay/champion: generation 1 cannot be read" in problem for problem in problems] == [True]


def test_what_was_changed_by_hand_in_the_registry_is_named_and_drawn_again(fresh, project):
    model = fresh[1].step("train-model")["outputs"]["model"]
    registry = f"sqlite:///{project.state}/mlflow.db"
    env = os.environ | {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(project.folder)}
    subprocess.run([sys.executable, "-c", BY_HAND, registry], env=env, cwd=project.folder, check=True)

    code, problems = verified(project)

    assert code == 1
    assert [problem.partition(";")[0] for problem in problems] == [
        f"registry: flights-delay/champion: the alias champion is at None, the ref at {model}",
        f"registry: flights-delay/champion: {model} is tagged stage=archived, the ref is at {model}",
        f"registry: flights-delay/champion: {model} is tagged held=true, the ref holds none",
    ]
    assert verified(project, "--repair") == (0, [])
    assert verified(project) == (0, [])
