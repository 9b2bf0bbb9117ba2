import pytest

from argosy.errors import Mistake
from argosy.launcher.wrapping import (
    Wrapping,
    fill_in,
    is_wrapped,
    names_aside,
    own_command,
    put_back,
    set_aside,
    wrapped_command,
)

PROGRAM = Wrapping("convert", image="tool:1", argv=("tool", "{{$.inputs.artifacts['data'].path}}"), source_at=None)
FUNCTION = Wrapping(
    "train", function="train", source_at=0, packages=("numpy",), kind="fact", inputs={"rows": "NUMBER_INTEGER"},
    outputs={"model": "system.Model"}, env=("LEVEL",), reads=("conf",), natural_key=("model",), lock="the.lock",
)  # fmt: skip


@pytest.mark.parametrize("wrapping", [PROGRAM, FUNCTION, Wrapping("step", function="step")])
def test_what_is_written_is_read_again(wrapping):
    assert Wrapping.from_text(wrapping.to_text()) == wrapping


def test_no_placeholder_of_a_program_can_be_filled_in_on_the_way():
    assert "{{" not in PROGRAM.to_text()


def test_a_word_of_another_version_is_a_mistake():
    with pytest.raises(Mistake, match="compile it anew"):
        Wrapping.from_text(FUNCTION.to_text().replace('"format":1', '"format":2'))


def test_a_wrapped_command_is_known_and_gives_back_its_own():
    command = wrapped_command(FUNCTION, ["sh", "-c", "true"])

    assert is_wrapped(command)
    assert not is_wrapped(own_command(command))
    assert own_command(command) == ["sh", "-c", "true"]


def test_placeholders_for_parameters_are_set_aside_at_any_depth():
    value = [{"{{$.inputs.parameters['a']}}": ["x {{$.inputs.parameters['b--c']}}", 1, None, True]}]

    aside = set_aside(value)

    assert aside == [{"{argosy{a}}": ["x {argosy{b--c}}", 1, None, True]}]
    assert names_aside(aside) == ["a", "b--c"]
    assert put_back(aside) == value
    assert fill_in(aside, {"a": "A", "b--c": "{}"}) == [{"A": ["x {}", 1, None, True]}]


def test_other_placeholders_stay():
    text = "{{$.pipeline_job_name}} {{$.inputs.artifacts['a'].path}}"

    assert set_aside(text) == text
