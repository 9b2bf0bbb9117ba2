import pytest

from argosy.argo.pod import container_fields, pull_secrets, require_mapped, template_fields
from argosy.errors import Mistake, Unsupported
from tests.fakes.plans import a_task


def task(**platform):
    return a_task("train", "def step():\n    return 1\n", platform=platform)


def env_of(**platform):
    return container_fields(task(**platform))["env"]


def test_a_secret_and_a_config_map_become_references():
    secret = {"secretName": "db", "keyToEnv": [{"secretKey": "k", "envVar": "PASSWORD"}], "optional": True}
    table = {
        "configMapNameParameter": {"runtimeValue": {"constant": "tables"}},
        "keyToEnv": [{"configMapKey": "k", "envVar": "TABLE"}],
    }

    assert env_of(secretAsEnv=[secret], configMapAsEnv=[table]) == [
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "k", "optional": True}}},
        {"name": "TABLE", "valueFrom": {"configMapKeyRef": {"name": "tables", "key": "k"}}},
    ]


def test_a_name_that_comes_up_in_the_run_is_refused():
    secret = {"secretNameParameter": {"componentInputParameter": "name"}, "keyToEnv": []}

    with pytest.raises(Unsupported, match=r"^tasks\.train\.secretAsEnv: name that comes up in the run"):
        env_of(secretAsEnv=[secret])


def test_older_numbers_of_cores_and_gigabytes_are_quantities_too():
    resources = {"cpuLimit": 1.5, "memoryLimit": 2.0, "accelerator": {"type": "nvidia.com/gpu", "count": "2"}}

    assert container_fields(task(resources=resources))["resources"] == {
        "limits": {"cpu": "1.5", "memory": "2G", "nvidia.com/gpu": "2"}
    }


def test_a_placeholder_among_resources_is_refused():
    with pytest.raises(Unsupported, match="placeholder in image, environment or resources"):
        container_fields(task(resources={"resourceCpuLimit": "{{$.inputs.parameters['cpu']}}"}))


def test_an_unknown_pull_policy_is_a_mistake():
    with pytest.raises(Mistake, match=r"imagePullPolicy: got 'Sometimes'; allowed: Always, IfNotPresent, Never"):
        container_fields(task(imagePullPolicy="Sometimes"))


def test_affinity_is_required_or_preferred():
    expression = {"key": "zone", "operator": "In", "values": ["a"]}
    entries = [{"matchExpressions": [expression]}, {"matchExpressions": [expression], "weight": 5.0}]

    assert template_fields(task(nodeAffinity=entries))["affinity"]["nodeAffinity"] == {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 5, "preference": {"matchExpressions": [expression]}}
        ],
    }


@pytest.mark.parametrize(
    "platform",
    [
        {"nodeSelector": {"nodeSelectorJson": {}}},
        {"tolerations": [{"tolerationJson": {}}]},
        {"nodeAffinity": [{"nodeAffinityJson": {}}]},
        {"podAffinity": [{}]},
    ],
)
def test_placement_that_comes_up_in_the_run_is_refused(platform):
    with pytest.raises(Unsupported, match="name that comes up in the run"):
        template_fields(task(**platform))


@pytest.mark.parametrize("key", ["pvcMount", "initContainers", "fieldPathAsEnv", "securityContext"])
def test_what_a_pod_does_not_get_is_refused_with_its_place(key):
    with pytest.raises(Unsupported, match=rf"^tasks\.train\.{key}: "):
        require_mapped(task(**{key: [{"a": 1}]}))


def test_seconds_of_a_toleration_are_whole():
    found = template_fields(task(tolerations=[{"key": "k", "tolerationSeconds": 30.0}]))

    assert found["tolerations"] == [{"key": "k", "tolerationSeconds": 30}]


def test_pull_secrets_are_named():
    assert pull_secrets(task(imagePullSecret=[{"secretName": "registry"}])) == ["registry"]
