from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from argosy.validation.features import check_features
from tests.fakes.flights import real_tables
from tests.fakes.frames import frame_folder

if TYPE_CHECKING:
    from pathlib import Path

JANUARY = {"start": "2013-01-01", "end": "2013-02-01"}
PROGRAM = """
import sys
from pathlib import Path
from argosy.validation.features import check_features
assert check_features(frame=Path(sys.argv[1]), start="2013-01-01", end="2013-02-01")["ok"]
print(sorted({"pandas", "sklearn", "duckdb", "onnxruntime", "kfp"} & set(sys.modules)))
"""


@pytest.fixture
def frame(tmp_path: Path) -> Path:
    return frame_folder(tmp_path / "frame", days=40, per_day=60)


def listed(name: str, kind: str = "number") -> dict[str, str]:
    return {"name": name, "type": kind, "group": "schedule", "description": ""}


def plant(frame: Path, name: str, values: pa.Array, *, kind: str = "number", month: str = "2013-01") -> None:
    """Add a column to a part and list it as a feature."""
    part = frame / f"part-{month}.parquet"
    pq.write_table(pq.read_table(part).append_column(name, values), part)
    schema = json.loads((frame / "schema.json").read_text())
    schema["features"].append(listed(name, kind))
    (frame / "schema.json").write_text(json.dumps(schema))


def labels_of(frame: Path, month: str = "2013-01") -> pa.ChunkedArray:
    return pq.read_table(frame / f"part-{month}.parquet")["y"]


def test_honest_features_are_accepted(frame: Path):
    verdict = check_features(frame=frame, **JANUARY)

    assert verdict == {"verdict": "accepted", "ok": True, "reasons": [], "findings": []}


def test_the_departure_delay_of_real_flights_is_refused_by_its_name(tmp_path: Path):
    flights = real_tables()["flights"]
    late = pc.greater_equal(flights["arr_delay"], 15).cast(pa.int8())
    features = {name: flights[name].cast(pa.float32()) for name in ("sched_dep_time", "distance", "dep_delay")}
    pq.write_table(pa.table({"day": flights["day"], "y": late, **features}), tmp_path / "part-2013-01.parquet")
    (tmp_path / "schema.json").write_text(json.dumps({"features": [listed(name) for name in features]}))

    verdict = check_features(frame=tmp_path, **JANUARY)

    assert (verdict["verdict"], verdict["ok"]) == ("rejected", False)
    assert verdict["reasons"] == [
        "BLOCK frame.dep_delay: alone it has an AUC of 0.885, allowed 0.80; it knows the outcome, leave it out"
    ]
    assert [finding["column"] for finding in verdict["findings"]] == ["dep_delay"]


def test_an_age_that_knows_the_outcome_is_refused_as_any_number(frame: Path):
    ages = pc.if_else(pc.equal(labels_of(frame), 1), 30.0, 3600.0).cast(pa.float32())
    plant(frame, "arrival_age_s", ages)

    (reason,) = check_features(frame=frame, **JANUARY)["reasons"]

    assert reason.startswith("BLOCK frame.arrival_age_s: alone it has an AUC of 1.000")


@pytest.mark.parametrize(("kind", "cause"), [("category", "carrier's fault"), ("number", np.float32(3))])
def test_what_is_filled_in_only_when_the_outcome_is_known_is_refused(frame: Path, kind: str, cause: object):
    value = pa.scalar(cause, pa.string() if kind == "category" else pa.float32())
    plant(frame, "delay_cause", pc.if_else(pc.equal(labels_of(frame), 1), value, None), kind=kind)

    (reason,) = check_features(frame=frame, **JANUARY)["reasons"]

    assert reason.startswith("BLOCK frame.delay_cause is null: alone it has an AUC of 1.000")


def test_a_column_that_is_no_feature_may_know_the_outcome(frame: Path):
    plant(frame, "dep_delay", labels_of(frame).cast(pa.float32()))
    schema = json.loads((frame / "schema.json").read_text())
    schema["features"] = [feature for feature in schema["features"] if feature["name"] != "dep_delay"]
    (frame / "schema.json").write_text(json.dumps(schema))

    assert check_features(frame=frame, **JANUARY)["ok"]


def test_only_the_days_of_the_window_are_judged(frame: Path):
    """The leak is in the last week; February's part, which lacks the column, is not opened."""
    rows = pq.read_table(frame / "part-2013-01.parquet")
    leaks = pc.greater_equal(rows["day"], "2013-01-25")
    plant(frame, "leak", pc.if_else(leaks, rows["y"].cast(pa.float32()), pa.scalar(0, pa.float32())))

    assert check_features(frame=frame, start="2013-01-01", end="2013-01-25")["ok"]
    assert not check_features(frame=frame, start="2013-01-25", end="2013-02-01")["ok"]


def test_a_ceiling_below_an_honest_feature_refuses_it(frame: Path):
    verdict = check_features(frame=frame, ceiling=0.6, **JANUARY)

    assert "prev_delay" in [finding["column"] for finding in verdict["findings"]]


def test_a_window_without_both_labels_judges_nothing_and_says_so(frame: Path):
    with pytest.raises(BadInput, match=r"\[2014-01-01, 2014-02-01\) has no rows; the frame has 2013-01, 2013-02"):
        check_features(frame=frame, start="2014-01-01", end="2014-02-01")
    with pytest.raises(BadInput, match="has 0 labelled rows; both labels are needed"):
        check_features(frame=frame, start="2013-02-20", end="2013-02-28")


def test_a_schema_that_does_not_fit_the_columns_is_bad_input(frame: Path, tmp_path: Path):
    with pytest.raises(BadInput, match=r"schema\.json: not a readable frame schema"):
        check_features(frame=tmp_path, **JANUARY)
    plant(frame, "tail", pa.array(["N1"] * len(labels_of(frame))))
    with pytest.raises(BadInput, match=r"tail is string, and schema\.json says that it is a number"):
        check_features(frame=frame, **JANUARY)
    with pytest.raises(BadInput, match=r"part-2013-02\.parquet: no column for \['tail'\]"):
        check_features(frame=frame, start="2013-01-25", end="2013-02-10")


def test_the_check_imports_no_pandas(frame: Path):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(frame)], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("[]\n", "")
