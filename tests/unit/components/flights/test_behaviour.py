import ast
from pathlib import Path

import pytest

from components.flights.behaviour import CASES

FEATURE_REPO = Path(__file__).parents[4] / "feature_repo"
SCHEDULE = "schedule"  # known as long as there is a flight


@pytest.fixture(scope="module")
def definitions():
    return [node for path in sorted(FEATURE_REPO.glob("*.py")) for node in ast.walk(ast.parse(path.read_text()))]


def texts(nodes):
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def groups(nodes):
    return {
        value.value
        for node in nodes
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "group" and isinstance(value, ast.Constant)
    }


def test_no_two_expectations_have_the_same_name():
    names = [case.name for case in (*CASES.directions, *CASES.outages)]

    assert len(names) == len(set(names))


def test_every_feature_that_a_case_names_is_defined_in_the_feature_repository(definitions):
    named = {name for case in CASES.directions for name in case.changes}
    named |= {key.feature for key in CASES.table} | set(CASES.slices)

    assert named <= texts(definitions)


def test_the_loss_of_each_group_of_features_has_a_price(definitions):
    priced = {group for case in CASES.outages for group in case.groups}

    assert priced == groups(definitions) - {SCHEDULE}


def test_a_direction_asks_for_a_move_with_the_sign_of_its_changes():
    harmful = {"slack_min": -1, "visib": -1}
    for case in CASES.directions:
        signs = {harmful.get(name, 1) * change > 0 for name, change in case.changes.items()}
        assert signs == {case.at_least >= 0}, case.name
