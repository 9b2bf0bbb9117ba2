import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from argosy.launcher.artifacts import is_sound, read_manifest
from argosy.launcher.attempt import clear_folder
from argosy.launcher.step import Output
from tests.fakes.launching import a_step

WRITE = "def step(text: str, out: Output[Dataset]):\n    open(out.path, 'w').write(text)\n"


def written(lab, text="content"):
    """Return a committed dataset as the input of another step."""
    outcome = lab.launch(a_step(WRITE, name="write", inputs={"text": text}, outputs={"out": "system.Dataset"}))
    return outcome.outputs["out"].as_input(outcome.key, "out")


def value(lab, code, kind, **more):
    outcome = lab.launch(a_step(code, outputs={"Output": kind}, **more))
    assert outcome.status == "ran", outcome.error
    return outcome.outputs["Output"].value


def failure(lab, code, outputs, **more):
    """Return the error of a step that has to fail and to leave nothing."""
    outcome = lab.launch(a_step(code, outputs=outputs, **more))

    assert (outcome.status, outcome.exit_code, outcome.outputs) == ("failed", 1, {})
    assert outcome.log
    assert lab.records(outcome) == []
    assert lab.scratch() == []
    return outcome.error


@pytest.mark.parametrize(
    ("annotation", "kind", "text", "expected"),
    [
        ("int", "NUMBER_INTEGER", "3", 3),
        ("float", "NUMBER_DOUBLE", "3.0", 3.0),
        ("str", "STRING", "'3'", "3"),
        ("bool", "BOOLEAN", "True", True),
        ("list", "LIST", "[1.0, {'a': 2.5}]", [1, {"a": 2.5}]),
        ("dict", "STRUCT", "{'b': 1, 'a': None}", {"a": None, "b": 1}),
    ],
)
def test_a_returned_value_has_its_declared_type(lab, annotation, kind, text, expected):
    found = value(lab, f"def step() -> {annotation}:\n    return {text}\n", kind)

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("annotation", "kind", "text", "expected"),
    [("int", "NUMBER_INTEGER", "7", 7), ("str", "STRING", "7", "7"), ("dict", "STRUCT", '{"a": 1.0}', {"a": 1})],
)
def test_a_value_may_be_written_to_a_path(lab, annotation, kind, text, expected):
    assert value(
        lab, f"def step(Output: OutputPath({annotation})):\n    open(Output, 'w').write('{text}')\n", kind
    ) == (expected)


def test_several_values_are_named(lab):
    code = "def step() -> NamedTuple('Both', low=int, high=int):\n    return 1, 2\n"

    outcome = lab.launch(a_step(code, outputs={"low": "NUMBER_INTEGER", "high": "NUMBER_INTEGER"}))

    assert outcome.values() == {"low": 1, "high": 2}


@pytest.mark.parametrize(
    ("code", "kind", "error"),
    [
        ("def step() -> int:\n    pass\n", "NUMBER_INTEGER", "returned no value for its output 'Output'"),
        ("def step() -> int:\n    return 'x'\n", "NUMBER_INTEGER", "want type <class 'int'>"),
        ("def step() -> int:\n    return True\n", "NUMBER_INTEGER", "got True, allowed is NUMBER_INTEGER"),
        ("def step(Output: OutputPath(int)):\n    pass\n", "NUMBER_INTEGER", "returned no value"),
        (
            "def step(Output: OutputPath(int)):\n    open(Output, 'w').write('x')\n",
            "NUMBER_INTEGER",
            "cannot be stored",
        ),
        ("def step(Output: OutputPath(int)):\n    open(Output, 'wb').write(b'\\xff')\n", "NUMBER_INTEGER", "utf-8"),
        ("def step(Output: OutputPath(int)):\n    open(Output, 'w').write('[]')\n", "NUMBER_INTEGER", r"got \[\]"),
        ("def step() -> float:\n    return float('nan')\n", "NUMBER_DOUBLE", "got nan; JSON has no such number"),
        ("def step() -> dict:\n    return {'a': [float('inf')]}\n", "STRUCT", r"\.a\[0\]: got inf; JSON has"),
        ("def step() -> str:\n    return chr(0xD800)\n", "STRING", r'got "\\ud800"; UTF-8 has no half of a'),
    ],
)
def test_an_output_that_is_not_what_was_declared_fails_the_step(lab, code, kind, error):
    assert re.search(error, failure(lab, code, {"Output": kind}))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("out.metadata['auc'] = float('nan')", "not JSON compliant"),
        ("import os; os.mkdir(out.path); os.symlink('.', out.path + '/root')", "root in out is neither"),
        ("import os; os.mkdir(out.path); open(os.fsencode(out.path) + b'/\\xff', 'w').close()", "is not UTF-8"),
    ],
    ids=["NaN", "link", "name"],
)
def test_an_artifact_that_cannot_be_stored_fails_the_step(lab, code, error):
    assert error in failure(lab, f"def step(out: Output[Metrics]):\n    {code}\n", {"out": "system.Metrics"})


