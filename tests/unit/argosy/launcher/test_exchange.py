import json
from pathlib import Path

import pytest

from argosy.errors import Mistake
from argosy.launcher.artifacts import Artifacts, store_artifact
from argosy.launcher.exchange import Pod, build_step, emit, local_path
from argosy.launcher.step import Outcome, Output
from argosy.launcher.store import open_store
from argosy.launcher.wrapping import Wrapping

KEY = ["sha256:producer", "seconds"]


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def a_pod(given=None, outputs=None, *, artifacts=None, command=("source",), **told):
    """Return a pod with input values; the types of its inputs and outputs are among what is told."""
    wrapping = Wrapping("train", function="train", source_at=0, **told)
    inputs = {"parameterValues": given or {}, "artifacts": artifacts or {}}
    return Pod(wrapping, {"inputs": inputs, "outputs": outputs or {}}, command)


def entry(path, **metadata):
    return {"artifacts": [{"name": "a", "uri": str(path), "metadata": metadata}]}


def step_of(pod, store):
    return build_step(pod, store)


# Command lines


def test_a_command_line_is_read():
    words = ["--step", Wrapping("train").to_text(), "--executor_input", '{"inputs":{}}', "--", "sh", "-c", "x"]

    pod = Pod.from_words(words)

    assert pod.wrapping.component == "train"
    assert (pod.given, list(pod.command)) == ({"inputs": {}}, ["sh", "-c", "x"])


def test_any_other_command_line_is_a_mistake():
    with pytest.raises(Mistake, match=r"usage: python3 -m argosy\.launcher\.pod"):
        Pod.from_words(["--step", "{}"])


# Values


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("NUMBER_INTEGER", 3.0, 3),
        ("NUMBER_DOUBLE", 3, 3.0),
        ("LIST", [1.0, {"a": 2.0}, 0.5], [1, {"a": 2}, 0.5]),
        ("STRUCT", {"a": [3.0]}, {"a": [3]}),
        ("STRING", "3.0", "3.0"),
        ("STRING", {"b": 1.0, "a": "é"}, '{"a": "é", "b": 1}'),
        ("BOOLEAN", False, False),
    ],
)
def test_values_get_their_declared_types_back(store, kind, given, wanted):
    found = step_of(a_pod({"x": given}, inputs={"x": kind}), store).inputs["x"]

    assert json.dumps(found.value) == json.dumps(wanted)
    assert (found.identity, found.measured) == (wanted, False)


def test_a_value_of_another_type_is_a_mistake(store):
    with pytest.raises(Mistake, match=r"train: input 'x': got '3', allowed is NUMBER_INTEGER"):
        step_of(a_pod({"x": "3"}, inputs={"x": "NUMBER_INTEGER"}), store)


def test_what_nobody_gave_is_not_given_on(store):
    pod = a_pod({"x": None}, inputs={"x": "STRING", "y": "STRING", "data": "system.Dataset"})

    assert step_of(pod, store).inputs == {}


def test_helpers_and_hidden_parameters_are_no_inputs(store):
    pod = a_pod({"x": "a", "pipelinechannel--y": 1, "argosy--of--x": "", "argosy--caching": ""}, inputs={"x": "STRING"})

    assert list(step_of(pod, store).inputs) == ["x"]


def test_a_measurement_is_known_by_its_producer(store):
    pod = a_pod({"x": 1.5, "argosy--of--x": json.dumps(KEY)}, inputs={"x": "NUMBER_DOUBLE"})

    found = step_of(pod, store).inputs["x"]

    assert (found.value, found.identity, found.measured) == (1.5, KEY, True)


def test_texts_of_channels_are_filled_in_as_on_every_target(store):
    given = {"x": ["{argosy{n}} and {argosy{o}}", "{argosy{t}}"], "n": 3.0, "o": {"b": 1.0, "a": "é"}, "t": "as it is"}

    found = step_of(a_pod(given, inputs={"x": "LIST"}), store).inputs["x"]

    assert found.value == ['3 and {"a": "é", "b": 1}', "as it is"]
    assert found.identity == found.value


