import json
from dataclasses import replace

import pytest

from argosy.errors import BadInput
from argosy.features.carried import FILE, carry, read_carried
from argosy.features.rules import RequestFeature
from tests.fakes.features import a_request, a_row, a_view, retrieve_rows, rules_with

RULES = rules_with(a_view(), request=[RequestFeature("size", "number", "schedule", "a size")])


def test_what_a_model_carries_survives_being_written_and_read(tmp_path):
    (tmp_path / FILE).write_text(carry(RULES).to_json())

    assert read_carried(tmp_path / FILE) == carry(RULES)


def test_a_frame_carries_the_rules_that_it_was_made_by(tmp_path):
    retrieve_rows(tmp_path, RULES, requests={"p": [a_request(size=1.0)]}, sources={"temps": [a_row()]})

    assert read_carried(tmp_path / "frame" / FILE) == carry(RULES)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_lateness_s": 9},
        {"materialize_every_s": 9},
        {"run_budget_s": 9},
        {"min_coverage": 0.1},
        {"source": "moved"},
    ],
)
def test_an_edit_of_a_schedule_or_a_source_is_not_carried(changes):
    edited = replace(RULES, views=[replace(RULES.views[0], **changes)])

    assert carry(edited).to_json() == carry(RULES).to_json()


@pytest.mark.parametrize("changes", [{"ttl_us": 1}, {"on_expired": "refer"}, {"on_missing": "fail"}, {"keys": ["k2"]}])
def test_an_edit_of_what_serving_follows_is_carried(changes):
    edited = replace(RULES, views=[replace(RULES.views[0], **changes)])

    assert carry(edited).to_json() != carry(RULES).to_json()


def test_rules_of_another_format_are_refused(tmp_path):
    (tmp_path / FILE).write_text(json.dumps(json.loads(carry(RULES).to_json()) | {"format": 99}))

    with pytest.raises(BadInput, match="format 99; this code reads 1: retrieve the frame again"):
        read_carried(tmp_path / FILE)


@pytest.mark.parametrize("text", [None, "{", "{}", '{"format": 1, "views": [{"name": "x"}]}'])
def test_what_is_not_carried_rules_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / FILE).write_text(text)

    with pytest.raises(BadInput, match=r"features\.json: not the rules that a model carries"):
        read_carried(tmp_path / FILE)
