from types import SimpleNamespace

import pytest

from argosy.errors import Mistake
from argosy.kubeflow.declare import step


def a_shell(env=None):
    """Return what `@dsl.component` makes, as far as a declaration looks at it."""
    container = SimpleNamespace(env=env)
    implementation = SimpleNamespace(container=container)
    spec = SimpleNamespace(name="train", inputs={"data": None}, outputs={"model": None}, implementation=implementation)
    return SimpleNamespace(component_spec=spec)


def env_of(shell):
    return shell.component_spec.implementation.container.env


def test_only_what_was_said_is_written():
    shell = step(kind="fact", measurements=["model"])(a_shell())

    assert env_of(shell) == {"ARGOSY_KIND": "fact", "ARGOSY_MEASUREMENTS": '["model"]'}


def test_an_environment_that_is_there_stays():
    shell = step(reads=["conf"])(a_shell({"LEVEL": "1"}))

    assert env_of(shell) == {"LEVEL": "1", "ARGOSY_READS": '["conf"]'}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"kind": "fakt"}, r"ARGOSY_KIND: got \"fakt\" \(did you mean 'fact'\?\)"),
        ({"measurements": ["modle"]}, r"'modle' is unknown \(did you mean 'model'\?\)"),
        ({"verdicts": ["data"]}, "ARGOSY_VERDICTS: 'data' is unknown"),
        ({"key": ["model"]}, "ARGOSY_KEY: 'model' is unknown"),
        ({"reads": [""]}, "ARGOSY_READS: got .* a JSON list of texts"),
    ],
)
def test_a_wrong_word_is_refused_where_it_is_written(words, message):
    with pytest.raises(Mistake, match=message):
        step(**words)(a_shell())


def test_a_key_may_name_the_environment():
    shell = step(key=["data", "$REGISTRY"])(a_shell())

    assert env_of(shell) == {"ARGOSY_KEY": '["data", "$REGISTRY"]'}


def test_a_plain_function_cannot_be_declared():
    with pytest.raises(Mistake, match=r"stands above @dsl\.component"):
        step()(print)
