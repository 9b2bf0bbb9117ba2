from argosy.report.coverage import coverage_view
from argosy.report.formats import DASH
from tests.fakes.run_records import a_run_document


def covered(**views):
    return {"sections": {"coverage": {"views": views}}}


def test_views_that_would_be_served_too_late_are_named_and_stand_out():
    view = coverage_view(a_run_document())

    assert view["lead"] == (
        "Served a serving lag late, the rows of carrier_departures are there for less of 194,422 requests than asked "
        "for."
    )
    assert [row["short"] for row in view["rows"]] == [False, True, False]


def test_where_all_are_there_in_time_it_is_said():
    view = coverage_view(covered(weather={"coverage": 1.0, "with_lag": 0.96, "min_coverage": 0.95}))

    assert view["lead"].startswith("Served a whole serving lag late, the rows of every view are there")


def test_a_row_says_both_shares_beside_what_is_asked_for():
    [row, *_] = coverage_view(a_run_document())["rows"]

    assert (row["ttl"], row["lag"], row["trained"], row["served"], row["least"]) == (
        "2 h", "35 min", "99.96 %", "99.91 %", "95.00 %",
    )  # fmt: skip
    assert 'class="trained"' in row["plot"]
    assert 'class="served"' in row["plot"]


def test_a_view_that_never_expires_has_neither_lag_nor_least():
    plane = coverage_view(a_run_document())["rows"][-1]

    assert (plane["ttl"], plane["lag"], plane["least"]) == ("forever", DASH, DASH)


def test_the_curve_marks_the_time_to_live_that_a_view_has():
    view = coverage_view(a_run_document())

    assert view["columns"] == ["60 min", "2 h", "3 h"]
    assert [[cell["own"] for cell in row["cells"]] for row in view["curves"]] == [
        [False, True, False], [False, True, False], [False, False, False],
    ]  # fmt: skip


def test_a_time_to_live_that_another_view_has_is_a_dash():
    one, two = ({"ttl_s": 60.0 * n, "curve": [{"ttl_s": 60.0 * n, "with_lag": 0.5}]} for n in (1, 2))

    curves = coverage_view(covered(a=one, b=two))["curves"]

    assert [[cell["text"] for cell in row["cells"]] for row in curves] == [["50.0 %", DASH], [DASH, "50.0 %"]]


def test_nothing_known_makes_no_section():
    assert coverage_view({}) is None
    assert coverage_view(covered()) is None
