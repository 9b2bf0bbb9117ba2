from __future__ import annotations

import pytest

from argosy.report import svg


def test_texts_and_attributes_are_escaped():
    made = svg.element("text", "<b>&", class_='x" onload="y', text_anchor="end", fill=None)

    assert made == '<text class="x&#34; onload=&#34;y" text-anchor="end">&lt;b&gt;&amp;</text>'


def test_elements_within_elements_are_kept():
    assert svg.element("g", svg.element("title", "a<b")) == "<g><title>a&lt;b</title></g>"


def test_a_picture_scales_and_has_a_title():
    assert svg.picture((10, 20.0), "what", css="dag") == (
        '<svg viewBox="0 0 10 20" width="10" height="20" role="img" aria-label="what" class="dag">'
        "<title>what</title></svg>"
    )


def test_a_scale_keeps_what_is_outside_at_its_edge():
    scale = svg.Scale(0, 10, 100, 200)

    assert [scale(value) for value in (-5, 0, 5, 20)] == [100, 100, 150, 200]


def test_a_logarithmic_scale_gives_equal_room_to_equal_factors():
    scale = svg.Scale(1, 100, 0, 10, log=True)

    assert scale(10) == pytest.approx(5)


def test_a_scale_of_no_width_puts_all_in_its_middle():
    assert svg.Scale(3, 3, 0, 10)(3) == 5


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.412, 0.437, [0.415, 0.42, 0.425, 0.43, 0.435]),
        (-3, 3, [-2, 0, 2]),
        (7, 7, [7]),
    ],
)
def test_ticks_are_round(low, high, ticks):
    assert svg.Scale(low, high, 0, 1).ticks() == pytest.approx(ticks)


def test_a_tick_has_the_digits_that_it_needs():
    assert svg.tick_text(0.42, [0.42, 0.44]) == "0.42"
    assert svg.tick_text(0.425, [0.4, 0.425]) == "0.425"
    assert svg.tick_text(20, [0, 20, 40]) == "20"


def test_a_range_of_one_value_gets_air():
    assert svg.padded([0.0]) == (-1.0, 1.0)
    low, high = svg.padded([2.0, 4.0], 0.5)
    assert (low, high) == (1.0, 5.0)
