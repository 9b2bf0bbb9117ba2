import json
import time

import pytest

from argosy.errors import Mistake
from argosy.local.records import (
    exit_code,
    finish_run,
    list_runs,
    new_run_id,
    read_run,
    register_run,
    result_document,
)
from tests.fakes.plans import a_task, run, start

ONE = "def step() -> int:\n    return 1\n"
VERDICT = """
def step(ok: bool) -> NamedTuple('Out', gate_verdict=dict, metrics=dict):
    return {{'verdict': 'passed' if ok else 'failed', 'ok': ok, 'reasons': []}}, {{'auc': 0.8}}
""".replace("{{", "{").replace("}}", "}")


def judged(lab, ok):
    outputs = {"gate_verdict": "STRUCT", "metrics": "STRUCT"}
    return run(lab, a_task("gates", VERDICT, inputs={"ok": ok}, outputs=outputs))


def recorded(lab, ended, run_id, **more):
    register_run(lab.store, ended, run_id)
    document = result_document(ended, run_id, seconds=1.0, **more)
    finish_run(lab.store, run_id, document)
    return document


def test_ids_of_runs_sort_by_their_start_whatever_the_pipeline():
    ids = []
    for pipeline in ("b-2", "a", "b-2", "a"):
        ids.append(new_run_id(pipeline))
        time.sleep(0.002)

    assert sorted(ids, key=lambda run_id: run_id.split("-")[-3:]) == ids


def test_a_result_says_how_every_step_ended(lab):
    lab.write("pkg/__init__.py", "")
    failing = "def step() -> int:\n    raise ValueError('no')\n"
    ended = run(lab, a_task("one", ONE), a_task("bad", failing), a_task("next", ONE, after=("bad",)))

    document = recorded(lab, ended, "small-20260101-000000000-aaaa")

    assert document["status"] == "failed"
    assert [(step["name"], step["status"], step["error"]) for step in document["steps"]] == [
        ("one", "ran", None),
        ("bad", "failed", "ValueError: no"),
        ("next", "skipped", None),
    ]
    assert [step["reason"] for step in document["steps"]] == ["never ran here", "never ran here", "bad failed"]
    assert exit_code(ended, document) == 1
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(("ok", "status", "code"), [(True, "succeeded", 0), (False, "refused", 3)])
def test_a_verdict_that_says_no_is_the_status_and_exit_code_three(lab, ok, status, code):
    ended = judged(lab, ok)

    document = result_document(ended, "r", seconds=0.1)

    assert (document["status"], exit_code(ended, document)) == (status, code)
    assert document["verdicts"][0]["step"] == "gates"
    assert document["sections"] == {"metrics": {"auc": 0.8}}


@pytest.mark.parametrize(("line", "code"), [("Mistake", 2), ("Refused", 3), ("Outage", 75)])
def test_a_failed_steps_own_exit_code_is_the_runs(lab, line, code):
    raising = f"def step() -> int:\n    from argosy.errors import {line}\n    raise {line}('why')\n"
    ended = run(lab, a_task("bad", raising))

    assert exit_code(ended, result_document(ended, "r", seconds=0.1)) == code


def test_tasks_that_an_interrupted_run_did_not_reach_are_unfinished(lab):
    begun = start(lab, a_task("one", ONE))

    document = result_document(begun, "r", seconds=0.1, interrupted=True)

    assert (document["status"], document["steps"][0]["status"]) == ("interrupted", "unfinished")


def test_runs_are_listed_newest_first_and_those_without_an_end_as_unfinished(lab):
    ended = start(lab, a_task("one", ONE))
    recorded(lab, ended, "b-20260101-000000001-aaaa")
    register_run(lab.store, ended, "a-20260101-000000002-bbbb")

    assert [(each["run"][0], each["status"]) for each in list_runs(lab.store)] == [
        ("a", "unfinished"),
        ("b", "succeeded"),
    ]
    assert len(list_runs(lab.store, limit=1)) == 1


@pytest.mark.parametrize("asked", ["@latest", "small-20260101-000000002-bbbb", "bbbb", "000000002"])
def test_a_run_is_found_by_its_name_a_part_of_it_or_as_the_latest(lab, asked):
    ended = start(lab, a_task("one", ONE))
    recorded(lab, ended, "small-20260101-000000001-aaaa")
    recorded(lab, ended, "small-20260101-000000002-bbbb")

    assert read_run(lab.store, asked)["run"] == "small-20260101-000000002-bbbb"


@pytest.mark.parametrize(("asked", "found"), [("small", 2), ("none", 0)])
def test_a_name_that_fits_no_run_or_several_is_a_mistake(lab, asked, found):
    ended = start(lab, a_task("one", ONE))
    recorded(lab, ended, "small-20260101-000000001-aaaa")
    recorded(lab, ended, "small-20260101-000000002-bbbb")

    with pytest.raises(Mistake, match=f"names {found} runs of this store; `argosy runs` lists them"):
        read_run(lab.store, asked)


def test_a_run_that_never_ended_cannot_be_shown(lab):
    register_run(lab.store, start(lab, a_task("one", ONE)), "small-20260101-000000001-aaaa")

    with pytest.raises(Mistake, match="has not ended"):
        read_run(lab.store, "@latest")