def test_metadata_of_an_artifact_reaches_its_consumer_as_the_type_it_declares(lab):
    save = "def step(out: Output[Model]):\n    open(out.path, 'w').close()\n    out.framework = 'onnx'\n"
    saved = lab.launch(a_step(save, outputs={"out": "system.Model"}))
    load = "def step(model: Input[Model]) -> str:\n    return f'{type(model).__name__} {model.framework}'\n"

    given = {"model": saved.outputs["out"].as_input(saved.key, "out")}

    assert value(lab, load, "STRING", inputs=given) == "Model onnx"


def test_metrics_without_a_file_are_an_artifact(lab):
    outcome = lab.launch(
        a_step("def step(out: Output[Metrics]):\n    out.log_metric('auc', 0.8)\n", outputs={"out": "system.Metrics"})
    )

    artifact = outcome.outputs["out"].value
    assert artifact.metadata == {"auc": 0.8}
    assert read_manifest(lab.store, artifact.digest)["kind"] == "absent"


def test_a_step_reads_its_inputs(lab):
    code = "def step(data: Input[Dataset], n: int, path: str = 'x') -> str:\n    return open(data.path).read() * n\n"

    assert value(lab, code, "STRING", inputs={"data": written(lab), "n": 2}) == "contentcontent"


def test_reading_an_input_is_no_change_of_it(lab):
    code = "def step(data: Input[Dataset]) -> int:\n    return len(open(data.path).read())\n"

    assert value(lab, code, "NUMBER_INTEGER", inputs={"data": written(lab)}) == 7


@pytest.mark.parametrize(
    "damage",
    [
        "os.chmod(data.path, 0o644); open(data.path, 'w').write('conten7')",
        "os.remove(data.path)",
        "os.remove(data.path); open(data.path, 'w').write('content')",
    ],
    ids=["written", "removed", "replaced"],
)
def test_a_step_that_writes_into_its_inputs_fails(lab, damage):
    code = f"def step(data: Input[Dataset]) -> int:\n    import os; {damage}\n    return 1\n"

    error = failure(lab, code, {"Output": "NUMBER_INTEGER"}, inputs={"data": written(lab)})

    assert error == "step: wrote into its inputs (data); copy what has to change"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write into what is read-only")
def test_what_root_writes_into_its_inputs_does_not_reach_the_store(lab):
    data = written(lab)
    spoil = "open(data.path, 'w').write('conten7')"
    lab.launch(a_step(f"def step(data: Input[Dataset]) -> int:\n    {spoil}\n    return 1\n", inputs={"data": data}))

    assert is_sound(lab.store, data.value, reread=True)


def test_a_damaged_blob_is_not_read_but_made_again(lab):
    data = written(lab)
    for sha256, size in data.value.blobs.items():
        if size == len("content"):
            blob = lab.store.blob_file(sha256)
            blob.chmod(0o644)
            blob.write_text("conten7")
    read = a_step(
        "def step(data: Input[Dataset]) -> str:\n    return open(data.path).read()\n",
        inputs={"data": data},
        outputs={"Output": "STRING"},
    )

    hungry = lab.launch(read)
    remade = written(lab)

    assert (hungry.status, hungry.exit_code) == ("failed", 75)
    assert "missing or damaged; run the pipeline again" in hungry.error
    assert remade.identity == data.identity
    assert lab.launch(read).outputs["Output"] == Output("content")


