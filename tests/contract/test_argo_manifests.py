"""Every construct has a manifest that a person has read; each is one that a strict API server takes."""

import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest
import yaml

from argosy.argo.emit import emit
from argosy.argo.unsupported import REFUSALS
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.spec.read import read_pipeline
from tests.fakes.argo_documents import as_emitted, documents_of_corpus
from tests.fakes.argo_schema import definitions_folder, faults, schema_of
from tests.fakes.argo_specs import CONSTRUCTS, GOLDENS, KINDS, document
from tests.fakes.conformance import corpus
from tests.fakes.projects import ROOT
from tests.fakes.specs import a_lightweight, with_field

needs_definitions = pytest.mark.skipif(definitions_folder() is None, reason="ARGOSY_CRDS names no folder")
needs_corpus = pytest.mark.skipif(corpus() is None, reason="ARGOSY_CORPUS names no folder of compiled pipelines")


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_a_construct_becomes_the_document_that_was_read(name):
    golden = (GOLDENS / f"{name}.yaml").read_text(encoding="utf-8")

    assert document(name) == golden, "python -m tests.fakes.argo_specs writes it anew"


def test_no_document_is_left_over():
    assert {file.stem for file in GOLDENS.glob("*.yaml")} == set(CONSTRUCTS)


@pytest.mark.slow
def test_documents_do_not_depend_on_the_order_of_hashes():
    texts = set()
    for seed in ("0", "1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        program = [sys.executable, "-m", "tests.fakes.argo_documents"]
        ended = subprocess.run(program, cwd=ROOT, env=env, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        texts.add(ended.stdout)

    assert len(texts) == 1
    assert len(texts.pop().splitlines()) >= len(CONSTRUCTS)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_a_second_time_the_same_bytes_come_out(name):
    read = read_pipeline(CONSTRUCTS[name])

    assert emit(manifest(read, Wanted())) == emit(manifest(read, Wanted())) == as_emitted(CONSTRUCTS[name])


def test_the_version_of_kfp_is_no_part_of_a_manifest():
    install = (
        "python3 -m pip install --quiet --no-warn-script-location 'kfp==2.17.0' '--no-deps' 'typing-extensions>=3.7'"
    )
    pinned = a_lightweight("def count(n: int) -> int:\n    return n\n", "count", install=install)
    text = json.dumps(with_field(CONSTRUCTS["retry"], "deploymentSpec.executors.exec-count", pinned))
    assert text.count("2.17.0") == 2

    assert as_emitted(json.loads(text.replace("2.17.0", "2.17.1"))) == as_emitted(json.loads(text))


@needs_corpus
@pytest.mark.slow
def test_a_patch_release_of_kfp_changes_no_line():
    changed = 0
    for file in documents_of_corpus():
        text = file.read_text(encoding="utf-8")
        # What kfp writes of itself: the field sdkVersion, and a pin where it installs itself.
        newer = re.sub(r"(sdkVersion: kfp-|kfp==)(\d+\.\d+)\.\d+", r"\1\2.99", text)
        changed += newer != text

        assert as_emitted(newer) == as_emitted(text), file

    assert changed > 50


@needs_definitions
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CONSTRUCTS)
def test_a_strict_api_server_takes_every_construct_as_every_kind(name, kind):
    made = manifest(read_pipeline(CONSTRUCTS[name]), KINDS[kind])

    assert faults(yaml.safe_load(emit(made)), schema_of(kind, definitions_folder())) == []


@needs_definitions
def test_the_check_finds_a_field_that_argo_does_not_know():
    made = manifest(read_pipeline(CONSTRUCTS["chain"]), Wanted())
    made["spec"]["templates"][0]["dag"]["tasks"][0]["dependsOn"] = "x"

    assert faults(made, schema_of("Workflow", definitions_folder())) == [
        ".spec.templates[0].dag.tasks[0].dependsOn: unknown"
    ]


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    ("image", "count"), [(None, {"compiled": 78, "refused": 21}), ("steps:1", {"compiled": 98, "refused": 1})]
)
def test_the_corpus_compiles_or_is_refused_by_name(image, count):
    found, said = Counter(), []
    for file in sorted((corpus() / "valid").rglob("*.yaml")):
        try:
            made = manifest(read_pipeline(file), Wanted(image=image))
        except Unsupported as error:
            found["refused"] += 1
            said.append(str(error))
            continue
        found["compiled"] += 1
        emit(made)
        if folder := definitions_folder():
            assert faults(made, schema_of("Workflow", folder)) == [], file

    assert found == count
    assert all(any(f": {each}" in text for each in REFUSALS) for text in said), said
    assert all(": cannot compile to Argo: " in text for text in said), said
