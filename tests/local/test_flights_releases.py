"""Releases of the real pipeline: promotion, rollback, holds, races and gates, with MLflow and the server following."""

import http.client
import json
import os
import secrets
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from argosy.commands.verify import check_records, check_refs, check_registry
from argosy.launcher.refs import read_ref, ref_history
from argosy.launcher.store import open_store
from argosy.registry.effects import read_registry
from argosy.serving.ports import listen
from tests.fakes.flights_project import MONTH, Answer, FlightsProject, a_flights_project, ended

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")]

MODEL, REF = "flights-delay", "flights-delay/champion"
JUDGEMENT = {
    "evaluate-model", "compare-models", "test-model", "measure-model", "check-gates", "check-latency", "show-results",
}  # fmt: skip
LOAD = "import mlflow.onnx, sys; print(mlflow.onnx.load_model(sys.argv[1]).graph.name)"


def trained_with(seed):
    """Return the edit that trains another model on the same data with the same hyper-parameters."""
    return {"pipelines/flights.py": ('seed=SEED).outputs["model"]', f'seed={seed}).outputs["model"]')}


@dataclass(frozen=True)
class FirstRelease:
    """A copy of the project and what happened up to the state that each test begins with."""

    project: FlightsProject
    port: int
    empty: dict
    first: Answer
    health: dict
    again: Answer

    @property
    def model(self):
        return model_of(self.first)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A first model, released to a running server; the server is stopped again."""
    project = a_flights_project(tmp_path_factory.mktemp("releases") / "flights")
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    with served(project, port) as health:
        return FirstRelease(project, port, health(), project.month(), health(), project.month())


@pytest.fixture
def project(released):
    """The copy as its first release left it."""
    with released.project.restored() as project:
        yield project


@contextmanager
def served(project, port):
    """Serve the champion until the end of the block; yield what asks for /health."""
    answer = project.argosy("serve", "--background", "--port", port, "--output", "json")
    assert answer.code == 0, answer

    def health():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/health")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    try:
        yield health
    finally:
        assert project.argosy("stop").code == 0


def model_of(answer):
    assert answer.stdout, answer
    return answer.step("train-model")["outputs"]["model"]


def executed(answer):
    """Return what a run executed beside the deployment, which a quick server leaves nothing to do."""
    assert answer.step("deploy-model")["status"] in {"ran", "reused"}
    return answer.ran - {"deploy-model"}


def store_of(project):
    return open_store(str(project.store), state=project.state / "look")


def uri_now(project):
    """Return the address of a copy of the registry: MLflow keeps connections to a file that was put back since."""
    copy = project.state / f"mlflow-{secrets.token_hex(4)}.db"
    shutil.copyfile(project.state / "mlflow.db", copy)
    return f"sqlite:///{copy}"


def registered(project):
    """Return each registered digest's stage, those that are held there, and what the alias points at."""
    registry = read_registry(uri_now(project), MODEL)
    assert all(len(entries) == 1 for entries in registry["versions"].values())
    versions = {digest: entry for digest, (entry,) in registry["versions"].items()}
    alias = {entry["version"]: digest for digest, entry in versions.items()}[registry["aliases"]["champion"]]
    stages = {digest: entry["tags"]["stage"] for digest, entry in versions.items()}
    return stages, {digest for digest, entry in versions.items() if entry["tags"].get("held")}, alias


def problems(project):
    """Return what `argosy verify` would print."""
    store = store_of(project)
    return check_records(store)[1] + check_refs(store) + check_registry(store, uri_now(project))


def require_champion(project, champion, *, deprecated=(), held=(), staging=()):
    """Check that ref and registry agree on the champion and on every other model, and that nothing is damaged."""
    stages = {champion: "production"} | dict.fromkeys(deprecated, "deprecated") | dict.fromkeys(staging, "staging")

    ref = read_ref(store_of(project), REF)
    assert (ref.target, set(ref.held)) == (champion, set(held))
    assert registered(project) == (stages, set(held), champion)
    assert problems(project) == []


def test_a_first_run_releases_its_model_to_the_running_server_and_an_unchanged_one_does_nothing(released, project):
    assert released.empty["model"] is None
    assert released.first.code == 0
    assert {"register-model", "promote-model"} <= executed(released.first)
    assert released.health["model"] == released.model
    assert (released.again.code, released.again.ran, released.again.steps("skipped")) == (0, set(), set())
    assert released.again.step("deploy-model")["status"] == "reused"
    require_champion(project, released.model)


