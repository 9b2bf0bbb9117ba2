from __future__ import annotations

from argosy.report.timeline import draw_timeline


def step(name, started_s=0.0, seconds=1.0, status="ran"):
    return {"name": name, "started_s": started_s, "seconds": seconds, "status": status}


def test_steps_are_drawn_in_the_order_of_their_start():
    picture = draw_timeline([step("late", 5.0), step("early", 1.0)], 6.0)

    assert picture.index(">early</text>") < picture.index(">late</text>")


def test_bars_are_drawn_to_scale():
    picture = draw_timeline([step("a", 0, 1), step("b", 1, 2)], 3.0)

    widths = [float(part.split('width="')[1].split('"')[0]) for part in picture.split("<rect")[1:]]
    assert abs(widths[1] / widths[0] - 2) < 0.01


def test_a_step_of_no_length_is_still_visible():
    picture = draw_timeline([step("observe", 0.5, 0.0), step("train", 1, 99)], 100.0)

    assert 'width="3"' in picture


def test_steps_that_never_began_are_left_out():
    picture = draw_timeline([step("a"), step("b", status="skipped"), step("c", None)], 1.0)

    assert ">b</text>" not in picture
    assert draw_timeline([step("b", status="skipped")], 1.0) is None


def test_of_many_steps_the_longest_are_drawn():
    picture = draw_timeline([step(f"s{i}", i, 1 + i) for i in range(100)], None)

    assert picture.count("<rect") == 60
    assert ">s39</text>" not in picture
    assert ">s99</text>" in picture