def test_a_step_is_told_the_digests_of_its_inputs_and_its_own_environment(lab):
    code = (
        "def step(data: Input[Dataset]) -> dict:\n    import os\n"
        "    return {n: os.environ.get(n) for n in ('ARGOSY_INPUTS', 'LEVEL', 'ARGOSY_SERVING_URL')}\n"
    )
    lab.env = {"ARGOSY_SERVING_URL": "http://host"}
    data = written(lab)

    told = value(lab, code, "STRUCT", inputs={"data": data}, env={"LEVEL": "3"})

    assert json.loads(told.pop("ARGOSY_INPUTS")) == {"data": data.identity}
    assert told == {"LEVEL": "3", "ARGOSY_SERVING_URL": "http://host"}


def test_a_step_works_in_an_empty_folder(lab):
    assert value(lab, "def step() -> list:\n    import os\n    return os.listdir()\n", "LIST") == []


def test_nothing_of_an_attempt_stays_in_the_scratch_folder(lab):
    lab.launch(a_step("def step() -> int:\n    open('mine', 'w').write('x')\n    return 1\n"))

    assert lab.scratch() == []


@pytest.fixture
def as_nobody():
    """Return a folder of a user to whom modes mean something, and be that user meanwhile."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o777)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield place
    os.seteuid(before)
    shutil.rmtree(place)


def test_a_scratch_folder_is_cleared_whatever_its_modes_are(as_nobody):
    kept = as_nobody / "kept"
    kept.mkdir(mode=0o500)
    folder = as_nobody / "scratch"
    (folder / "out" / "deep").mkdir(parents=True)
    (folder / "out" / "deep" / "file").touch()
    (folder / "link").symlink_to(kept)
    for path in (folder / "out" / "deep", folder / "out", folder):
        path.chmod(0)

    clear_folder(folder)

    assert list(as_nobody.iterdir()) == [kept]
    assert kept.stat().st_mode & 0o777 == 0o500


def test_an_optional_artifact_is_given_as_what_its_component_says_it_is(lab):
    made = lab.launch(a_step("def step(data: Output[Dataset]):\n    open(data.path, 'w').write('x')\n",
                             outputs={"data": "system.Dataset"}))  # fmt: skip
    code = "def step(data: Optional[Input[Dataset]] = None) -> str:\n    return type(data).__name__\n"
    given = {"data": made.outputs["data"].as_input(made.key, "data")}

    taken = lab.launch(a_step(code, inputs=given, outputs={"Output": "STRING"}, types={"data": "system.Dataset"}))
    left_out = lab.launch(a_step(code, outputs={"Output": "STRING"}, types={"data": "system.Dataset"}))

    assert (taken.values(), left_out.values()) == ({"Output": "Dataset"}, {"Output": "NoneType"})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("BOOLEAN", "True\n", True), ("BOOLEAN", "0", False), ("BOOLEAN", "F", False),
        ("NUMBER_INTEGER", "05\n", 5), ("NUMBER_INTEGER", "+5", 5), ("NUMBER_INTEGER", "5.0", 5),
        ("NUMBER_DOUBLE", ".5", 0.5), ("NUMBER_DOUBLE", "5", 5.0), ("STRING", "True\n", "True\n"),
        ("LIST", "[1.0]\n", [1]),
    ],
)  # fmt: skip
def test_a_value_is_read_from_its_file_as_kubeflow_reads_it(lab, kind, text, value):
    code = f"def step(out: OutputPath(str)):\n    open(out, 'w').write({text!r})\n"

    outcome = lab.launch(a_step(code, outputs={"out": kind}))

    assert (outcome.error, outcome.values()) == ("", {"out": value})
    assert type(outcome.values()["out"]) is type(value)
