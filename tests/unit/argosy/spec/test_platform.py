import pytest

from argosy.errors import Mistake, Unsupported
from argosy.spec.fields import Fields
from argosy.spec.platform import ExecutorPlatform, Platform, read_platform

PLACE = "platforms.kubernetes.deploymentSpec.executors.e"


def read(executor, **config):
    kubernetes = {"deploymentSpec": {"executors": {"e": executor}}, "pipelineConfig": config}
    fields = Fields({"platforms": {"kubernetes": kubernetes}})
    found = read_platform(fields)
    fields.require_all_read()
    return found


def test_no_platform_says_nothing():
    assert read_platform(Fields({})) == Platform()


def test_what_does_not_change_results_is_kept_as_it_is():
    kept = {
        "nodeSelector": {"labels": {"disk": "ssd"}},
        "tolerations": [{"key": "a", "tolerationSeconds": "3"}],
        "podMetadata": {"labels": {"a": "b"}},
        "imagePullPolicy": "Always",
        "imagePullSecret": [{"secretName": "s"}],
    }

    assert read(kept, resourceTtlOnCompletion=60.0) == Platform(
        {"e": ExecutorPlatform(None, kept)}, {"resourceTtlOnCompletion": 60.0}
    )


@pytest.mark.parametrize("seconds", [90, 90.0, "90"])
def test_the_deadline_of_a_task_is_its_timeout(seconds):
    assert read({"activeDeadlineSeconds": seconds}).executors["e"].timeout_s == 90.0


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        ({"secretAsEnv": [{}]}, f"{PLACE}.secretAsEnv: secret, config map or pod field (secretAsEnv): "),
        ({"configMapAsVolume": [{}]}, f"{PLACE}.configMapAsVolume: secret, config map or pod field"),
        ({"fieldPathAsEnv": [{}]}, f"{PLACE}.fieldPathAsEnv: secret, config map or pod field"),
        ({"pvcMount": [{}]}, f"{PLACE}.pvcMount: mounted volume (pvcMount): "),
        ({"emptyDirMounts": [{}]}, f"{PLACE}.emptyDirMounts: mounted volume"),
        ({"initContainers": [{}]}, f"{PLACE}.initContainers: init container"),
        (
            {"tolerations": [{"tolerationJson": {"componentInputParameter": "t"}}]},
            f"{PLACE}.tolerations[0].tolerationJson.componentInputParameter: platform value known at run time: ",
        ),
    ],
)
def test_what_changes_results_is_refused_by_name(executor, message):
    with pytest.raises(Unsupported) as caught:
        read(executor)

    assert str(caught.value).startswith(message)


def test_a_workspace_is_refused_by_name():
    with pytest.raises(Unsupported, match=r"^platforms\.kubernetes\.pipelineConfig\.workspace: workspace: "):
        read({}, workspace={"size": "1Gi"})


def test_another_platform_is_refused_by_name():
    with pytest.raises(Unsupported, match=r"^platforms\.nomad: other platform \(nomad\): "):
        read_platform(Fields({"platforms": {"nomad": {}}}))


def test_an_unknown_field_of_the_platform_is_refused():
    with pytest.raises(Mistake, match=r"nodeSelectors: unread field \(did you mean 'nodeSelector'\?\)"):
        read({"nodeSelectors": {}})
