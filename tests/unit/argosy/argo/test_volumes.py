from argosy.argo.pod import template_fields
from argosy.argo.volumes import SHARED_MEMORY, volumes
from argosy.spec.model import Constant
from tests.fakes.plans import a_task

RETURNED = {"producerTask": "createpvc", "outputParameterKey": "name"}


def asking(channels=None, **platform):
    return a_task("train", "def step():\n    return 1\n", platform=platform, channels=channels or {})


def test_secrets_and_config_maps_are_read_only():
    secret = {"secretName": "db.prod", "mountPath": "/db", "optional": True}
    tables = {"configMapName": "tables", "mountPath": "/tables"}

    assert volumes(asking(secretAsVolume=[secret], configMapAsVolume=[tables])) == [
        (
            {"name": "db-prod", "secret": {"secretName": "db.prod", "optional": True}},
            {"name": "db-prod", "mountPath": "/db", "readOnly": True},
        ),
        (
            {"name": "tables", "configMap": {"name": "tables"}},
            {"name": "tables", "mountPath": "/tables", "readOnly": True},
        ),
    ]


def test_one_secret_at_two_places_is_two_volumes():
    entries = [{"secretName": "db", "mountPath": "/a"}, {"secretName": "db", "mountPath": "/b"}]

    assert [volume["name"] for volume, _ in volumes(asking(secretAsVolume=entries))] == ["db", "db-2"]


def test_no_volume_is_called_as_the_pods_own():
    entry = {"volumeName": "tmp", "mountPath": "/scratch"}

    assert volumes(asking(emptyDirMounts=[entry]))[0][1] == {"name": "tmp-2", "mountPath": "/scratch"}


def test_a_claim_is_named_by_a_constant_or_by_a_step():
    constant = {"constant": "data", "mountPath": "/data", "subPath": "a/b"}
    returned = {"taskOutputParameter": RETURNED, "pvcNameParameter": {"taskOutputParameter": RETURNED}}
    task = asking({"createpvc.name": Constant("x")}, pvcMount=[constant, {**returned, "mountPath": "/made"}])

    assert volumes(task) == [
        (
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "data", "mountPath": "/data", "subPath": "a/b"},
        ),
        (
            {
                "name": "createpvc-name",
                "persistentVolumeClaim": {"claimName": "{{inputs.parameters.pod-createpvc-name}}"},
            },
            {"name": "createpvc-name", "mountPath": "/made"},
        ),
    ]


def test_a_claim_of_an_older_spec_is_named_by_a_step_too():
    task = asking({"createpvc.name": Constant("x")}, pvcMount=[{"taskOutputParameter": RETURNED, "mountPath": "/made"}])

    assert volumes(task)[0][0]["persistentVolumeClaim"] == {"claimName": "{{inputs.parameters.pod-createpvc-name}}"}


def test_storage_is_given_to_a_group_that_may_write():
    claim = {"constant": "data", "mountPath": "/data"}

    assert template_fields(asking(pvcMount=[claim]))["securityContext"]["fsGroup"] == 65532
    assert "securityContext" not in template_fields(asking(emptyDirMounts=[{"volumeName": "a", "mountPath": "/a"}]))


def test_scratch_is_an_empty_folder_memory_or_a_claim_of_the_pods_own():
    big = {"volumeName": "big", "mountPath": "/big", "accessModes": ["ReadWriteOnce"], "size": "9Gi"}

    found = volumes(
        asking(
            emptyDirMounts=[{"volumeName": "scratch", "mountPath": "/scratch", "medium": "Memory"}],
            enabledSharedMemory={},
            genericEphemeralVolume=[
                {**big, "storageClassName": "fast", "metadata": {"labels": {"a": "b"}, "annotations": {}}}
            ],
        )
    )

    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "9Gi"}},
        "storageClassName": "fast",
    }
    assert [volume for volume, _ in found] == [
        {"name": "scratch", "emptyDir": {"medium": "Memory"}},
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
        {"name": "big", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": claim}}},
    ]


def test_shared_memory_lies_where_programs_look_for_it():
    memory = {"volumeName": "", "size": "2Gi"}

    assert volumes(asking(enabledSharedMemory=memory)) == [
        (
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}},
            {"name": "shm", "mountPath": SHARED_MEMORY},
        )
    ]
