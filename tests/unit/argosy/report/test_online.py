from argosy.report.headline import key_figures
from argosy.report.online import online_view
from argosy.report.render import render_report


def materialized(**views):
    return {"sections": {"online": {"at": "2013-12-30T21:55:00Z", "views": views}}}


def a_view(**changes):
    counts = {"written": 1200, "late": 0, "dropped": 3, "entities": 4000, "alive": 1000, "coverage": 0.25}
    return {"ttl_s": 7200.0, "freshness_s": 60.0, **counts, **changes}


def test_each_view_says_what_became_of_its_rows():
    view = online_view(materialized(weather=a_view(), planes=a_view(ttl_s=None, freshness_s=9e6, coverage=1.0)))

    assert view["lead"] == "Complete as of 2013-12-30 21:55:00 UTC."
    assert [row["name"] for row in view["rows"]] == ["weather", "planes"]
    assert {name: view["rows"][0][name] for name in ("ttl", "newest", "written", "dropped", "alive")} == {
        "ttl": "2 h",
        "newest": "60 s",
        "written": "1,200",
        "dropped": "3",
        "alive": "25.00 %",
    }
    assert view["rows"][1]["ttl"] == "forever"


def test_a_view_without_a_living_row_is_named_as_frozen():
    view = online_view(materialized(weather=a_view(freshness_s=7200.1), tail=a_view(freshness_s=7200.0)))

    assert view["lead"].endswith("No row of weather is inside its time to live: is the feed frozen?")
    assert [row["frozen"] for row in view["rows"]] == [True, False]


def test_a_source_without_a_row_is_frozen_too():
    assert online_view(materialized(weather=a_view(freshness_s=None, coverage=0.0)))["rows"][0]["frozen"]


def test_a_run_that_materialised_nothing_has_no_section():
    assert online_view({}) is None
    assert online_view(materialized()) is None


def test_the_rows_written_are_a_key_figure_and_late_ones_a_remark():
    [figure] = [each for each in key_figures(materialized(a=a_view(late=7), b=a_view())) if each.name == "Rows online"]

    assert (figure.value, figure.remark) == ("2,400 written", "2 views, 7 late")


def test_the_page_shows_the_section():
    page = render_report(materialized(weather=a_view()))

    assert "Online store" in page
    assert "1,200" in page
