"""What the client makes of a server's answers; and that the fake server speaks as the generated client expects."""

import kfp_server_api as api
import pytest

from argosy.errors import Mistake, Outage
from argosy.kubeflow.client import Kubeflow, Order
from tests.fakes.kubeflow_server import LISTS, TAKEN, a_kubeflow_server
from tests.fakes.specs import train_spec

TOKEN = "a-token"  # noqa: S105 - of a fake server
PAGES = {
    "experiments": api.V2beta1ListExperimentsResponse,
    "runs": api.V2beta1ListRunsResponse,
    "recurringruns": api.V2beta1ListRecurringRunsResponse,
}
MODELS = {"experiments": api.V2beta1Experiment, "runs": api.V2beta1Run, "recurringruns": api.V2beta1RecurringRun}


def asked(server):
    """Go through every call that a submission makes."""
    kubeflow = Kubeflow(server.url, None)
    experiment = kubeflow.experiment("trials")
    kubeflow.runs(experiment, "small")
    return kubeflow.create_run(Order("small-0123456789", experiment, train_spec(), {}))


@pytest.mark.parametrize("call", ["GET healthz", "GET experiments", "POST experiments", "GET runs", "POST runs"])
@pytest.mark.parametrize(
    ("failure", "error", "message"),
    [
        (401, Mistake, "401: not logged in; set ARGOSY_KUBEFLOW_TOKEN"),
        (403, Mistake, "403: not allowed; .* another --namespace"),
        (404, Mistake, "404: nothing there; give the URL"),
        (400, Mistake, r"400: it refuses what was asked \(failing with 400\)"),
        (429, Outage, "429: too many requests"),
        (500, Outage, r"500: try again \(failing with 500\)"),
        (503, Outage, "503"),
        ("hang up", Outage, "no answer .*is the host right"),
    ],
)
def test_an_answer_that_is_none_becomes_an_error_that_says_what_to_do(call, failure, error, message):
    # A GET is tried again by the HTTP library where the connection was closed.
    with a_kubeflow_server(failures={call: [failure] * 4}) as server, pytest.raises(error, match=message) as raised:
        asked(server)

    assert str(raised.value).startswith(f"Kubeflow at {server.url}: ")


@pytest.mark.parametrize("call", ["GET experiments", "POST experiments", "GET runs", "POST runs"])
def test_a_page_instead_of_json_is_a_mistake_with_its_title(call):
    with (
        a_kubeflow_server(failures={call: ["html"]}) as server,
        pytest.raises(Mistake, match=r"an HTML page \(Sign in\) came instead of JSON; log in, or give the URL"),
    ):
        asked(server)


@pytest.mark.parametrize("call", ["GET experiments", "POST runs"])
def test_garbage_instead_of_json_is_shown(call):
    with a_kubeflow_server(failures={call: ["garbage"]}) as server, pytest.raises(Mistake, match=r'\{"runs": \[ came'):
        asked(server)


def test_an_answer_of_another_shape_is_a_mistake():
    with a_kubeflow_server() as server:
        server.create = lambda *_: {"experiment_id": "e"}

        with pytest.raises(Mistake, match="answered without a run's id"):
            asked(server)


def test_a_refused_connection_is_an_outage():
    with pytest.raises(Outage, match=r"healthz: no answer \(.*Connection refused"):
        Kubeflow("http://127.0.0.1:1", None)


def test_a_host_that_nobody_knows_is_an_outage():
    with pytest.raises(Outage, match="no answer"):
        Kubeflow("http://nowhere.invalid", None)


def test_without_any_host_it_says_how_to_name_one(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KF_PIPELINES_ENDPOINT", "KUBERNETES_SERVICE_HOST", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(Mistake, match="no Kubeflow is named; give --host URL, ARGOSY_KUBEFLOW_HOST"):
        Kubeflow("", None)


def test_the_token_of_the_environment_is_sent(monkeypatch):
    monkeypatch.setenv("ARGOSY_KUBEFLOW_TOKEN", TOKEN)
    with a_kubeflow_server(token=TOKEN) as server:
        assert asked(server).state == "PENDING"


def test_a_server_that_wants_a_token_says_so():
    with a_kubeflow_server(token=TOKEN) as server, pytest.raises(Mistake, match="401: not logged in"):
        asked(server)


def test_an_experiment_that_somebody_else_creates_meanwhile_is_found():
    with a_kubeflow_server() as server:
        server.before_create = lambda: (
            server.held["experiments"] or server.create("experiments", {"display_name": "trials"})
        )

        Kubeflow(server.url, None).experiment("trials")

        assert len(server.held["experiments"]) == 1


def test_an_experiment_whose_answer_was_lost_is_found():
    with a_kubeflow_server(failures={"POST experiments": ["lost"]}) as server:
        found = Kubeflow(server.url, None).experiment("trials")

        assert list(server.held["experiments"]) == [found]


def test_a_namespace_is_asked_for():
    with a_kubeflow_server() as server:
        Kubeflow(server.url, "team").experiment("trials")

        assert server.posts("experiments") == [{"display_name": "trials", "namespace": "team"}]


def test_the_fake_server_knows_no_field_that_the_generated_client_does_not():
    with a_kubeflow_server(states=["FAILED"], tasks={"FAILED": {"train": "FAILED"}}, error="e") as server:
        run = server.read("runs", asked(server).id)

    for kind, taken in TAKEN.items():
        assert taken <= set(MODELS[kind].attribute_map.values()), kind
        assert LISTS[kind] in PAGES[kind].attribute_map.values(), kind
    assert set(run) <= set(api.V2beta1Run.attribute_map.values())
    assert set(run["run_details"]) <= set(api.V2beta1RunDetails.attribute_map.values())
    assert set(run["run_details"]["task_details"][0]) <= set(api.V2beta1PipelineTaskDetail.attribute_map.values())
    assert run["state"] in api.V2beta1RuntimeState.allowable_values
