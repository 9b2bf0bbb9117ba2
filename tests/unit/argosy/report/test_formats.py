from __future__ import annotations

import math

import pytest

from argosy.report import formats
from argosy.report.formats import DASH, MINUS


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.78523, "0.7852"),
        (-0.0016, f"{MINUS}0.0016"),
        (12, "12"),
        (312.5, "312.50"),
        (1_934_112, "1,934,112"),
        (1_934_112.4, "1,934,112"),
        (-2000.0, f"{MINUS}2,000"),
        (0.0000123, "1.2e-05"),
        (0.0, "0.0000"),
        (None, DASH),
        (math.nan, DASH),
        (math.inf, DASH),
        ("7", DASH),
        (True, DASH),
    ],
)
def test_numbers_read_well(value, shown):
    assert formats.number(value) == shown


def test_a_difference_has_its_sign():
    assert [formats.signed(value) for value in (0.1, -0.1, 0.0, None)] == ["+0.1000", f"{MINUS}0.1000", "0.0000", DASH]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "50.00 %"), (1, "100 %"), (0, "0 %"), (0.99999, ">99.99 %"), (0.00001, "<0.01 %"), (None, DASH)],
)
def test_a_share_is_never_rounded_to_none_or_all(value, shown):
    assert formats.share(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.012, "12 ms"),
        (0.83, "0.8 s"),
        (59.9, "59.9 s"),
        (59.96, "1 min 0 s"),
        (81.2, "1 min 21 s"),
        (3700, "1 h 1 min"),
    ],
)
def test_durations_use_the_unit_that_fits(value, shown):
    assert formats.duration(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(30, "30 s"), (1740, "29 min"), (7200, "2 h"), (86_400, "24 h"), (172_800, "2 d"), (9360, "2.6 h"), (None, DASH)],
)
def test_spans_use_the_unit_that_fits(value, shown):
    assert formats.span(value) == shown


def test_latencies_and_sizes_use_the_unit_that_fits():
    assert [formats.micros(value) for value in (141.2, 2500, None)] == ["141 \N{MICRO SIGN}s", "2.5 ms", DASH]
    assert [formats.size(value) for value in (12, 4100, 1_934_112, 2.5e9, None)] == [
        "12 B",
        "4.1 kB",
        "1.9 MB",
        "2.5 GB",
        DASH,
    ]


def test_a_digest_is_shortened_without_its_algorithm():
    assert formats.digest("sha256:0123456789abcdef") == "0123456789ab"
    assert formats.digest(None) == DASH


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-03-04T06:00:02.481+00:00", "2026-03-04 06:00:02 UTC"),
        ("2026-03-04T06:00:02Z", "2026-03-04 06:00:02 UTC"),
        ("2026-03-04T06:00:02+01:00", "2026-03-04 06:00:02+01:00"),
        ("2026-03-04T06:00:02", "2026-03-04 06:00:02"),
        ("2026-03-04", "2026-03-04"),
        (None, DASH),
    ],
)
def test_a_moment_is_shown_to_the_second(value, shown):
    assert formats.moment(value) == shown


def test_long_text_is_cut_and_says_by_how_much():
    assert formats.text("x" * 700).endswith("… (100 more characters)")
    assert formats.text({"a": [1, None]}) == '{"a": [1, null]}'


def test_a_long_name_keeps_both_ends():
    assert formats.clip("build-features-for-training-12", 20) == "build-feature…ing-12"


def test_nouns_agree_with_their_number():
    assert formats.plural(1, "gate") == "1 gate"
    assert formats.plural(2, "gate") == "2 gates"
    assert formats.plural(2, "step of", "steps of") == "2 steps of"
