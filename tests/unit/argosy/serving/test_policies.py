import pytest

from argosy.features.vector import Seen
from argosy.serving.policies import PREDICT, decide
from tests.fakes.keyed import ENTITY, RULES, with_policy

FOUND = {
    "weather": Seen(1, "PRESENT", 1.0),
    "planes": Seen(1, "NULL_VALUE", 1.0),
    "numbers": Seen(None, "NOT_FOUND", None),
}


def test_what_is_null_by_rule_is_predicted_from():
    expired = FOUND | {"weather": Seen(1, "OUTSIDE_MAX_AGE", 99.0)}

    assert decide(RULES, expired, ENTITY, at="entities") == PREDICT


def test_a_null_in_a_row_is_neither_expired_nor_missing():
    assert decide(with_policy("planes", on_expired="fail", on_missing="fail"), FOUND, ENTITY, at="entities") == PREDICT


@pytest.mark.parametrize("rule", ["fail", "refer"])
def test_a_missing_row_is_told_with_its_key_and_the_rule(rule):
    decision = decide(with_policy("numbers", on_missing=rule), FOUND, ENTITY, at="entities[2]")

    assert decision.kind == rule
    assert decision.findings == [
        {
            "field": "entities[2]",
            "error": "view 'numbers' needs a row of carrier 'AA', flight 11, there is none; "
            f"its rule is on_missing: {rule}",
            "view": "numbers",
            "got": "NOT_FOUND",
            "allowed": "a row",
        }
    ]


def test_a_view_that_fails_outweighs_one_that_refers():
    rules = with_policy("numbers", on_missing="refer")
    strict = [with_policy("weather", on_expired="fail").views[0], *rules.views[1:]]
    found = FOUND | {"weather": Seen(1, "OUTSIDE_MAX_AGE", 99.0)}

    decision = decide(type(rules)(rules.service, rules.request, strict), found, ENTITY, at="entities")

    assert (decision.kind, [each["view"] for each in decision.findings]) == ("fail", ["weather"])
