"""The fake Kubernetes API, asked by the official client: answers, errors, and the status of what it runs."""

import copy
import json
import time
import warnings
from pathlib import Path

import pytest
import urllib3

from tests.fakes.argo_nodes import fnv32a
from tests.fakes.argo_schema import definitions_folder
from tests.fakes.kubernetes_server import a_kubernetes_server
from tests.fakes.processes import wait_for
from tests.fakes.small_workflows import CHAIN, RETRIED, WAIT, a_program, a_task, a_workflow

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kubernetes import client, config

GROUP, VERSION, NAMESPACE = "argoproj.io", "v1alpha1", "pipelines"


@pytest.fixture
def server(tmp_path):
    with a_kubernetes_server(tmp_path, image={"WHERE": str(tmp_path)}) as server:
        yield server


@pytest.fixture
def api(server, tmp_path):
    configuration = client.Configuration()
    config.load_kube_config(str(server.kubeconfig(tmp_path / "config")), client_configuration=configuration)
    configuration.retries = urllib3.Retry(0)
    with client.ApiClient(configuration) as api:
        yield api


class Cluster:
    """The official client, asked for Workflows."""

    def __init__(self, api, server):
        self.objects, self.core, self.server = client.CustomObjectsApi(api), client.CoreV1Api(api), server

    def create(self, body, **more):
        return self.objects.create_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "workflows", body, **more)

    def read(self, name="small"):
        return self.objects.get_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "workflows", name)

    def listed(self, selector=""):
        found = self.objects.list_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, "workflows", label_selector=selector
        )
        return [each["metadata"]["name"] for each in found["items"]]

    def patch(self, body, name="small"):
        return self.objects.patch_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "workflows", name, body)

    def delete(self, name="small"):
        return self.objects.delete_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "workflows", name)

    def pods(self, name="small"):
        selector = f"workflows.argoproj.io/workflow={name}"
        return self.core.list_namespaced_pod(NAMESPACE, label_selector=selector).items

    def log(self, pod):
        return self.core.read_namespaced_pod_log(pod, NAMESPACE, container="main")

    def ran(self, body=CHAIN):
        """Create a workflow and wait for its end."""
        self.create(body)
        return self.server.controller.wait(body["metadata"]["name"])

    def running(self, display):
        """Return the pod of a node that runs."""
        return next(
            (each for each in self.pods() if each.status.phase == "Running" and display in each.metadata.name), None
        )


@pytest.fixture
def cluster(api, server):
    return Cluster(api, server)


def nodes(document):
    """Return the nodes of a workflow by what they are called."""
    return {each["displayName"]: each for each in document["status"]["nodes"].values()}


def phases(document):
    return {name: each["phase"] for name, each in nodes(document).items()}


# The status of what is run


def test_a_created_workflow_runs_to_its_end_and_says_how(cluster):
    created = cluster.create(CHAIN)
    assert created["metadata"]["creationTimestamp"].endswith("Z")
    assert created["metadata"]["uid"]

    cluster.server.controller.wait("small")
    ended = cluster.read()

    assert (ended["status"]["phase"], "message" in ended["status"]) == ("Succeeded", False)
    assert ended["status"]["startedAt"] <= ended["status"]["finishedAt"]
    assert ended["metadata"]["labels"] == {
        "pipeline": "small", "workflows.argoproj.io/phase": "Succeeded", "workflows.argoproj.io/completed": "true",
    }  # fmt: skip
    assert cluster.pods() == []


def test_the_nodes_of_a_status_have_the_form_of_argo(cluster):
    found = nodes(cluster.ran())

    kept = {name: {key: each[key] for key in each if not key.endswith("At")} for name, each in found.items()}
    ids = {name: each["id"] for name, each in found.items()}
    assert kept["first"] == {
        "id": "small-2498042084", "name": "small.first", "displayName": "first", "type": "Retry", "phase": "Succeeded",
        "templateName": "double", "templateScope": "local/small", "boundaryID": "small",
        "inputs": {"parameters": [{"name": "number", "value": "3"}]},
        "outputs": {"parameters": [{"name": "number", "value": "6"}], "exitCode": "0"}, "children": [ids["first(0)"]],
    }  # fmt: skip
    assert kept["second(0)"] == {
        "id": ids["second(0)"], "name": "small.second(0)", "displayName": "second(0)", "type": "Pod",
        "phase": "Succeeded", "templateName": "double", "templateScope": "local/small", "boundaryID": "small",
        "nodeFlag": {"retried": True}, "inputs": {"parameters": [{"name": "number", "value": "6"}]},
        "outputs": {"parameters": [{"name": "number", "value": "12"}], "exitCode": "0"},
    }  # fmt: skip
    assert found["first(0)"]["children"] == [ids["second"]]
    assert kept["small"] == {
        "id": "small", "name": "small", "displayName": "small", "type": "DAG", "phase": "Succeeded",
        "templateName": "main", "templateScope": "local/small", "children": [ids["first"]],
        "outboundNodes": [ids["second(0)"]],
    }  # fmt: skip


