import pytest

from argosy.argo.initial import init_containers
from argosy.argo.pod import RESTRICTED
from argosy.errors import Unsupported
from tests.fakes.plans import a_task

FIRST = {"name": "first", "image": "busybox:1"}


def asking(*containers, **platform):
    return a_task("train", "def step():\n    return 1\n", platform={"initContainers": list(containers), **platform})


def test_a_step_without_init_containers_has_no_such_field():
    assert init_containers(asking(), RESTRICTED) == {}


def test_an_init_container_is_restricted_and_no_root():
    (found,) = init_containers(asking(FIRST), RESTRICTED)["initContainers"]

    assert found == {**FIRST, "securityContext": {**RESTRICTED, "runAsUser": 65532}}


def test_an_init_container_runs_as_the_user_that_the_step_names():
    (found,) = init_containers(asking(FIRST), {**RESTRICTED, "runAsUser": 7})["initContainers"]

    assert found["securityContext"]["runAsUser"] == 7


def test_one_that_goes_on_beside_the_step_says_so():
    container = {**FIRST, "restartPolicy": "Always", "resources": {"limits": {"cpu": "1"}}}

    (found,) = init_containers(asking(container), RESTRICTED)["initContainers"]

    assert (found["restartPolicy"], found["resources"]) == ("Always", {"limits": {"cpu": "1"}})


def test_a_claim_is_mounted_by_its_name():
    container = {**FIRST, "volumeMounts": [{"volumeName": "data", "mountPath": "/in"}]}
    task = asking(container, pvcMount=[{"constant": "data", "mountPath": "/data"}])

    (found,) = init_containers(task, RESTRICTED)["initContainers"]

    assert found["volumeMounts"] == [{"name": "data", "mountPath": "/in"}]


def test_a_volume_that_the_pod_does_not_have_is_refused():
    container = {**FIRST, "volumeMounts": [{"volumeName": "data", "mountPath": "/in"}]}

    with pytest.raises(Unsupported, match=r"^tasks\.train\.initContainers: init container \(volume data\)"):
        init_containers(asking(container), RESTRICTED)
