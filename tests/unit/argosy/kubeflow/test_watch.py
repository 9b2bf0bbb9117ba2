import pytest

from argosy.errors import Outage
from argosy.kubeflow.client import Kubeflow, Order
from argosy.kubeflow.watch import PATIENCE_S, POLL_S, exit_code, follow
from tests.fakes.kubeflow_server import a_kubeflow_server
from tests.fakes.specs import train_spec


def followed(server):
    """Follow a new run to its end; return it with what was told of it."""
    kubeflow = Kubeflow(server.url, None)
    run = kubeflow.create_run(Order("small-1", kubeflow.experiment("trials"), train_spec(), {}))
    told = []
    return follow(kubeflow, run, told.append, sleep=lambda _: None), told


def test_every_change_is_told_once():
    states = ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED"]
    tasks = {"RUNNING": {"train": "RUNNING"}, "SUCCEEDED": {"train": "SUCCEEDED"}}

    with a_kubeflow_server(states=states, tasks=tasks) as server:
        run, told = followed(server)

    assert run.state == "SUCCEEDED"
    assert told == [
        "small-1: pending", "small-1: running", "train: running", "small-1: succeeded", "train: succeeded",
    ]  # fmt: skip


def test_a_run_that_is_being_cancelled_is_followed_to_its_end():
    with a_kubeflow_server(states=["CANCELING", "CANCELED"]) as server:
        assert followed(server)[0].state == "CANCELED"


def test_a_server_that_is_away_for_a_moment_is_asked_again():
    with a_kubeflow_server(states=["SUCCEEDED"], failures={"GET runs": [500, 503]}) as server:
        run, told = followed(server)

    assert run.state == "SUCCEEDED"
    assert sum("no answer, asking again" in line for line in told) == 2


def test_a_server_that_stays_away_is_an_outage_and_the_run_goes_on():
    failures = {"GET runs": [500] * (int(PATIENCE_S / POLL_S) + 1)}

    with a_kubeflow_server(failures=failures) as server, pytest.raises(Outage, match="the run goes on, submit again"):
        followed(server)


@pytest.mark.parametrize(
    ("state", "error", "code"),
    [
        ("SUCCEEDED", "", 0),
        ("SKIPPED", "", 0),
        ("CANCELED", "", 1),
        ("FAILED", "", 1),
        ("FAILED", "task check-gates: exit status 3", 3),
        ("FAILED", "Error (exit code 75)", 75),
        ("FAILED", "exit code 3; exit code 1", 1),
        ("FAILED", "exit code 137", 1),
    ],
)
def test_the_exit_code_is_the_steps_own_where_the_server_tells_it(state, error, code):
    with a_kubeflow_server(states=[state], error=error) as server:
        assert exit_code(followed(server)[0]) == code
