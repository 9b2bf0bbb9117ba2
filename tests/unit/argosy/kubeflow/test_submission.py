import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from argosy.errors import Mistake, Outage
from argosy.kubeflow.client import Kubeflow, Order
from argosy.kubeflow.submission import cron_of, plan_name, submit_recurring_run, submit_run
from tests.fakes.kubeflow_server import a_kubeflow_server
from tests.fakes.specs import train_spec

NAME = "small-0123456789"
FAILING = [500, 503, "hang up", "lost"]


@pytest.fixture
def server():
    with a_kubeflow_server() as server:
        yield server


def an_order(kubeflow, name=NAME):
    return Order(name, kubeflow.experiment("trials"), train_spec(), {"rows": 3})


def submit(server, name=NAME):
    kubeflow = Kubeflow(server.url, None)
    return submit_run(kubeflow, an_order(kubeflow, name))


def names(server):
    return [run["display_name"] for run in server.runs]


# Names


def test_a_plan_is_named_by_its_pipeline_and_a_digest_of_spec_arguments_and_schedule():
    names = {
        plan_name("p", {"a": 1}, {}),
        plan_name("p", {"a": 2}, {}),
        plan_name("p", {"a": 1}, {"x": 1}),
        plan_name("p", {"a": 1}, {}, "0 0 6 * * *"),
    }

    assert len(names) == 4
    assert plan_name("p", {"a": 1}, {}) in names
    assert all(name.startswith("p-") and len(name) == 12 for name in names)


# Runs


def test_the_first_submission_creates_a_run_with_spec_and_arguments(server):
    submitted = submit(server)

    body = server.posts("runs")[0]
    assert not submitted.attached
    assert body["display_name"] == NAME
    assert body["pipeline_spec"] == train_spec()
    assert body["runtime_config"] == {"parameters": {"rows": 3}}
    assert submitted.run.created > datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "PAUSED"])
def test_the_second_submission_is_attached_to_the_run_that_goes_on(server, state):
    first = submit(server)
    server.held["runs"][first.run.id]["state"] = state

    second = submit(server)

    assert (second.attached, second.run.id) == (True, first.run.id)
    assert names(server) == [NAME]


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELED", "CANCELING", "SKIPPED"])
def test_a_plan_whose_run_ended_gets_the_next_name(server, state):
    for _ in range(3):
        server.held["runs"][submit(server).run.id]["state"] = state

    assert names(server) == [NAME, f"{NAME}-2", f"{NAME}-3"]


def test_a_run_of_another_plan_is_left_alone(server):
    submit(server, f"{NAME}f")

    submitted = submit(server)

    assert not submitted.attached
    assert names(server) == [f"{NAME}f", NAME]


def test_runs_beyond_the_first_page_count(server):
    first = server.held["runs"][submit(server).run.id]
    for number in range(2, 121):
        server.held["runs"][str(number)] = {**first, "run_id": str(number), "display_name": f"{NAME}-{number}"}
    for run in server.runs:
        run["state"] = "FAILED"
    going_on = submit(server)

    assert going_on.run.name == f"{NAME}-121"
    assert submit(server).run.id == going_on.run.id


@pytest.mark.parametrize("failure", FAILING)
def test_whatever_happens_to_the_answer_two_submissions_make_one_run(server, failure):
    server.failures["POST runs"] = [failure]

    with suppress(Outage):
        submit(server)
    submit(server)

    assert names(server) == [NAME]


def test_a_run_whose_answer_was_lost_is_found(server):
    server.failures["POST runs"] = ["lost"]

    submitted = submit(server)

    assert submitted.run.id == server.runs[0]["run_id"]
    assert len(server.posts("runs")) == 1


def test_two_who_submit_at_once_end_with_one_run(server):
    experiment = Kubeflow(server.url, None).experiment("trials")
    both = threading.Barrier(2, timeout=5)
    server.before_create = both.wait
    found = []

    def submit_one():
        order = Order(NAME, experiment, train_spec(), {"rows": 3})
        found.append(submit_run(Kubeflow(server.url, None), order).run.id)

    def release():
        server.before_create = None

    threads = [threading.Thread(target=submit_one) for _ in range(2)]
    both._action = release
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.posts("runs")) == 2
    assert names(server) == [NAME]
    assert server.runs[0]["run_id"] in found


# Recurring runs


def recur(server, name=NAME, cron="0 0 6 * * *"):
    kubeflow = Kubeflow(server.url, None)
    return submit_recurring_run(kubeflow, an_order(kubeflow, name), cron, pipeline="small")


def test_a_recurring_run_is_enabled_one_at_a_time_and_catches_nothing_up(server):
    submitted = recur(server)

    body = server.posts("recurringruns")[0]
    assert not submitted.attached
    assert body["trigger"] == {"cron_schedule": {"cron": "0 0 6 * * *"}}
    assert (body["mode"], body["max_concurrency"], body["no_catchup"]) == ("ENABLE", "1", True)


def test_a_plan_that_recurs_already_is_found(server):
    first = recur(server)

    second = recur(server)

    assert (second.attached, second.run.id) == (True, first.run.id)
    assert len(server.recurring) == 1


def test_a_disabled_recurring_run_is_no_twin(server):
    server.held["recurringruns"][recur(server).run.id]["status"] = "DISABLED"

    assert not recur(server).attached
    assert len(server.recurring) == 2


@pytest.mark.parametrize("failure", FAILING)
def test_whatever_happens_to_the_answer_a_plan_recurs_once(server, failure):
    server.failures["POST recurringruns"] = [failure]

    with suppress(Outage):
        recur(server)
    recur(server)

    assert len(server.recurring) == 1


def test_other_plans_of_the_pipeline_that_recur_are_named(server):
    recur(server, "small-aaaaaaaaaa")
    recur(server, "small-world-bbbbbbbbbb")

    submitted = recur(server)

    assert [run.name for run in submitted.others] == ["small-aaaaaaaaaa"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("0 6 * * *", "0 0 6 * * *"),
        ("30 0 6 * * 1-5", "30 0 6 * * 1-5"),
        ("*/5 * * * MON", "0 */5 * * * MON"),
        ("@daily", "@daily"),
        ("@every 1h", "@every 1h"),
    ],
)
def test_a_cron_expression_gets_its_seconds(given, wanted):
    assert cron_of(given) == wanted


@pytest.mark.parametrize("given", ["", "daily", "0 6 * *", "0 6 * * * * *", "a;b * * * *"])
def test_what_is_no_cron_expression_is_refused(given):
    with pytest.raises(Mistake, match="five fields are needed"):
        cron_of(given)