def test_the_champion_follows_the_code_and_what_was_rolled_back_is_held_until_it_is_released(released, project):
    first = released.model
    with served(project, released.port) as health:
        with project.edited(trained_with(7)):
            forward = project.month()
            second = model_of(forward)
            require_champion(project, second, deprecated=[first])
            assert (forward.code, health()["model"]) == (0, second)
            assert executed(forward) == {"train-model", *JUDGEMENT, "register-model", "promote-model"}

        back = project.month()
        assert (back.code, executed(back)) == (0, {"compare-models", "check-gates", "show-results", "promote-model"})
        assert health()["model"] == first
        require_champion(project, first, deprecated=[second])

        with project.edited(trained_with(7)):
            again = project.month()
            assert (again.code, executed(again), health()["model"]) == (0, {"promote-model"}, second)
            require_champion(project, second, deprecated=[first])

            rollback = project.argosy("rollback", "--reason", "late on Mondays", "--output", "json")
            assert (rollback.code, rollback.document["target"], health()["model"]) == (0, first, first)
            require_champion(project, first, deprecated=[second], held=[second])

            refused = project.month()
            assert (refused.code, refused.ran, refused.document["status"]) == (3, set(), "held")
            assert "argosy release" in refused.verdict("promote-model")["reasons"][0]
            assert health()["model"] == first

            exhausted = project.argosy("rollback")
            assert (exhausted.code, "nothing to go back to" in exhausted.stderr) == (3, True)
            require_champion(project, first, deprecated=[second], held=[second])

            assert project.argosy("release", second.removeprefix("sha256:")[:12]).code == 0
            require_champion(project, first, deprecated=[second])

            promoted = project.month()
            assert (promoted.code, executed(promoted)) == (0, {"promote-model"})
            assert health()["model"] == second
            require_champion(project, second, deprecated=[first])

    causes = [cause for _, cause in ref_history(store_of(project), REF)]
    commands = [cause.get("command", "run") for cause in causes]
    assert commands == ["run", "run", "run", "run", "rollback", "release", "run"]
    assert causes[4]["reason"] == "late on Mondays"


def test_each_rollback_goes_one_further_back_also_when_the_registry_was_away(released, project):
    later = []
    for seed in (7, 11):
        with project.edited(trained_with(seed)):
            later.append(model_of(project.month()))
    second, third = later

    with listen("127.0.0.1", 0) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert project.argosy("rollback", MLFLOW_TRACKING_URI=closed).code == 75
    assert read_ref(store_of(project), REF).target == second
    finished = project.argosy("rollback")
    assert (finished.code, third.removeprefix("sha256:")[:12] in finished.stdout) == (0, True)
    require_champion(project, second, deprecated=[released.model, third], held=[third])
    assert project.argosy("rollback").code == 0
    require_champion(project, released.model, deprecated=later, held=later)
    assert project.argosy("rollback").code == 3
    assert (project.month().code, project.month().ran) == (0, set())


def test_of_two_candidates_at_once_one_wins_and_the_other_is_superseded_or_judged_against_it(
    released, project, tmp_path
):
    twin = a_flights_project(tmp_path / "twin", ARGOSY_STATE=str(project.state), ARGOSY_STORE=str(project.store))
    with project.edited(trained_with(7)), twin.edited(trained_with(11)):
        answers = [ended(process) for process in [project.start(*MONTH), twin.start(*MONTH)]]

        history = ref_history(store_of(project), REF)
        champion = history[-1][0].target
        models = [model_of(answer) for answer in answers]
        lost = [model for model, answer in zip(models, answers, strict=True) if answer.code]
        assert sorted(answer.code for answer in answers) in ([0, 3], [0, 0])
        assert [answer.document["status"] for answer in answers if answer.code] == ["superseded"] * len(lost)
        assert [ref.generation for ref, _ in history] == list(range(1, 4 - len(lost)))
        passed = [model for model in models if model not in {*lost, champion}]
        require_champion(project, champion, deprecated=[released.model, *passed], staging=lost)

        again = [each.month() for each, answer in zip([project, twin], answers, strict=True) if answer.code]

    assert [answer.code for answer in again] == [0] * len(lost)
    everybody = {released.model, *models}
    last = lost[0] if lost else champion
    require_champion(project, last, deprecated=everybody - {last})


def test_a_candidate_that_fails_a_gate_is_not_registered(released, project):
    harder = {"components/flights/gates.py": ('"auc": [">=", 0.735]', '"auc": [">=", 0.835]')}
    with project.edited(harder | trained_with(7)):
        answer = project.month()

    assert (answer.code, answer.document["status"]) == (3, "refused")
    assert {"register-model", "promote-model", "deploy-model"} <= answer.steps("skipped")
    assert any("auc" in reason and "0.835" in reason for reason in answer.verdict("check-gates")["reasons"])
    require_champion(project, released.model)


def test_a_model_that_is_too_good_is_refused_as_a_leak(released, project):
    lower = {"components/flights/gates.py": ('ceilings={"auc": 0.850}', 'ceilings={"auc": 0.740}')}
    with project.edited(lower):
        answer = project.month()

    assert (answer.code, answer.document["status"]) == (3, "refused")
    assert any("leak" in reason for reason in answer.verdict("check-gates")["reasons"])
    assert {"register-model", "promote-model"} <= answer.steps("skipped")
    require_champion(project, released.model)


def test_mlflow_loads_the_champion_from_the_store_by_its_alias(project):
    env = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{project.state}/mlflow.db",
        "ARGOSY_STORE": str(project.store),
        "PYTHONPATH": str(project.folder),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-c", LOAD, f"models:/{MODEL}@champion"]

    loaded = subprocess.run(command, cwd=project.state, env=env, capture_output=True, text=True)

    assert (loaded.returncode, loaded.stdout.split()) == (0, ["model"]), loaded.stderr
