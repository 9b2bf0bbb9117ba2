import subprocess
import sys

from tests.fakes.launching import Lab, a_step
from tests.fakes.projects import ROOT, project_env

DEBUGGED = """
import os, sys
from pathlib import Path
from argosy.local.debugger import debug
from tests.fakes.launching import Lab, a_step
folder = os.getcwd()
outcome = Lab(Path(sys.argv[1])).launch(a_step(sys.argv[2]), execute=debug)
print("OUTCOME", outcome.status, outcome.values(), os.getcwd() == folder)
"""


def debugged(folder, code, commands):
    """Debug a step in a process of its own, with commands for the debugger; return what was printed."""
    command = [sys.executable, "-c", DEBUGGED, str(folder), code]
    return subprocess.run(
        command, cwd=ROOT, env=project_env(ROOT), input=commands, capture_output=True, text=True
    ).stdout


def test_a_breakpoint_in_a_step_opens_the_debugger_and_the_step_is_committed_as_any_other(tmp_path):
    code = "def step() -> int:\n    answer = 42\n    breakpoint()\n    return answer\n"

    said = debugged(tmp_path / "project", code, "p answer + 1\nc\n")

    assert "43" in said
    assert "OUTCOME ran {'Output': 42} True" in said
    assert Lab(tmp_path / "project").launch(a_step(code)).status == "reused"


def test_an_exception_opens_the_debugger_where_it_was_raised(tmp_path):
    code = "def step() -> int:\n    answer = 42\n    raise ValueError('no')\n"

    said = debugged(tmp_path / "project", code, "p answer + 1\nq\n")

    assert "43" in said
    assert "OUTCOME failed {} True" in said