def test_a_text_with_a_measurement_is_known_by_its_template_and_the_producer(store):
    given = {"x": "{argosy{n}} of {argosy{m}}", "n": 1.0, "m": 2.0, "argosy--of--m": json.dumps(KEY)}

    found = step_of(a_pod(given, inputs={"x": "STRING"}), store).inputs["x"]

    template = "{{$.inputs.parameters['n']}} of {{$.inputs.parameters['m']}}"
    assert (found.value, found.measured) == ("1 of 2", True)
    assert found.identity == [template, {"m": KEY, "n": 1}]


def test_a_text_of_what_nobody_gave_is_a_mistake(store):
    with pytest.raises(Mistake, match=r"train: input 'x': no value for n to put into a text"):
        step_of(a_pod({"x": "{argosy{pipelinechannel--n}}"}, inputs={"x": "STRING"}), store)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", (True, "")),
        ("null", (False, "")),
        ("{}", (False, "")),
        ('{"enableCache":true,"cacheKey":"k"}', (True, "k")),
    ],
)
def test_caching_is_as_the_author_chose(store, text, wanted):
    step = step_of(a_pod({"argosy--caching": text}), store)

    assert (step.cache, step.salt) == wanted


def test_the_step_is_as_its_component_declares(store, monkeypatch):
    monkeypatch.setenv("LEVEL", "7")
    pod = a_pod(
        outputs={}, command=("sh", "-c"), kind="fact", env=("LEVEL",), reads=("conf",), declared_env=("HOME",),
        measurements=("version",), natural_key=("model",), packages=("numpy",),
    )  # fmt: skip

    step = step_of(pod, store)

    assert (step.name, step.source, step.function, step.packages) == ("train", "sh", "train", ("numpy",))
    assert (step.kind, step.env, step.reads, step.declared_env) == ("fact", {"LEVEL": "7"}, ("conf",), ("HOME",))
    assert (step.measurements, step.natural_key) == (frozenset({"version"}), ("model",))


# Artifacts


def test_an_artifact_of_others_is_hashed_with_whole_numbers_whole(store, tmp_path):
    (tmp_path / "data").write_text("rows")
    here = store_artifact(store, tmp_path / "data", {"rows": 3})

    pod = a_pod(artifacts={"data": entry(tmp_path / "data", rows=3.0)}, inputs={"data": "system.Dataset"})

    assert step_of(pod, store).inputs["data"].identity == here.digest


def test_an_artifact_of_a_launcher_is_taken_from_the_store(store, tmp_path):
    (tmp_path / "data").write_text("rows")
    made = store_artifact(store, tmp_path / "data", {"share": 1.0})
    metadata = {"share": 1, "argosy_digest": made.digest, "display_name": "data", "argosy_identity": json.dumps(KEY)}

    pod = a_pod(artifacts={"data": entry("/nowhere", **metadata)}, inputs={"data": "system.Dataset"})
    found = step_of(pod, store).inputs["data"]

    assert found.value == made
    assert (found.identity, found.measured) == (KEY, True)


def test_an_artifact_that_the_store_has_lost_is_hashed_anew(store, tmp_path):
    (tmp_path / "data").write_text("rows")

    pod = a_pod(
        artifacts={"data": entry(tmp_path / "data", argosy_digest="sha256:" + "0" * 64)},
        inputs={"data": "system.Dataset"},
    )

    assert step_of(pod, store).inputs["data"].value == store_artifact(store, tmp_path / "data", {})


def test_a_list_of_artifacts_keeps_its_order(store, tmp_path):
    for name in "ba":
        (tmp_path / name).write_text(name)
    entries = {"artifacts": [entry(tmp_path / name)["artifacts"][0] for name in "ba"]}

    found = step_of(a_pod(artifacts={"files": entries}, inputs={"files": "system.Dataset[]"}), store).inputs["files"]

    digests = [store_artifact(store, tmp_path / name, {}).digest for name in "ba"]
    assert isinstance(found.value, Artifacts)
    assert (found.identity, found.measured) == (digests, False)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("minio://mlpipeline/v2/a", "/minio/mlpipeline/v2/a"),
        ("s3://b/k", "/s3/b/k"),
        ("gs://b/k", "/gcs/b/k"),
        ("/mnt/a", "/mnt/a"),
    ],
)
def test_a_uri_is_found_where_kubeflow_lays_it_out(uri, path):
    assert local_path(uri) == Path(path)


