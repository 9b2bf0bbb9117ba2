import json
import shutil
import subprocess
import sys

import pytest

from argosy.errors import BadInput, Mistake
from argosy.features.instants import instant_text
from argosy.features.online.marks import observe
from argosy.features.online.materialize import materialize_for
from tests.fakes.features import T0, a_row, a_view, rules_with, write_rows


class Step:
    """What the two steps of a materialisation are given."""

    def __init__(self, folder):
        self.folder = folder
        self.features = folder / "features.json"
        self.features.write_text(rules_with(a_view()).to_json())
        write_rows(folder / "events" / "temps.parquet", [a_row()])
        self.given = {"at": instant_text(T0), "since": ""}
        self.env = {
            "ARGOSY_ONLINE": f"sqlite:///{folder}/online/rows.db",
            "ARGOSY_INPUTS": json.dumps({"events": "sha256:one"}),
        }

    def observe(self, **given):
        return observe(features=self.features, env=self.env, **{**self.given, **given})

    def materialize(self):
        return materialize_for(events=self.folder / "events", features=self.features, env=self.env, **self.given)


@pytest.fixture
def step(tmp_path):
    return Step(tmp_path)


def test_a_store_is_current_once_it_holds_what_the_step_would_bring(step):
    before = step.observe()
    step.materialize()
    after = step.observe()

    assert (before[0], after[0]) == (False, True)
    assert before[1] != after[1]
    assert after[1]["marks"]["temps"][:2] == [T0, "sha256:one"]


def test_a_corrected_source_is_not_current(step):
    step.materialize()
    step.env["ARGOSY_INPUTS"] = json.dumps({"events": "sha256:two"})

    assert not step.observe()[0]


def test_a_store_that_was_lost_is_another_one_and_not_current(step):
    empty = step.observe()
    step.materialize()
    shutil.rmtree(step.folder / "online")
    lost = step.observe()

    assert lost[0] is False
    assert lost[1] != empty[1]


def test_what_was_asked_for_again_is_never_current(step):
    step.materialize()

    assert not step.observe(since=instant_text(T0 - 1))[0]


def test_without_a_store_and_without_a_zone_it_says_what_is_missing(step):
    with pytest.raises(BadInput, match="has no time zone"):
        step.observe(at="2013-01-01T00:00:00")
    del step.env["ARGOSY_ONLINE"]
    with pytest.raises(Mistake, match=r"ARGOSY_ONLINE: not set.*sqlite:///"):
        step.observe()


def test_to_observe_needs_none_of_the_tools_that_materialise():
    heavy = {"duckdb", "pyarrow", "pandas", "numpy", "feast", "redis"}
    code = "import sys, argosy.features.online.marks; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert heavy.isdisjoint(loaded)
