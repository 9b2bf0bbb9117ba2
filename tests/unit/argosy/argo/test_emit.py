import pytest
import yaml

from argosy.argo import emit as emitting
from argosy.argo.emit import Lost, emit, require_all_known
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.spec.read import read_pipeline
from tests.fakes.argo_specs import CONSTRUCTS, a_task, constant, output_of, pipeline


def made(name="chain"):
    return manifest(read_pipeline(CONSTRUCTS[name]), Wanted())


def test_the_text_says_what_the_manifest_says():
    assert yaml.safe_load(emit(made())) == made()


def test_a_source_stands_in_the_file_as_it_was_written():
    assert "          data: |\n            import kfp\n" in emit(made())


@pytest.mark.parametrize("text", ["y", "N", "1e3", "1e+20", ".5", "0o17", "1_000", "0x1f", "off", "~", "2026-01-01"])
def test_a_text_that_some_reader_of_yaml_takes_for_something_else_stands_in_quotes(text):
    workflow = made()
    workflow["spec"]["arguments"]["parameters"][0]["value"] = text

    assert f"value: '{text}'\n" in emit(workflow)


def test_a_field_that_argo_does_not_have_is_an_error_with_its_place():
    broken = made()
    broken["spec"]["templates"][0]["dag"]["tasks"][0]["dependsOn"] = "x"
    broken["spec"]["podGc"] = {}

    with pytest.raises(Lost, match=r"^spec\.podGc, spec\.templates\[\]\.dag\.tasks\[\]\.dependsOn: Argo has no such"):
        require_all_known(broken)


def test_a_large_manifest_is_said_to_be_one(monkeypatch, capsys):
    monkeypatch.setattr(emitting, "WARN_BYTES", 1000)

    emit(made())

    assert "argosy: small: " in capsys.readouterr().err


def test_a_manifest_that_no_cluster_keeps_is_refused(monkeypatch):
    monkeypatch.setattr(emitting, "MOST_BYTES", 1000)

    with pytest.raises(Unsupported, match=r"^small: size \(\d+ KB of at most 1\): cannot compile to Argo: .*; split"):
        emit(made())


def test_a_chain_of_a_thousand_tasks_fits_into_a_cluster():
    tasks = {"add-0": a_task("comp-count", n=constant(1))}
    tasks |= {f"add-{i}": a_task("comp-count", n=output_of(f"add-{i - 1}")) for i in range(1, 1000)}

    text = emit(manifest(read_pipeline(pipeline(tasks)), Wanted()))

    assert len(text.encode()) < 250_000
