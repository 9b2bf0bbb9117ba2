from __future__ import annotations

from argosy.report.dag import draw_dag, sign
from argosy.report.reading import STATUSES


def step(name, after="", status="ran", seconds=1.0):
    return {"name": name, "after": after.split(), "status": status, "seconds": seconds}


def test_a_step_shows_its_name_its_fate_and_its_time():
    picture, _ = draw_dag([step("train", status="failed", seconds=13.2)])

    assert ">train</text>" in picture
    assert ">failed · 13.2 s</text>" in picture
    assert 'class="box failed"' in picture


def test_every_status_has_a_shape_of_its_own():
    assert len({sign(status, (0, 0)).split('d="')[1].split('"')[0] for status in STATUSES}) == len(STATUSES)


def test_a_fan_out_of_alike_steps_is_one_box():
    names = ["score", "score-2", "score-3"]
    steps = [step("split"), *(step(name, "split") for name in names), step("choose", " ".join(names))]

    picture, _ = draw_dag(steps)

    assert "3 \N{MULTIPLICATION SIGN} score" in picture
    assert ">3 ran · 3.0 s</text>" in picture
    assert ">score-2<" not in picture


def test_a_fan_out_shows_its_worst_fate():
    steps = [step(f"score-{i}", status=status) for i, status in enumerate(["ran", "reused", "failed"])]

    picture, _ = draw_dag(steps)

    assert 'class="box failed"' in picture
    assert "1 failed, 1 ran, 1 reused" in picture


def test_steps_that_lead_elsewhere_keep_their_own_boxes():
    steps = [step("a-1"), step("a-2"), step("a-3"), step("b", "a-1")]

    picture, _ = draw_dag(steps)

    assert all(f">{name}</text>" in picture for name in ("a-1", "a-2", "a-3", "b"))


def test_a_skipped_step_has_no_time():
    picture, _ = draw_dag([step("deploy", status="skipped")])

    assert ">skipped</text>" in picture


def test_a_wide_graph_is_wider():
    narrow = draw_dag([step("a"), step("b", "a")])[1]

    assert draw_dag([step(name) for name in "abcdef"])[1] > 3 * narrow
