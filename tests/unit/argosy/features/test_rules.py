import json

import pytest

from argosy.errors import BadInput
from argosy.features.rules import RequestFeature, read_rules
from tests.fakes.features import a_view, rules_with


def test_rules_survive_being_written_and_read(tmp_path):
    rules = rules_with(a_view(), request=[RequestFeature("size", "number", "schedule", "a size")])
    (tmp_path / "features.json").write_text(rules.to_json())

    assert read_rules(tmp_path / "features.json") == rules


def test_the_listing_has_the_request_first_and_each_age_after_its_view():
    rules = rules_with(a_view(), request=[RequestFeature("size", "number", "schedule", "a size")])

    assert [(each["name"], each["group"], each["view"]) for each in rules.listing()] == [
        ("size", "schedule", None),
        ("v", "weather", "temps"),
        ("temps_age_s", "weather", "temps"),
    ]


def test_the_serving_lag_is_the_schedule_of_an_online_view_and_nothing_without_one():
    assert a_view().serving_lag_us == 3_000_000
    assert a_view(online=False).serving_lag_us is None
    assert a_view(run_budget_s=None).serving_lag_us is None


def test_rules_of_another_format_are_refused(tmp_path):
    found = json.loads(rules_with(a_view()).to_json()) | {"format": 99}
    (tmp_path / "features.json").write_text(json.dumps(found))

    with pytest.raises(BadInput, match="format 99; this code reads 2: compile it again"):
        read_rules(tmp_path / "features.json")


@pytest.mark.parametrize("text", [None, "{", "{}", '{"format": 2, "views": [{"name": "x"}]}'])
def test_what_is_not_compiled_rules_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "features.json").write_text(text)

    with pytest.raises(BadInput, match=r"features\.json: not compiled feature rules .*compile_features"):
        read_rules(tmp_path / "features.json")
