"""The shapes that every engine is held to, on Argo: compiled, simulated, with the real launcher in each pod."""

import json

import pytest

from tests.fakes.argo_engine import run_argo
from tests.fakes.shapes.cases import CASES

ALWAYS = {"chain", "elif of three", "loop over nothing", "collected artifacts", "text given"}


def exactly(value):
    """Return a value as a text: 1, 1.0 and true are equal in Python, and are three things to a step."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ALWAYS else [pytest.mark.slow]) for name in CASES]
)
def test_a_workflow_gives_what_the_shape_says(specs, tmp_path, name):
    case, left = CASES[name], tmp_path / "left"
    left.mkdir()
    arguments = {**case.arguments, **({} if case.left is None else {"folder": str(left)})}

    ended = run_argo(specs / f"{case.pipeline}.yaml", arguments, tmp_path)

    assert ended.status == case.status, ended.why
    assert exactly(ended.outputs) == exactly(case.outputs)
    assert {file.name: file.read_text(encoding="utf-8") for file in left.iterdir()} == (case.left or {})
