import pytest

from argosy.errors import Mistake
from argosy.spec.declaration import read_declaration
from argosy.spec.model import Declaration


def test_an_environment_without_entries_declares_a_plain_step():
    assert read_declaration({"PATH": "/bin", "ARGOS": "x"}, "env") == Declaration()


def test_every_entry_is_read():
    env = {
        "ARGOSY_KIND": "move",
        "ARGOSY_READS": '["data/*.csv"]',
        "ARGOSY_ENV": '["HOME"]',
        "ARGOSY_MEASUREMENTS": '["seconds"]',
        "ARGOSY_VERDICTS": '["verdict"]',
        "ARGOSY_KEY": '["model", "$REGISTRY"]',
    }

    assert read_declaration(env, "env") == Declaration(
        kind="move",
        reads=("data/*.csv",),
        env=("HOME",),
        measurements=("seconds",),
        verdicts=("verdict",),
        key=("model", "$REGISTRY"),
    )


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (
            {"ARGOSY_KINDS": "step"},
            "env.ARGOSY_KINDS: unknown (did you mean 'ARGOSY_KIND'?); entries here: ARGOSY_KIND, ARGOSY_READS, "
            "ARGOSY_ENV, ARGOSY_MEASUREMENTS, ARGOSY_VERDICTS, ARGOSY_KEY",
        ),
        (
            {"ARGOSY_KIND": "xyz"},
            'env.ARGOSY_KIND: got "xyz"; allowed: step, observe, fact, move, deployment',
        ),
        ({"ARGOSY_READS": "data"}, 'env.ARGOSY_READS: got "data"; a JSON list of texts is needed here'),
        ({"ARGOSY_ENV": '"HOME"'}, 'env.ARGOSY_ENV: got "HOME"; a JSON list of texts is needed here'),
        ({"ARGOSY_KEY": "[1]"}, "env.ARGOSY_KEY: got [1]; a JSON list of texts is needed here"),
    ],
)
def test_an_entry_that_cannot_be_read_names_itself(env, message):
    with pytest.raises(Mistake) as caught:
        read_declaration(env, "env")

    assert str(caught.value) == message
