import pytest

from argosy.argo.pod import (
    RESTRICTED,
    container_fields,
    pull_secrets,
    require_mapped,
    security_context,
    template_fields,
)
from argosy.errors import Mistake, Unsupported
from argosy.spec.model import Constant
from tests.fakes.plans import a_task

FROM_THE_RUN = {"componentInputParameter": "name"}


def task(channels=None, **platform):
    return a_task("train", "def step():\n    return 1\n", platform=platform, channels=channels or {})


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


def test_a_name_that_nobody_gives_is_refused():
    secret = {"secretNameParameter": FROM_THE_RUN, "keyToEnv": []}

    with pytest.raises(Unsupported, match=r"^tasks\.train\.secretAsEnv: name that comes up in the run"):
        env_of(secretAsEnv=[secret])


def test_a_field_of_the_pod_becomes_a_reference():
    assert env_of(fieldPathAsEnv=[{"name": "NODE", "fieldPath": "spec.nodeName"}]) == [
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    ]


def test_an_unknown_pull_policy_is_a_mistake():
    with pytest.raises(Mistake, match=r"imagePullPolicy: got 'Sometimes'; allowed: Always, IfNotPresent, Never"):
        container_fields(task(imagePullPolicy="Sometimes"))


def test_what_a_pod_does_not_get_is_refused_with_its_place():
    with pytest.raises(Unsupported, match=r"^tasks\.train\.podResourceClaims: claim of a device"):
        require_mapped(task(podResourceClaims=[{"a": 1}]))


def test_pull_secrets_are_named():
    assert pull_secrets(task(imagePullSecret=[{"secretName": "registry"}])) == ["registry"]


def test_a_pull_secret_from_the_run_is_refused():
    with pytest.raises(Unsupported, match=r"^tasks\.train\.imagePullSecret: name that comes up in the run"):
        pull_secrets(task({"name": Constant("registry")}, imagePullSecret=[{"secretNameParameter": FROM_THE_RUN}]))


def test_labels_may_hold_what_comes_up_in_the_run():
    metadata = {"labels": {"team": "{{$.inputs.parameters['pipelinechannel--team']}}-x"}, "annotations": {}}
    asking = task({"pipelinechannel--team": Constant("ml")}, podMetadata=metadata)

    assert template_fields(asking)["metadata"] == {"labels": {"team": "{{inputs.parameters.pod-team}}-x"}}


def test_a_user_and_a_group_are_part_of_the_restricted_context():
    asked = {"runAsUser": 1000.0, "runAsGroup": 2000.0, "runAsNonRoot": True}

    assert security_context(task(securityContext=asked)) == {**RESTRICTED, "runAsUser": 1000, "runAsGroup": 2000}
    assert security_context(task()) == RESTRICTED


@pytest.mark.parametrize(
    "asked", [{"runAsUser": 0}, {"runAsGroup": 0.0}, {"runAsNonRoot": False}, {"runAsUser": 7, "privileged": True}]
)
def test_more_than_the_restricted_profile_gives_is_refused(asked):
    with pytest.raises(Unsupported, match=rf"^tasks\.train\.securityContext: security context \({next(iter(asked))}: "):
        security_context(task(securityContext=asked))
