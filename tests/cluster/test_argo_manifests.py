"""A real API server with Argo's own definitions takes every manifest strictly, and reads it as it was meant."""

import os

import pytest
import yaml

from argosy.argo.emit import emit
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.spec.read import read_pipeline
from tests.fakes.api_server import ApiServer
from tests.fakes.argo_documents import as_emitted, documents_of_corpus
from tests.fakes.argo_schema import definitions_folder
from tests.fakes.argo_specs import CONSTRUCTS, KINDS, a_task, constant, pipeline
from tests.fakes.conformance import corpus
from tests.fakes.projects import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("KUBECONFIG"), reason="KUBECONFIG names no cluster"),
    pytest.mark.skipif(definitions_folder() is None, reason="ARGOSY_CRDS names no folder"),
]
needs_corpus = pytest.mark.skipif(corpus() is None, reason="ARGOSY_CORPUS names no folder of compiled pipelines")
WORKFLOWS = sorted((ROOT / "manifests/workflows/argo").glob("*.yaml"))
HOSTILE = {
    "words": ["y", "N", "null", "~", "1e3", "0o17", "0x1f", "1_000", ".inf", "2026-01-01", "=", "<<", "- a", "a: b"],
    "spaces": [" a ", "\ta\n", "a\r\nb\r", "\n\n  a\n b\n", "a \n", "\v\f\b\0\x1b", "'\"\\ #"],
    "unicode": [
        "\x7f\x85\xa0",
        "\u2028\u2029\ufeff",
        "\ufffe\uffff",
        "é 漢 😀",
        "\U000e0067\U0010ffff",
        "\u202e\u0301",
    ],
}


@pytest.fixture(scope="module")
def server():
    found = ApiServer.find()
    if found is None:
        pytest.skip("the cluster that KUBECONFIG names does not answer")
    found.apply_definitions(definitions_folder())
    return found


def require_taken(server, text):
    """Send YAML as it stands in a file; what the server read has to be what Python reads."""
    made = yaml.safe_load(text)
    read = server.create(made["kind"], text)
    assert read["spec"] == made["spec"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CONSTRUCTS)
def test_every_construct_is_taken_as_every_kind(server, name, kind):
    require_taken(server, emit(manifest(read_pipeline(CONSTRUCTS[name]), KINDS[kind])))


@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.stem for file in WORKFLOWS])
def test_every_workflow_that_is_checked_in_is_taken(server, file):
    require_taken(server, file.read_text(encoding="utf-8"))


@needs_corpus
def test_all_of_the_corpus_that_compiles_is_taken(server):
    refused, taken = {}, 0
    for file in documents_of_corpus():
        try:
            require_taken(server, as_emitted(file))
        except ValueError as error:
            refused[file.name] = str(error)
        taken += 1

    assert refused == {}
    assert taken > 50


@pytest.mark.parametrize("texts", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_read_as_they_were_meant(server, texts):
    tasks = {f"say-{i}": a_task("comp-say", text=constant(text)) for i, text in enumerate(texts)}
    made = manifest(read_pipeline(pipeline(tasks)), Wanted())
    made["metadata"]["annotations"] = {f"argosy/{i}": text for i, text in enumerate(texts)}
    for template in made["spec"]["templates"]:
        if "container" in template:
            template["container"]["env"] += [{"name": f"TEXT_{i}", "value": text} for i, text in enumerate(texts)]

    read = server.create("Workflow", emit(made))

    assert read["spec"] == made["spec"]
    assert read["metadata"]["annotations"] == made["metadata"]["annotations"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_field_is_refused(server, kind):
    made = manifest(read_pipeline(CONSTRUCTS["chain"]), KINDS[kind])
    spec = made["spec"]["workflowSpec"] if kind == "CronWorkflow" else made["spec"]
    spec["templates"][0]["dag"]["tasks"][0]["dependsOn"] = "x"

    with pytest.raises(ValueError, match=r'strict decoding error: unknown field "spec\..*\.dependsOn"'):
        server.create(kind, yaml.safe_dump(made))


def test_a_field_of_another_type_is_refused(server):
    made = manifest(read_pipeline(CONSTRUCTS["chain"]), Wanted())
    made["spec"]["templates"][0]["dag"]["failFast"] = "no"

    with pytest.raises(ValueError, match="failFast in body must be of type boolean"):
        server.create("Workflow", yaml.safe_dump(made))