def test_a_uri_that_is_laid_out_nowhere_is_a_mistake():
    with pytest.raises(Mistake, match="only gs://, s3://, minio:// and paths"):
        local_path("https://example.org/a")


# Outputs


def asked(folder, *, parameters=(), artifacts=()):
    """Return where Kubeflow wants outputs: in a folder that is not there yet."""
    return {
        "parameters": {name: {"outputFile": str(folder / "values" / name)} for name in parameters},
        "artifacts": {name: entry(folder / "files" / name) for name in artifacts},
        "outputFile": str(folder / "executor_output.json"),
    }


def emitted(outcome, store, folder, **wanted):
    emit(a_pod(outputs=asked(folder, **wanted)), outcome, store)
    return json.loads((folder / "executor_output.json").read_text())


def test_values_are_written_in_kubeflows_form(store, tmp_path):
    outcome = Outcome("ran", "sha256:k", {"n": Output(3), "o": Output({"a": None})})

    written = emitted(outcome, store, tmp_path / "out", parameters=("n", "o"))

    assert written == {"parameterValues": {"n": 3, "o": {"a": None}}, "artifacts": {}}


def test_a_folder_is_copied_out_as_files_of_its_own(store, tmp_path):
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "deep" / "w").write_text("1")
    model = store_artifact(store, tmp_path / "model", {"framework": "onnx"})

    written = emitted(Outcome("reused", "k", {"model": Output(model)}), store, tmp_path / "out", artifacts=("model",))

    target = tmp_path / "out" / "files" / "model"
    assert (target / "deep" / "w").read_text() == "1"
    assert not (target / "deep" / "w").is_symlink()
    metadata = {"framework": "onnx", "argosy_digest": model.digest}
    assert written["artifacts"]["model"]["artifacts"] == [{"name": "a", "uri": str(target), "metadata": metadata}]


def test_an_output_that_was_left_out_stays_out(store, tmp_path):
    nothing = store_artifact(store, tmp_path / "nothing", {"accuracy": 0.5})

    written = emitted(Outcome("ran", "k", {"m": Output(nothing)}), store, tmp_path / "out", artifacts=("m",))

    assert not (tmp_path / "out" / "files" / "m").exists()
    assert written["artifacts"]["m"]["artifacts"][0]["metadata"]["accuracy"] == 0.5


def test_a_list_is_laid_out_by_number(store, tmp_path):
    (tmp_path / "a").write_text("a")
    one = store_artifact(store, tmp_path / "a", {})

    emitted(Outcome("ran", "k", {"l": Output(Artifacts((one, one)))}), store, tmp_path / "out", artifacts=("l",))

    assert [(tmp_path / "out" / "files" / "l" / name).read_text() for name in "01"] == ["a", "a"]


def test_a_measurement_tells_who_made_it(store, tmp_path):
    (tmp_path / "a").write_text("a")
    trace = Output(store_artifact(store, tmp_path / "a", {}), measured=True)
    outcome = Outcome("ran", "sha256:k", {"s": Output(1.5, measured=True), "v": Output(2), "trace": trace})

    hidden = ("s", "v", "argosy--of--s", "argosy--of--v")
    written = emitted(outcome, store, tmp_path / "out", parameters=hidden, artifacts=("trace",))

    told = written["parameterValues"]
    assert (json.loads(told["argosy--of--s"]), told["argosy--of--v"]) == (["sha256:k", "s"], "")
    metadata = written["artifacts"]["trace"]["artifacts"][0]["metadata"]
    assert json.loads(metadata["argosy_identity"]) == ["sha256:k", "trace"]
