import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from argosy.errors import Mistake, Outage
from argosy.launcher.artifacts import Artifacts, store_artifact
from argosy.launcher.canonical import normal_json, unsubstituted_json
from argosy.launcher.parameters import Texts, encode_items, encode_literal, encode_output
from argosy.launcher.step import Input, Output
from argosy.launcher.store import open_store
from tests.fakes.argo_expressions import evaluate
from tests.fakes.argo_pod import expanded
from tests.fakes.argo_simulator import Node, Workflow, gathered
from tests.fakes.hostile_values import JSON, TEXTS

SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALUES = JSON | st.integers()
HOSTILE = 'She said "no"; it\'s {{item}} {{=workflow.name}}\n\té 漢 \u2028 <b> & \\u007b\\n'


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return open_store(str(tmp_path_factory.mktemp("parameters") / "store"))


def read(store, text, *, of_artifacts=False):
    return Texts(store, "a task", of_artifacts=of_artifacts).read(text)


def exactly(value):
    return json.dumps(value, sort_keys=True)


def through_tags(text):
    """Return what a pod is given of a text that comes by arguments and inputs, as Argo and Kubernetes fill it in."""
    workflow = Workflow({}, {}, Path())
    for tag in ("inputs.parameters.v", '=inputs.parameters["v"]', "inputs.parameters.v"):
        text = workflow.fill({"value": f"{{{{{tag}}}}}"}, {"inputs.parameters.v": text})["value"]
    return expanded(text, {"HOME": "/root"})


def through_rounds(texts, depth=1):
    """Return what a consumer is given of rounds, as Argo gathers them."""
    whole = gathered([Node("Succeeded", {"out": text}) for text in texts])
    return json.dumps({"argosy": "collected", "depth": depth, "of": whole["out"]})


@SETTINGS
@given(value=VALUES)
@example(value=HOSTILE)
@example(value={"argosy": "measured"})
@example(value=["x" * 100_000])
@example(value=2**53 + 1)
def test_a_value_arrives_as_it_was_and_gives_argo_nothing_to_substitute(store, value):
    value = normal_json(value)

    text = encode_output(Output(value), "sha256:k", "out", store)

    assert "{{" not in text
    assert len(text) <= 1024
    assert through_tags(text) == text
    assert exactly(read(store, text).value) == exactly(value)
    assert read(store, text) == Input(value, value)


@SETTINGS
@given(values=st.lists(VALUES, min_size=1, max_size=4))
@example(values=[["{{x}}"], ["{{=y}}"]])
@example(values=[{"n": 1e20}, [1e22, 0.1]])
@example(values=[[2**53 + 1], [1]])
@example(values=[[1], "[1]"])
def test_what_rounds_gave_arrives_as_a_list_however_argo_reads_it(store, values):
    values = [normal_json(value) for value in values]
    texts = [encode_output(Output(value), "sha256:k", "out", store) for value in values]

    text = through_rounds(texts)

    assert "{{" not in text
    assert through_tags(text) == text
    assert exactly(read(store, text).value) == exactly(values)


@SETTINGS
@given(
    values=st.lists(st.lists(st.integers(-9, 9) | TEXTS | st.lists(st.booleans()), max_size=3), min_size=1, max_size=3)
)
def test_rounds_of_rounds_arrive_as_lists_of_lists(store, values):
    inner = []
    for each in values:
        nodes = [Node("Succeeded", {"out": encode_output(Output(value), "k", "out", store)}) for value in each]
        inner.append((gathered(nodes) or {"out": "[]"})["out"])

    assert exactly(read(store, through_rounds(inner, depth=2)).value) == exactly(values)


@SETTINGS
@given(values=st.lists(VALUES, max_size=4))
def test_items_of_a_loop_keep_their_types(store, values):
    values = [normal_json(value) for value in values]

    items = json.loads(encode_items(Output(values), "sha256:k", "out", store))

    assert all(isinstance(item, str) and "{{" not in item for item in items)
    assert exactly([read(store, item).value for item in items]) == exactly(values)


@pytest.mark.parametrize("text", ["a, b", "[NaN]", '["\\ud800"]', '{"a": 1}'])
def test_of_what_is_no_list_of_values_the_loop_is_given_the_text(store, text):
    assert json.loads(encode_items(Output(text), "sha256:k", "out", store)) == text


def test_rounds_that_gave_nothing_are_left_out(store):
    assert read(store, through_rounds(["1", "", "2"])).value == [1, 2]
    assert read(store, json.dumps({"argosy": "collected", "depth": 1, "of": ""})) is None