def test_names_are_hashed_as_go_hashes_them():
    assert [fnv32a(text) for text in ("", "a", "foobar")] == [0x811C9DC5, 0xE40C292C, 0xBF9CF968]


def test_a_loop_is_a_group_of_its_rounds(cluster):
    rounds = a_task("rounds", "double", number="{{item}}", withParam='["1", "2"]')
    after = a_task("after", "double", "rounds.Succeeded")

    found = nodes(cluster.ran(a_workflow(rounds, after)))

    assert found["rounds"]["type"] == "TaskGroup"
    assert found["rounds"]["children"] == [found["rounds(0:1)"]["id"], found["rounds(1:2)"]["id"]]
    assert found["rounds(1:2)"]["outputs"]["parameters"] == [{"name": "number", "value": "4"}]
    assert all(found["after"]["id"] in found[f"rounds({name})(0)"]["children"] for name in ("0:1", "1:2"))


def test_what_was_skipped_or_omitted_or_failed_says_why(cluster):
    body = a_workflow(
        a_task("first", "fail"),
        a_task("after", "double", "first.Succeeded"),
        a_task("never", "double", when="{{= 1 == 2 }}"),
        a_task("empty", "double", withParam="[]"),
        templates=[a_program("fail", "sys.exit(7)", **RETRIED)],
    )

    ended = cluster.ran(body)

    assert ended["status"]["phase"] == "Failed"
    told = {name: (each["type"], each["phase"], each.get("message")) for name, each in nodes(ended).items()}
    assert told == {
        "small": ("DAG", "Failed", None),
        "first": ("Retry", "Failed", "No more retries left"),
        "first(0)": ("Pod", "Failed", "main: Error (exit code 7)"),
        "first(1)": ("Pod", "Failed", "main: Error (exit code 7)"),
        "after": ("Skipped", "Omitted", "omitted: depends condition not met"),
        "never": ("Skipped", "Skipped", "when 'false' evaluated false"),
        "empty": ("Skipped", "Skipped", "Skipped, empty params"),
    }
    assert nodes(ended)["first(1)"]["outputs"] == {"exitCode": "7"}


def test_pods_that_failed_stay_with_their_logs_under_names_of_their_own(cluster):
    failing = a_program("fail", 'print(os.environ["POD"], os.environ["NODE"])\nsys.exit(7)', **RETRIED)
    cluster.ran(a_workflow(a_task("first", "fail"), templates=[failing]))

    pods = cluster.pods()

    assert len(pods) == 2
    assert all(cluster.log(pod.metadata.name) == f"{pod.metadata.name} small.first\n" for pod in pods)
    assert {pod.status.container_statuses[0].state.terminated.exit_code for pod in pods} == {7}


def test_tasks_that_wait_for_nothing_run_at_once(cluster):
    meet = """
import time
open(os.path.join(os.environ["WHERE"], f"here-{number}"), "w").close()
while not all(os.path.exists(os.path.join(os.environ["WHERE"], f"here-{n}")) for n in "12"):
    time.sleep(0.01)
"""
    body = a_workflow(
        a_task("one", "meet", number="1"),
        a_task("two", "meet", number="2"),
        templates=[a_program("meet", meet, outputs=False)],
    )

    assert cluster.ran(body)["status"]["phase"] == "Succeeded"


