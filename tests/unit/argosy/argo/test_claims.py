import json

import pytest
import yaml

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pod_specs import a_claim
from tests.fakes.argo_specs import ITEM, a_dag, a_loop
from tests.fakes.specs import a_parameter, a_task, constant, outer, with_field

TASK = "pipeline_spec.root.dag.tasks.createpvc.inputs.parameters"
NAMED = {"pvc_name": constant("data"), "access_modes": constant(["ReadWriteOnce"]), "size": constant("1Gi")}


def template(spec, name):
    made = manifest(read_pipeline(spec), Wanted())["spec"]["templates"]
    return next(each for each in made if each["name"] == name)


def made_with(**inputs):
    spec = with_field(a_claim(), TASK, {**NAMED, **inputs})
    text = template(spec, "createpvc")["resource"]["manifest"]
    return text.replace("{{inputs.parameters.", "<").replace("}}", ">")


def test_a_claim_is_named_by_the_run_and_its_suffix_or_as_it_is_asked_for():
    own = template(a_claim(), "createpvc")["resource"]["manifest"]

    assert "  name: {{=toJson(workflow.name + fromJSON(inputs.parameters.pvc_name_suffix))}}\n" in own
    assert "  name: <pvc_name>\n" in made_with()


def test_what_is_given_of_a_claim_is_in_its_manifest():
    text = made_with(
        annotations=constant({"a": "b"}), volume_name=constant("disk"), data_source=constant({"kind": "VolumeSnapshot"})
    )

    assert yaml.safe_load(text) == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "<pvc_name>", "annotations": "<annotations>"},
        "spec": {
            "accessModes": "<access_modes>",
            "resources": {"requests": {"storage": "<size>"}},
            "storageClassName": "<storage_class_name>",
            "volumeName": "<volume_name>",
            "dataSource": "<data_source>",
        },
    }


def test_a_claim_is_deleted_by_its_name():
    found = template(a_claim(), "deletepvc")["resource"]

    assert (found["action"], found["flags"]) == ("delete", ["--wait=false"])
    assert yaml.safe_load(found["manifest"].replace("{{", "<").replace("}}", ">"))["metadata"] == {
        "name": "<inputs.parameters.pvc_name>"
    }


@pytest.mark.parametrize("name", ["createpvc", "deletepvc"])
def test_argos_own_container_is_restricted_and_none_waits_beside_it(name):
    main, wait = json.loads(template(a_claim(), name)["podSpecPatch"])["containers"]

    assert main["name"] == "main"
    assert main["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert wait == {"name": "wait", "$patch": "delete"}


def test_a_claim_without_a_name_is_refused():
    inputs = {name: source for name, source in NAMED.items() if name != "pvc_name"}

    with pytest.raises(
        Unsupported, match=r"^tasks\.createpvc: claim of storage \(pvc_name_suffix is not one of its own"
    ):
        template(with_field(a_claim(), TASK, inputs), "createpvc")


def test_a_name_that_is_put_together_is_refused():
    text = constant("{{$.inputs.parameters['pipelinechannel--suffix']}}-x")
    inputs = {**NAMED, "pvc_name": text, "pipelinechannel--suffix": outer("suffix")}

    with pytest.raises(Unsupported, match=r"^tasks\.createpvc: claim of storage \(pvc_name is put together"):
        template(with_field(a_claim(), TASK, inputs), "createpvc")


@pytest.mark.parametrize(("name", "is_refused"), [(constant("data"), True), (outer(ITEM), False)])
def test_the_rounds_of_a_loop_have_claims_of_their_own(name, is_refused):
    spec = a_claim()["pipeline_spec"]
    inside = a_dag({"createpvc": a_task("comp-createpvc", **{**NAMED, "pvc_name": name})}, inputs={ITEM: a_parameter()})
    spec["components"] = {"comp-round": inside, "comp-createpvc": spec["components"]["comp-createpvc"]}
    spec["root"] = {"dag": {"tasks": {"loop": a_loop("comp-round", {"raw": '["a", "b"]'})}}}

    if is_refused:
        with pytest.raises(Unsupported, match="claim of storage"):
            template(spec, "createpvc")
    else:
        assert template(spec, "createpvc")["resource"]["action"] == "apply"
