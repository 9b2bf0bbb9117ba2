import os
import re
import sys
from pathlib import Path

import pytest

from argosy.evaluation.boot import boots_in_server
from tests.fakes import boot_server
from tests.fakes.judged_models import good_model

EXAMPLE = {"minute_of_day": 600.0, "carrier": "AA", "queue": 3.0, "prev_delay": None}
FAKE = Path(boot_server.__file__)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return good_model(tmp_path_factory.mktemp("models") / "good")


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_good_model_boots_in_the_real_server(model):
    finding = boots_in_server(model, EXAMPLE)

    assert finding.kind == "server"
    assert finding.ok, finding.message


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("exits", r"ended with exit code 7 before it was ready; the server said: cannot load the graph"),
        ("never-ready", r"GET /ready did not answer 200 within 1\.5 s \(last: 503\)"),
        ("other-answer", r"POST /predict answered 200 with 0\.5, the runtime says 0\.1"),
        ("refuses", r"no probability \(KeyError: 'probability'\)"),
        pytest.param("ignores-sigterm", r"POST /predict answered 200 with 0\.5", marks=pytest.mark.slow),
        ("not-json", r"no probability \(JSONDecodeError"),
    ],
)
def test_a_server_that_fails_is_a_finding_and_leaves_no_process(model, tmp_path, mode, message):
    pid_file = tmp_path / "pid"
    finding = boots_in_server(model, EXAMPLE, command=[sys.executable, str(FAKE), mode, str(pid_file)], timeout_s=1.5)

    assert not finding.ok
    assert re.search(message, finding.message), finding.message
    assert not is_running(int(pid_file.read_text()))
