"""The steps that judge a model run in processes of their own, where importing pandas would cost more than the work."""

import subprocess
import sys

import pytest

from argosy.evaluation.evaluate import evaluate
from tests.fakes.frames import frame_folder
from tests.fakes.judged_models import good_model

WINDOW = {"start": "2013-01-20", "end": "2013-01-31"}
PROGRAM = """
import sys
from pathlib import Path
folder = Path(sys.argv[1])
model, frame, predictions = folder / "model", folder / "frame", folder / "predictions"
window = {window!r}
{step}
print(sorted({{"pandas", "sklearn", "feast", "mlflow", "kfp", "xgboost"}} & set(sys.modules)))
"""
STEPS = {
    "evaluate": """
from argosy.evaluation.evaluate import evaluate
evaluate(model=model, frame=frame, slices=["carrier"], predictions=folder / "written", **window)
""",
    "compare": """
from argosy.evaluation.comparison import compare
assert compare(predictions=predictions, champion=model, frame=frame, margin=0.01)["champion"]
""",
    "test_model": """
from argosy.evaluation.behaviour import test_model
from argosy.evaluation.cases import Cases, Direction, Outage, TableKey
cases = Cases(
    directions=(Direction("a longer queue", {"queue": 10}, at_least=0.02),),
    outages=(Outage("rotation", ("aircraft",), max_cost=0.1),),
    table=(TableKey("carrier"), TableKey("minute_of_day", width=60)),
    slices=("carrier",),
    min_slice_rows=100,
)
assert test_model(model=model, frame=frame, cases=cases, **window)["ok"]
""",
    "measure": """
from argosy.evaluation.latency import measure
measure(model=model, frame=frame)
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged")
    model, frame = good_model(folder / "model"), frame_folder(folder / "frame", per_day=150)
    evaluate(model=model, frame=frame, slices=[], predictions=folder / "predictions", **WINDOW)
    return folder


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_step_that_judges_a_model_imports_no_pandas(folder, step):
    program = PROGRAM.format(window=WINDOW, step=step)

    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("[]\n", "")
