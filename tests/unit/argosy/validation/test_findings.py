from __future__ import annotations

import pytest

from argosy.validation.findings import Action, Finding, judge


def a_finding(action: Action, column: str = "age") -> Finding:
    return Finding("range", "people", column, action, 1, 8, "got -1, allowed 0 .. 120")


@pytest.mark.parametrize("action", ["QUARANTINE", "NULL", "WARN"])
def test_what_can_be_mended_is_accepted(action: Action):
    assert judge([a_finding(action)])["verdict"] == "accepted"


@pytest.mark.parametrize("action", ["REJECT", "BLOCK"])
def test_what_stops_is_a_reason(action: Action):
    verdict = judge([a_finding("WARN", ""), a_finding(action)])

    assert (verdict["verdict"], verdict["ok"]) == ("rejected", False)
    assert verdict["reasons"] == [f"{action} people.age: got -1, allowed 0 .. 120"]
    assert [finding["action"] for finding in verdict["findings"]] == [action, "WARN"]


def test_no_finding_is_accepted():
    assert judge([]) == {"verdict": "accepted", "ok": True, "reasons": [], "findings": []}


def test_a_finding_names_its_place_and_share():
    as_json = a_finding("WARN").as_json()

    assert as_json["share"] == 0.125
    assert as_json["message"].startswith("people.age: ")


def test_a_finding_about_nothing_has_no_share():
    assert Finding("empty", "people", "", "REJECT", 0, 0, "empty").as_json()["share"] == 0.0