def test_a_workflow_is_seen_while_it_waits_and_while_it_runs(cluster):
    cluster.server.controller.may_start.clear()
    body = a_workflow(a_task("first", "wait"), templates=[a_program("wait", WAIT, outputs=False, **RETRIED)])
    assert "status" not in cluster.create(body)

    cluster.server.controller.may_start.set()
    wait_for(lambda: cluster.running("wait"))

    assert cluster.read()["status"]["phase"] == "Running"
    assert phases(cluster.read()) == {"small": "Running", "first": "Running", "first(0)": "Running"}
    wait_for(lambda: cluster.log(cluster.running("wait").metadata.name) == "waiting\n")
    Path(cluster.server.controller.image["WHERE"], "go").touch()
    assert cluster.server.controller.wait("small")["status"]["phase"] == "Succeeded"


@pytest.mark.parametrize(
    ("grace_s", "told"), [(0, ("Error", "pod deleted", None)), (30, ("Failed", "main: Error (exit code 143)", "143"))]
)
def test_a_pod_that_is_deleted_is_lost_or_says_that_it_was_asked_to_end(cluster, grace_s, told):
    body = a_workflow(a_task("first", "wait"), templates=[a_program("wait", WAIT, outputs=False, **RETRIED)])
    cluster.create(body)
    pod = wait_for(lambda: cluster.running("wait"))

    cluster.core.delete_namespaced_pod(pod.metadata.name, NAMESPACE, grace_period_seconds=grace_s)
    Path(cluster.server.controller.image["WHERE"], "go").touch()

    ended = nodes(cluster.server.controller.wait("small"))
    first = ended["first(0)"]
    assert (first["phase"], first["message"], first.get("outputs", {}).get("exitCode")) == told
    assert ended["first"]["phase"] == ended["first(1)"]["phase"] == "Succeeded"
    assert cluster.pods() == []


@pytest.mark.parametrize("end", ["Terminate", "delete"])
def test_a_workflow_that_is_stopped_or_deleted_leaves_no_process(cluster, end, tmp_path):
    body = a_workflow(
        a_task("first", "wait"), a_task("second", "double", "first.Succeeded"),
        templates=[a_program("wait", WAIT, outputs=False)],
    )  # fmt: skip
    cluster.create(body)
    pod = wait_for(lambda: cluster.running("wait"))
    held = cluster.server.controller.held["small"]
    assert processes_with(pod.metadata.name)

    if end == "delete":
        assert cluster.delete()["status"] == "Success"
    else:
        cluster.patch({"spec": {"shutdown": end}})

    held.thread.join(10)
    assert processes_with(pod.metadata.name) == []
    assert held.document["status"]["message"] == "Stopped with strategy 'Terminate'"
    assert held.phase == "Failed"
    assert cluster.listed() == ([] if end == "delete" else ["small"])


def processes_with(text):
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [place] if text.encode() in place.read_bytes() else []
        except OSError:
            continue
    return found


# Objects


def test_a_name_that_is_taken_is_refused_as_the_real_server_does(cluster):
    cluster.create(CHAIN)

    with pytest.raises(client.ApiException) as refused:
        cluster.create(CHAIN)

    assert refused.value.status == 409
    told = json.loads(refused.value.body)
    assert (told["kind"], told["reason"], told["code"]) == ("Status", "AlreadyExists", 409)
    assert told["message"] == 'workflows.argoproj.io "small" already exists'


def test_a_generated_name_is_another_one_each_time(cluster):
    body = copy.deepcopy(CHAIN)
    body["metadata"] = {"generateName": "small-"}

    names = [cluster.create(body)["metadata"]["name"] for _ in range(2)]

    assert len(set(names)) == 2
    assert cluster.listed() == sorted(names)


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("pipeline=small", True), ("pipeline!=small", False), ("pipeline in (small, big)", True), ("pipeline", True),
        ("!pipeline", False), ("pipeline=small,workflows.argoproj.io/completed=false", True), ("owner=me", False),
    ],
)  # fmt: skip
def test_lists_are_chosen_by_labels(cluster, selector, found):
    cluster.server.controller.may_start.clear()
    body = copy.deepcopy(CHAIN)
    body["metadata"]["labels"]["workflows.argoproj.io/completed"] = "false"
    cluster.create(body)

    assert cluster.listed(selector) == (["small"] if found else [])


