import pytest

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.launcher.argo import Told
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pod_specs import an_import, an_importer
from tests.fakes.specs import a_component, a_spec, a_task, an_artifact, constant, with_field

ALONE = a_spec(
    {"importer": a_task("comp-importer", uri=constant("s3://b/a"))},
    {
        "comp-importer": a_component(
            "exec-importer", inputs={"uri": {"parameterType": "STRING"}}, outputs={"artifact": an_artifact()}
        )
    },
    executors={"exec-importer": an_importer(artifactUri={"constant": "s3://b/a"})},
)


def made(spec, **wanted):
    return {each["name"]: each for each in manifest(read_pipeline(spec), Wanted(**wanted))["spec"]["templates"]}


def test_an_importer_runs_in_the_image_of_a_python_component():
    container = made(an_import("gs://b/a"))["importer"]["container"]

    assert container["image"] == "python:3.11"
    told = Told.from_text(container["args"][1])
    assert told.importer == {"uri": "gs://b/a", "input": None, "metadata": {"rows": 3.0}}
    assert (told.image, told.argv) == ("", ())


def test_an_importer_alone_runs_in_the_image_of_the_project():
    assert made(ALONE, image="steps:1")["importer"]["container"]["image"] == "steps:1"


def test_an_importer_alone_is_refused_where_the_project_names_no_image():
    with pytest.raises(
        Unsupported, match=r"^tasks\.importer: importer \(s3://b/a\): .*name one in \[tool\.argosy\] im"
    ):
        made(ALONE)


@pytest.mark.parametrize("uri", ["oci://registry/model", "/data/a.csv", "file:///data/a.csv"])
def test_what_no_pod_can_reach_is_refused(uri):
    spec = with_field(
        an_import("s3://b/a"), "deploymentSpec.executors.exec-importer.importer.artifactUri.constant", uri
    )

    with pytest.raises(Unsupported, match=rf"^tasks\.importer: URI of an importer \({uri}\): cannot compile to Argo"):
        made(spec)


def test_an_import_into_the_workspace_is_refused():
    spec = with_field(
        an_import("s3://b/a"), "deploymentSpec.executors.exec-importer.importer.downloadToWorkspace", True
    )

    with pytest.raises(Unsupported, match=r"^tasks\.importer\.downloadToWorkspace: workspace"):
        made(spec)
