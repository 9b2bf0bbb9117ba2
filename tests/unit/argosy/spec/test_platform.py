import pytest

from argosy.errors import Mistake, Unsupported
from argosy.spec.fields import Fields
from argosy.spec.model import PipelineInput, TaskOutput
from argosy.spec.platform import ExecutorPlatform, Platform, read_platform, runtime_sources

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


def test_secrets_volumes_and_the_workspace_are_kept_for_the_targets():
    executor = {"secretAsEnv": [{"secretName": "s"}], "pvcMount": [{"mountPath": "/data"}]}
    found = read(executor, workspace={"size": "1Gi"})

    assert found == Platform({"e": ExecutorPlatform(None, executor)}, {"workspace": {"size": "1Gi"}})


def test_what_is_taken_from_the_run_is_found_at_any_depth():
    task = {"taskOutputParameter": {"producerTask": "a", "outputParameterKey": "Output"}}
    kept = {"tolerations": [{"tolerationJson": {"componentInputParameter": "t"}}], "secretAsEnv": [{"name": task}]}

    assert list(runtime_sources(kept)) == [PipelineInput("t"), TaskOutput("a", "Output")]


def test_another_platform_is_refused_by_name():
    with pytest.raises(Unsupported, match=r"^platforms\.nomad: other platform \(nomad\): "):
        read_platform(Fields({"platforms": {"nomad": {}}}))


def test_an_unknown_field_of_the_platform_is_refused():
    with pytest.raises(Mistake, match=r"nodeSelectors: unread field \(did you mean 'nodeSelector'\?\)"):
        read({"nodeSelectors": {}})
