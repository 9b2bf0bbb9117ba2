from prometheus_client.parser import text_string_to_metric_families

from argosy.features.online.metrics import render_marks
from tests.fakes.features import SECOND, T0


def read(text):
    return {
        (sample.name, sample.labels["view"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def a_mark(**changes):
    return {"at_us": T0, "freshness_s": 60.0, "entities": 4, "coverage": 0.75, "written": 3, "late": 1, **changes}


def test_marks_are_gauges_by_view():
    found = read(render_marks({"temps": a_mark(), "planes": a_mark(late=0)}))

    assert found["argosy_online_as_of_timestamp_seconds", "temps"] == T0 / SECOND
    assert found["argosy_online_newest_timestamp_seconds", "temps"] == T0 / SECOND - 60
    assert found["argosy_online_coverage_ratio", "temps"] == 0.75
    assert (found["argosy_online_late_rows", "temps"], found["argosy_online_late_rows", "planes"]) == (1, 0)


def test_a_source_without_a_row_has_no_newest_one():
    found = read(render_marks({"temps": a_mark(freshness_s=None)}))

    assert ("argosy_online_newest_timestamp_seconds", "temps") not in found


def test_an_empty_store_has_no_samples():
    assert read(render_marks({})) == {}