def test_a_merge_patch_changes_and_takes_away_fields(cluster):
    cluster.server.controller.may_start.clear()
    before = cluster.create(CHAIN)

    changed = cluster.patch({"metadata": {"labels": {"pipeline": None, "owner": "me"}}})

    assert changed["metadata"]["labels"] == {"owner": "me"}
    assert changed["spec"] == before["spec"]
    assert changed["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]


@pytest.mark.parametrize("kind", ["workflow", "pod", "log", "config map", "namespace"])
def test_what_is_not_there_is_answered_with_404(cluster, kind):
    asked = {
        "workflow": lambda: cluster.read("other"),
        "pod": lambda: cluster.core.read_namespaced_pod("other", NAMESPACE),
        "log": lambda: cluster.log("other"),
        "config map": lambda: cluster.core.read_namespaced_config_map("other", NAMESPACE),
        "namespace": lambda: cluster.objects.create_namespaced_custom_object(
            GROUP, VERSION, "other", "workflows", CHAIN
        ),
    }

    with pytest.raises(client.ApiException) as refused:
        asked[kind]()

    assert refused.value.status == 404
    assert "not found" in refused.value.body


def test_a_config_map_is_read_and_enters_every_pod(cluster):
    cluster.server.controller.config_maps["argosy"] = {"ARGOSY_STORE": "s3://bucket/prefix"}

    assert cluster.core.read_namespaced_config_map("argosy", NAMESPACE).data == {"ARGOSY_STORE": "s3://bucket/prefix"}
    show = a_program("show", 'print(os.environ["ARGOSY_STORE"])\nsys.exit(1)', outputs=False)
    cluster.ran(a_workflow(a_task("show", "show"), templates=[show]))
    assert cluster.log(cluster.pods()[0].metadata.name) == "s3://bucket/prefix\n"


@pytest.mark.skipif(definitions_folder() is None, reason="ARGOSY_CRDS names no folder with Argo's definitions")
def test_unknown_and_wrong_fields_are_refused_where_that_is_asked_for(cluster):
    unknown, wrong = copy.deepcopy(CHAIN), copy.deepcopy(CHAIN)
    unknown["spec"]["entrypiont"] = "main"
    wrong["spec"]["entrypoint"] = 3

    for body, code, told in [(unknown, 400, r"unknown field \"spec.entrypiont\""), (wrong, 422, ".spec.entrypoint")]:
        with pytest.raises(client.ApiException) as refused:
            cluster.create(body, field_validation="Strict")
        assert (refused.value.status, told in refused.value.body) == (code, True), refused.value.body
    assert cluster.listed() == []
    assert cluster.create(CHAIN, field_validation="Strict", dry_run="All")["metadata"]["name"] == "small"
    assert cluster.listed() == []


# Failures


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
def test_a_failing_status_is_answered_once(cluster, code):
    cluster.server.failures["GET workflows"] = [code]

    with pytest.raises(client.ApiException) as refused:
        cluster.listed()

    assert refused.value.status == code
    assert cluster.listed() == []


def test_a_stranger_is_refused(cluster):
    cluster.server.token = "another"  # noqa: S105  # of a fake

    with pytest.raises(client.ApiException) as refused:
        cluster.listed()

    assert refused.value.status == 401


def test_an_answer_gets_lost_after_the_workflow_was_created(cluster):
    cluster.server.failures["POST workflows"] = ["lost"]

    with pytest.raises(urllib3.exceptions.HTTPError):
        cluster.create(CHAIN)

    assert cluster.listed() == ["small"]


def test_a_server_that_hangs_up_has_done_nothing(cluster):
    cluster.server.failures["POST workflows"] = ["hang up"]

    with pytest.raises(urllib3.exceptions.HTTPError):
        cluster.create(CHAIN)

    assert cluster.listed() == []


def test_a_slow_server_answers_late(cluster):
    cluster.server.slow_s = 0.3
    cluster.server.failures["GET workflows"] = ["slow"]
    began = time.monotonic()

    assert cluster.listed() == []
    assert time.monotonic() - began > 0.3


@pytest.mark.parametrize("failure", ["html", "garbage", "absent"])
def test_answers_that_are_no_answers_are_given(cluster, failure):
    cluster.server.failures["GET workflows"] = [failure]

    with pytest.raises((client.ApiException, TypeError, ValueError, KeyError)):
        cluster.listed()
