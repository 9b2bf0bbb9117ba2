from __future__ import annotations

from argosy.report.course import course_view, parameters_view, steps_view
from tests.fakes.run_records import a_failed_run, a_run_document


def test_the_course_of_a_run_has_a_graph_and_a_timeline():
    view = course_view(a_run_document())

    assert view["lead"] == "24 steps: 20 ran, 1 observed, 3 reused; 1 min 21 s in all."
    assert view["dag"]
    assert view["timeline"]
    assert view["wide"] is False
    assert [status for status, _ in view["legend"]] == ["ran", "observed", "reused"]


def test_a_graph_of_very_many_steps_is_not_drawn():
    steps = [{"name": f"s{i}", "started_s": i} for i in range(200)]

    assert course_view({"steps": steps})["dag"] == ""


def test_a_step_shows_its_key_reason_and_outputs():
    step = next(row for row in steps_view(a_run_document())["rows"] if row["name"] == "retrieve")

    assert len(step["key"]) == 12
    assert step["reason"].startswith("input features.json changed")
    assert step["outputs"][2] == ("n_rows", "336776")


def test_a_failed_step_shows_its_error():
    step = next(row for row in steps_view(a_failed_run())["rows"] if row["name"] == "train")

    assert "Traceback" in step["error"]


def test_many_outputs_are_cut():
    outputs = {f"o{i}": i for i in range(50)}

    (row,) = steps_view({"steps": [{"name": "a", "outputs": outputs}]})["rows"]

    assert len(row["outputs"]) == 41
    assert row["outputs"][-1] == ("…", "10 more outputs")


def test_of_very_many_steps_the_first_are_listed():
    view = steps_view({"steps": [{"name": f"s{i}"} for i in range(500)]})

    assert view["lead"] == "The first 200 of 500 steps."
    assert len(view["rows"]) == 200


def test_parameters_are_listed_as_given():
    assert parameters_view({"parameters": {"seed": 7, "slices": ["a"]}})["entries"] == [
        ("seed", "7"),
        ("slices", '["a"]'),
    ]
    assert parameters_view({}) is None


def test_a_run_without_steps_has_no_course():
    assert course_view({}) is None
    assert steps_view({}) is None


def test_the_last_lines_of_a_log_stand_with_the_error_and_share_its_room():
    steps = [{"name": f"s{i}", "error": "e" * 9000, "tail": "t" * 9000} for i in range(20)]

    rows = steps_view({"steps": steps})["rows"]

    assert rows[0]["tail"].startswith("t" * 1500 + "…")
    assert sum(len(row["error"]) + len(row["tail"]) for row in rows) < 62_000
