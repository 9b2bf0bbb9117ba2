from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pod_specs import a_program

SECRET = {"secretName": "db", "keyToEnv": [{"secretKey": "k", "envVar": "PASSWORD"}]}
TABLES = {"configMapName": "tables", "mountPath": "/tables"}
ASKED = {"imagePullPolicy": "Always", "secretAsEnv": [SECRET], "configMapAsVolume": [TABLES]}


def template(spec, **wanted):
    made = manifest(read_pipeline(spec), Wanted(**wanted))["spec"]["templates"]
    return next(each for each in made if each["name"] == "shout")


def asking(spec):
    executors = {"exec-shout": ASKED}
    return {
        "pipeline_spec": spec,
        "platform_spec": {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}},
    }


def test_the_program_gets_what_it_asks_of_its_pod_and_the_launcher_does_not():
    found = template(asking(a_program(resources={"resourceCpuLimit": "2"})))
    launcher, (program,) = found["container"], found["sidecars"]

    assert program["image"] == "alpine:3"
    assert program["resources"] == {"limits": {"cpu": "2"}}
    assert program["imagePullPolicy"] == "Always"
    assert [entry["name"] for entry in program["env"]] == ["LEVEL", "PASSWORD", "HOME"]
    assert [mount["mountPath"] for mount in program["volumeMounts"]] == ["/tables", "/tmp"]  # noqa: S108
    assert launcher["image"] == "python:3.11"
    assert "limits" not in launcher["resources"]
    assert "imagePullPolicy" not in launcher
    assert [entry["name"] for entry in launcher["env"]] == ["LEVEL", "ARGOSY_RUN", "ARGOSY_NODE", "ARGOSY_POD", "HOME"]
    assert [mount["mountPath"] for mount in launcher["volumeMounts"]] == ["/tmp"]  # noqa: S108


def test_the_launcher_gets_the_credentials_of_the_store_and_the_program_does_not():
    found = template(a_program())

    assert [next(iter(source)) for source in found["container"]["envFrom"]] == ["configMapRef", "secretRef"]
    assert "envFrom" not in found["sidecars"][0]


def test_both_run_as_one_user_who_is_not_root():
    found = template(a_program())

    assert found["container"]["securityContext"] == found["sidecars"][0]["securityContext"]
    assert found["container"]["securityContext"]["runAsUser"] == 65532


def test_the_image_of_the_project_holds_the_launcher():
    assert template(a_program(), image="steps:1")["container"]["image"] == "steps:1"


def test_a_program_in_an_image_that_holds_the_launcher_needs_no_sidecar():
    assert "sidecars" not in template(a_program(image="python:3.11"))
    assert "sidecars" not in template(a_program(image="steps:1"), image="steps:1")
