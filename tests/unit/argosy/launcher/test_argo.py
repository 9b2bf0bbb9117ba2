import json
import re

import pytest

from argosy.errors import Mistake
from argosy.launcher import argo
from argosy.launcher.argo import Pod, Told, build_step, emit, escape_source, main, restore_source
from argosy.launcher.step import Input, Outcome, Output
from argosy.launcher.store import open_store
from tests.fakes.argo_pod import expanded

TOLD = Told(
    "add",
    function="add",
    inputs={"n": "NUMBER_INTEGER", "share": "NUMBER_DOUBLE", "note": "STRING", "size": "STRING"},
    outputs={"Output": "LIST"},
    optional=("share", "note", "size"),
    defaults={"share": 0.5},
    literals={"size": ["s", "m"]},
    items=("Output",),
)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def a_pod(tmp_path, told=TOLD, **texts):
    source = tmp_path / "source.py"
    source.write_text("def add(n):\n    return [n]\n", encoding="utf-8")
    return Pod(told, source, tmp_path / "outputs", texts)


def test_a_command_line_is_read_back():
    words = [
        "--step",
        TOLD.to_text(),
        "--source",
        "/s.py",
        "--outputs",
        "/out",
        "--input",
        "n=3",
        "--input",
        "note=a=b",
        "--run",
        "pipeline_job_name=run-1",
        "--beside",
        "/beside",
    ]

    pod = Pod.from_words(words)

    assert pod.told == TOLD
    assert (str(pod.source), str(pod.outputs), pod.texts) == ("/s.py", "/out", {"n": "3", "note": "a=b"})
    assert (pod.run, str(pod.beside)) == ({"pipeline_job_name": "run-1"}, "/beside")


@pytest.mark.parametrize("words", [[], ["--step"], ["--step", "{}", "--other", "x"], ["--step", "{}", "--source", "f"]])
def test_another_command_line_is_a_mistake(words, capsys):
    assert main(words) == 2
    assert "usage: python3 -m argosy.launcher.argo --step JSON" in capsys.readouterr().err


def test_a_manifest_of_another_version_is_refused():
    text = json.dumps(json.loads(TOLD.to_text()) | {"format": 0})

    with pytest.raises(Mistake, match="compiled by another version of Argosy than the image holds; compile it anew"):
        Told.from_text(text)


def test_what_is_told_holds_nothing_that_argo_substitutes():
    told = Told("shout", argv=("echo", "{{$.inputs.parameters['text']}}"))

    assert "{{" not in told.to_text()
    assert Told.from_text(told.to_text()) == told


@pytest.mark.parametrize(
    "source", ["{{", "{{{{", "f'{{{x}}}'", "{ {", "}}", "", "$$", "'$(HOME) $$$(HOME) $x ${x}'", "$", "{$({{$$"]
)
def test_a_source_comes_back_without_its_marks(source):
    escaped = escape_source(source)

    assert "{{" not in escaped
    assert expanded(escaped, {"HOME": "/root"}) == escaped
    assert restore_source(escaped) == source


@pytest.mark.parametrize("mark", ["{argosy:", "$argosy:"])
def test_a_source_that_holds_a_mark_cannot_be_escaped(mark):
    with pytest.raises(ValueError, match=re.escape(mark)):
        escape_source(f"x = '{mark}'")


def test_a_word_that_argo_put_into_a_file_is_read_from_there(tmp_path):
    file = tmp_path / "argo_arg_5.txt"
    file.write_text('text="é @x"', encoding="utf-8")

    pod = Pod.from_words(["--step", TOLD.to_text(), "--outputs", "/out", "--input", f"@{file}"])

    assert pod.texts == {"text": '"é @x"'}


def test_inputs_are_typed_and_defaults_stand_for_what_is_absent(store, tmp_path):
    step = build_step(a_pod(tmp_path, n="3.0", share="", note='{"a":1}', size='"m"'), store)

    assert step.source == "def add(n):\n    return [n]\n"
    assert step.inputs == {
        "n": Input(3, 3),
        "share": Input(0.5, 0.5),
        "note": Input('{"a": 1}', '{"a": 1}'),
        "size": Input("m", "m"),
    }


def test_a_programs_arguments_name_the_run(store, tmp_path):
    told = Told("shout", argv=("echo", "{{$.pipeline_job_name}} {{$.inputs.parameters['a']}}"))
    pod = Pod(told, None, tmp_path, {}, run={"pipeline_job_name": "run-1"})

    assert build_step(pod, store).argv == ("echo", "run-1 {{$.inputs.parameters['a']}}")


def test_null_is_given_where_it_is_allowed(store, tmp_path):
    assert build_step(a_pod(tmp_path, n="1", note="null"), store).inputs["note"] == Input(None, None)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({}, "add: input 'n': its task gave no value, because it was skipped or failed; make the input optional"),
        ({"n": '"x"'}, "add: input 'n': got 'x', allowed is NUMBER_INTEGER"),
        ({"n": "1", "size": '"l"'}, "add: input 'size': got 'l'; allowed: 's', 'm'"),
        ({"n": "x"}, "add: input 'n': got 'x'; JSON is needed here"),
    ],
)
def test_what_does_not_fit_is_a_mistake(store, tmp_path, texts, message):
    with pytest.raises(Mistake) as raised:
        build_step(a_pod(tmp_path, **texts), store)

    assert str(raised.value).startswith(message)


def test_a_single_artifact_is_a_list_where_a_list_is_asked_for(store, tmp_path):
    told = Told("read", function="read", inputs={"files": "system.Dataset[]"})
    digest = "sha256:" + store.put_bytes(b'{"files":{},"kind":"absent","metadata":{}}')

    step = build_step(a_pod(tmp_path, told, files=digest), store)

    assert step.inputs["files"].value.digests == [digest]
    assert step.inputs["files"].identity == [digest]


def test_a_file_is_left_for_each_output_and_for_items(store, tmp_path):
    pod = a_pod(tmp_path, n="1")

    emit(pod, Outcome("ran", "sha256:k", {"Output": Output([1, "a"])}), store)

    assert (pod.outputs / "Output").read_text(encoding="utf-8") == '[1,"a"]'
    assert json.loads((pod.outputs / "Output-items").read_text(encoding="utf-8")) == ["1", '"a"']


def test_what_a_verdict_left_out_is_absent(store, tmp_path):
    pod = a_pod(tmp_path, n="1")

    emit(pod, Outcome("skipped", "sha256:k", exit_code=3), store)

    assert {file.name: file.read_text(encoding="utf-8") for file in pod.outputs.iterdir()} == {
        "Output": "",
        "Output-items": "",
    }


def test_without_a_store_nothing_runs(monkeypatch, capsys):
    monkeypatch.delenv("ARGOSY_STORE", raising=False)

    assert main(["--step", Told("a").to_text(), "--outputs", "/nowhere"]) == 2
    assert "ARGOSY_STORE: not set in this pod" in capsys.readouterr().err


def test_the_module_names_its_own_command():
    assert ("python3", "-m", argo.__name__) == argo.LAUNCH