def test_nothing_is_not_null(store):
    assert read(store, "") is None
    assert read(store, "null") == Input(None, None)


def test_an_artifact_is_its_digest_and_a_list_of_them_a_list(store, tmp_path):
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    one = store_artifact(store, file, {"rows": 1})

    assert encode_output(Output(one), "k", "out", store) == one.digest
    assert read(store, one.digest, of_artifacts=True) == Input(one, one.digest)
    both = encode_output(Output(Artifacts((one, one))), "k", "out", store)
    assert read(store, both, of_artifacts=True).value == Artifacts((one, one))
    assert read(store, through_rounds([one.digest, both]), of_artifacts=True).value == Artifacts((one, one, one))


def test_a_measurement_keeps_what_stands_for_it_in_keys(store):
    text = encode_output(Output(0.5, measured=True), "sha256:k", "seconds", store)

    assert read(store, text) == Input(0.5, ["sha256:k", "seconds"], measured=True)
    assert read(store, through_rounds([text, text])) == Input([0.5, 0.5], [["sha256:k", "seconds"]] * 2, measured=True)


def test_items_of_a_measured_list_are_told_apart(store):
    items = json.loads(encode_items(Output([7], measured=True), "sha256:k", "out", store))

    assert read(store, items[0]) == Input(7, [["sha256:k", "out"], 0], measured=True)


def test_a_field_of_an_object_or_of_its_json_text(store):
    for value in ({"a": [1]}, '{"a": [1]}'):
        text = unsubstituted_json({"argosy": "field", "name": "a", "of": unsubstituted_json(value)})
        assert read(store, text) == Input([1], [1])

    with pytest.raises(Mistake, match=r"a task: \{'b': 1\} has no field 'a'; give an object that has it"):
        read(store, unsubstituted_json({"argosy": "field", "name": "a", "of": '{"b":1}'}))


def test_a_text_is_put_together_from_channels(store):
    channel = "{{$.inputs.parameters['pipelinechannel--n']}}"
    text = {"argosy": "text", "value": [f"{channel} of {channel}"], "channels": {"pipelinechannel--n": "3"}}

    assert read(store, unsubstituted_json(text)).value == ["3 of 3"]
    with pytest.raises(Mistake, match=r"^n: no value to put into a text"):
        read(store, unsubstituted_json(text | {"channels": {"pipelinechannel--n": ""}}))


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["Succeeded", "Skipped"], "COMPLETE"),
        (["Succeeded", "Failed"], "FAILED"),
        (["Error", "Omitted"], "FAILED"),
        (["Skipped", "Omitted"], "SKIPPED"),
    ],
)
def test_the_status_of_a_group_follows_from_its_tasks(store, states, state):
    found = read(store, json.dumps({"argosy": "status", "name": "body", "states": states, "run": "w"})).value

    assert (found["state"], found["pipelineTaskName"], found["pipelineJobResourceName"]) == (state, "body", "w")
    assert bool(found["error"]) is (state == "FAILED")


def test_what_is_no_json_is_refused_with_what_is_needed(store):
    with pytest.raises(Mistake, match=r"a task: got 'month'; JSON is needed here, a text in double quotes"):
        read(store, "month")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("NaN", "got nan; JSON has no such number"),
        ("[1e400]", r"\[0\]: got inf; JSON has no such number"),
        (r'"\ud800"', r'got "\\ud800"; UTF-8 has no half of a surrogate pair'),
        ("[" * 101 + "]" * 101, "got more than 100 lists or objects within each other"),
        ("[" * 100_000, "JSON is needed here"),
    ],
)
def test_what_python_reads_and_json_does_not_have_is_refused_with_its_place(store, text, message):
    with pytest.raises(Mistake, match=f"^a task.*{message}"):
        read(store, text)


def test_a_value_that_is_no_longer_in_the_store_is_an_outage(store):
    with pytest.raises(Outage, match=r"sha256:00 in .* is missing or damaged"):
        read(store, "sha256:00")


def test_a_number_that_json_does_not_have_is_refused_by_name():
    with pytest.raises(Mistake, match=r"tasks\.t: got nan; JSON has no such number"):
        encode_literal(math.nan, "tasks.t")


def test_a_number_in_a_manifest_is_one_to_argo_too():
    assert evaluate(f"fromJSON({json.dumps(encode_literal(3, 't'))}) == 3", {}) is True
