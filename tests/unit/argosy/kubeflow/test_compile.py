import json
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.kubeflow.compile import main
from argosy.spec.read import read_pipeline

ROOT = Path(__file__).parents[4]
MODULE = "tests.unit.argosy.kubeflow.small_pipelines"


def compile_in_child(reference: str, out: Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "argosy.kubeflow.compile", reference, str(out)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture
def own_kfp(monkeypatch):
    """Undo what `main` does to kfp, which in a child of its own nobody has to undo."""
    from kfp.compiler import pipeline_spec_builder as builder

    name = "_single_binary_operation_to_cel_condition"
    monkeypatch.setattr(builder, name, getattr(builder, name))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("compiled") / "small.json"
    ended = compile_in_child(f"{MODULE}:PIPELINES[small]", out)

    assert (ended.returncode, ended.stderr) == (0, "")
    return out


def test_a_reference_in_a_catalogue_compiles_to_the_same_bytes(compiled, tmp_path):
    ended = compile_in_child(f"{MODULE}:PIPELINES[by-name]", tmp_path / "again.json")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "again.json").read_bytes() == compiled.read_bytes()


def test_the_output_is_canonical_json_with_both_specs(compiled):
    text = compiled.read_text()

    document = json.loads(text)
    assert set(document) == {"pipeline_spec", "platform_spec"}
    assert text == json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"


def test_what_a_component_declares_reaches_the_plan(compiled):
    tasks = {task.name: task for task in read_pipeline(compiled).tasks}

    declared = tasks["register"].component.declaration
    assert declared.kind == "fact"
    assert declared.reads == ("conf/*.toml",)
    assert declared.env == ("REGISTRY",)
    assert declared.measurements == ("version",)
    assert declared.verdicts == ("ok",)
    assert declared.key == ("model",)
    assert tasks["register"].component.executor.env == {"LEVEL": "1"}
    assert tasks["ingest"].component.declaration.kind == "step"


def test_the_embedded_source_is_found_with_function_and_packages(compiled):
    executor = {task.name: task for task in read_pipeline(compiled).tasks}["ingest"].component.executor

    assert executor.function == "ingest"
    assert "def ingest(as_of: str" in executor.source
    assert executor.packages == ("numpy>=2",)


def test_kfps_own_packages_are_not_the_components(compiled):
    executor = {task.name: task for task in read_pipeline(compiled).tasks}["tell"].component.executor

    assert executor.packages == ()


def test_groups_are_flattened_and_their_skips_tolerated_after_them(compiled):
    tasks = {task.name: task for task in read_pipeline(compiled).tasks}

    assert {name: task.start.after for name, task in tasks.items()} == {
        "ingest": (),
        "convert": ("ingest",),
        "register": ("ingest",),
        "tell": ("ingest", "register"),
        "tell-2": ("ingest",),
        "tell-3": ("ingest", "register", "tell", "tell-2"),
    }
    assert tasks["tell-3"].start.tolerates == ("register", "tell", "tell-2")
    assert [len(tasks[name].start.conditions) for name in ("register", "tell", "tell-2", "tell-3")] == [1, 2, 1, 0]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no colon but spaces", "MODULE:ATTRIBUTE"),
        ("pipelines_that_are_not_there:P", "there is no module 'pipelines_that_are_not_there'"),
        (f"{MODULE}:smal", "(did you mean 'small'?)"),
        (f"{MODULE}:PIPELINES[smell]", "no pipeline 'smell' (did you mean 'small'?); known: small, by-name"),
        (f"{MODULE}:NOT_A_PIPELINE[a]", "a function decorated with @dsl.pipeline is needed"),
    ],
)
def test_a_wrong_reference_ends_with_one_line_and_exit_code_2(reference, message, own_kfp, capsys, tmp_path):
    code = main([reference, str(tmp_path / "out.json")])

    said = capsys.readouterr().err
    assert code == 2
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out.json").exists()


def test_an_error_in_the_teams_code_names_its_line(own_kfp, capsys, monkeypatch, tmp_path):
    (tmp_path / "broken_pipelines.py").write_text("x = 1\ny = x + 'a'\n")
    monkeypatch.syspath_prepend(tmp_path)

    code = main(["broken_pipelines:y", str(tmp_path / "out.json")])

    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith(f"{tmp_path / 'broken_pipelines.py'}:2: TypeError: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("function", "message"),
    [("wrong_bool", "compares a bool with a number"), ("wrong_text", "compares a number with a text")],
)
def test_a_condition_that_kfp_would_compile_to_something_else_is_refused(
    function, message, own_kfp, capsys, monkeypatch, tmp_path
):
    (tmp_path / f"{function}_pipeline.py").write_text(f"from {MODULE} import {function}\nP = {function}()\n")
    monkeypatch.syspath_prepend(tmp_path)

    code = main([f"{function}_pipeline:P", str(tmp_path / "out.json")])

    said = capsys.readouterr().err
    assert code == 2
    assert message in said
    assert "small_pipelines.py:" in said


def test_without_two_arguments_the_usage_is_printed(capsys):
    assert main(["only:one"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")


CALLS_AN_API = """\
from kfp import dsl
from kfp.client import Client

@dsl.component(base_image="python:3.11")
def one() -> int:
    return 1

@dsl.pipeline(name="calls")
def calls():
    one()

def submit():
    return Client().list_runs()
"""


def test_a_module_may_name_the_api_client_that_compiling_leaves_out(tmp_path):
    (tmp_path / "calls.py").write_text(CALLS_AN_API)

    assert compile_in_child("calls", tmp_path / "out.json", cwd=tmp_path).returncode == 0


def test_a_module_that_calls_the_api_while_it_compiles_is_refused_with_its_line(tmp_path):
    (tmp_path / "calls.py").write_text(f"{CALLS_AN_API}\nsubmit()\n")

    ended = compile_in_child("calls", tmp_path / "out.json", cwd=tmp_path)

    assert ended.returncode == 2
    assert "calls.py:13: kfp.Client() in a module of a pipeline" in ended.stderr
