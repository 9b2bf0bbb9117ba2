import pytest

from argosy.errors import Mistake, Unsupported
from argosy.spec.fields import Fields
from argosy.spec.model import ABSENT, ArtifactSlot, Parameter
from argosy.spec.signatures import read_inputs
from tests.fakes.specs import a_parameter, an_artifact, definitions


def read(**slots):
    fields = Fields({"inputDefinitions": definitions(slots)}, "c")
    found = read_inputs(fields)
    fields.require_all_read()
    return found


def test_parameters_and_artifacts_are_read():
    found = read(
        rows=a_parameter("NUMBER_INTEGER", defaultValue=3.0, isOptional=True, description="How many."),
        note=a_parameter(isOptional=True),
        profile=a_parameter(literals=["year", "month"]),
        data=an_artifact("system.Dataset", isOptional=True),
    )

    assert found == {
        "rows": Parameter("rows", "NUMBER_INTEGER", optional=True, default=3),
        "note": Parameter("note", "STRING", optional=True, default=ABSENT),
        "profile": Parameter("profile", "STRING", literals=("year", "month")),
        "data": ArtifactSlot("data", "system.Dataset", optional=True),
    }
    assert isinstance(found["rows"].default, int)


def test_a_parameter_with_a_default_is_optional():
    assert read(rows=a_parameter("LIST", defaultValue=[]))["rows"].optional


@pytest.mark.parametrize(
    ("slot", "message"),
    [
        (a_parameter("STRINGS"), "parameters.a.parameterType: got 'STRINGS' (did you mean 'STRING'?); allowed: "),
        (a_parameter(""), "parameters.a.parameterType: missing"),
        (a_parameter("NUMBER_INTEGER", defaultValue=0.5), "parameters.a.defaultValue: got 0.5; a whole number"),
        (a_parameter(defaultvalue=1), "parameters.a.defaultvalue: unread field (did you mean 'defaultValue'?)"),
        (a_parameter(literals="a"), 'parameters.a.literals: got "a"; a list is needed here'),
        (an_artifact(""), "artifacts.a.artifactType.schemaTitle: missing"),
        (an_artifact(properties={"x": 1}), "artifacts.a.properties: unread field"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_place(slot, message):
    with pytest.raises(Mistake) as caught:
        read(a=slot)

    assert str(caught.value).startswith(f"c.inputDefinitions.{message}")


def test_a_task_config_is_refused_by_name():
    with pytest.raises(Unsupported) as caught:
        read(a=a_parameter("TASK_CONFIG"))

    place = "c.inputDefinitions.parameters.a.parameterType"
    assert str(caught.value).startswith(f"{place}: task config passthrough: unsupported: ")


def test_a_final_status_is_an_object_and_a_list_of_artifacts_a_list():
    assert read(a=a_parameter("TASK_FINAL_STATUS"))["a"].type == "STRUCT"
    assert read(a=an_artifact(isArtifactList=True))["a"].is_list


def test_a_name_is_used_once():
    both = {"inputDefinitions": {"parameters": {"a": a_parameter()}, "artifacts": {"a": an_artifact()}}}

    with pytest.raises(Mistake, match="'a' is a parameter too"):
        read_inputs(Fields(both))
