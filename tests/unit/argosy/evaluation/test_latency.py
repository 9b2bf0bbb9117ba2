import doctest
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from argosy.evaluation import latency
from argosy.evaluation.latency import MAX_CALLS, measure
from tests.fakes.frames import frame_folder
from tests.fakes.judged_models import good_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return good_model(tmp_path_factory.mktemp("models") / "good")


def test_a_measurement_says_how_fast_and_how_large_the_model_is(model, tmp_path):
    measured = measure(model=model, frame=frame_folder(tmp_path / "frame", days=3))

    assert json.loads(json.dumps(measured)) == measured
    assert 0 < measured["p50_us"] <= measured["p99_us"]
    assert measured["cpu_p99_us"] > 0
    assert 0 < measured["n_calls"] <= MAX_CALLS
    assert measured["rows_per_s"] > 0
    assert measured["size_bytes"] == sum(path.stat().st_size for path in model.iterdir())


def test_a_frame_without_rows_cannot_be_measured_with(model, tmp_path):
    frame = frame_folder(tmp_path / "frame", days=1)
    part = frame / "part-2013-01.parquet"
    empty = pq.read_table(part).slice(0, 0)
    pq.write_table(pa.table(empty), part)

    with pytest.raises(BadInput, match="no rows to measure with"):
        measure(model=model, frame=frame)


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(latency).failed == 0
