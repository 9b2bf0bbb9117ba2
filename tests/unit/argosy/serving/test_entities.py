import json

import pytest

from argosy.serving.entities import entity_fields, example_entity, instant_us
from argosy.serving.findings import InvalidBody
from argosy.serving.validation import RequestModel
from tests.fakes.keyed import ENTITY, RULES, SIGNATURE

REQUESTS = RequestModel(SIGNATURE, RULES)


def findings(body, *, batch=False):
    """Decode a body that is refused; return its findings as field, error and what is allowed."""
    with pytest.raises(InvalidBody) as refused:
        (REQUESTS.decode_many if batch else REQUESTS.decode_one)(json.dumps(body).encode())
    assert refused.value.status == 422
    return [(each["field"], str(each["error"]).rpartition(": ")[2], each["allowed"]) for each in refused.value.findings]


def test_an_entity_has_each_key_once_and_the_requests_own_fields():
    described = {field["name"]: (field["type"], field["keys"]) for field in entity_fields(RULES)}

    assert described == {
        "carrier": ("category", ["numbers"]),
        "distance": ("number", []),
        "origin": ("category", ["weather"]),
        "tailnum": ("category", ["planes"]),
        "flight": ("int64", ["numbers"]),
    }


def test_an_example_takes_what_it_can_from_the_features_and_leaves_the_rest_null():
    example = example_entity(RULES, {"carrier": "AA", "distance": 7.0, "temp": 1.0})

    assert example == {"carrier": "AA", "distance": 7.0, "origin": None, "tailnum": None, "flight": None}
    assert findings({"entities": example | {"x": 1}}) == [
        ("entities.x", "unknown field", "carrier, distance, origin, tailnum, flight")
    ]


def test_each_bad_field_of_an_entity_is_named_by_its_path():
    entity = {"carrier": 1, "distance": "far", "origin": None, "flight": 11.5, "tail": "N1"}

    assert findings({"entities": entity}) == [
        ("entities.tail", "unknown field", "tailnum"),
        ("entities.carrier", "wrong value", "text or null"),
        ("entities.distance", "wrong value", "a finite number or null"),
        ("entities.tailnum", "missing field", "text or null"),
        ("entities.flight", "wrong value", "a whole number of 64 bits or null"),
    ]


@pytest.mark.parametrize("flight", [2**63, -(2**63) - 1, 1e30, True, "11"])
def test_a_whole_key_has_64_bits(flight):
    assert [each[0] for each in findings({"entities": ENTITY | {"flight": flight}})] == ["entities.flight"]


@pytest.mark.parametrize("flight", [2**63 - 1, -(2**63), 2**53 + 1])
def test_a_whole_key_is_read_exactly(flight):
    asked = REQUESTS.decode_one(json.dumps({"entities": ENTITY | {"flight": flight}}).encode())

    assert asked.entities[0]["flight"] == flight
    assert findings({"entities": ENTITY | {"flight": flight, "x": 1}}) == [
        ("entities.x", "unknown field", "carrier, distance, origin, tailnum, flight")
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"entities": ENTITY, "features": {}}, ("entities", "stands beside features")),
        ({"features": SIGNATURE["example"], "explain": True}, ("explain", "goes with entities")),
        ({"features": SIGNATURE["example"], "as_of": "2013-01-01T00:00:00Z"}, ("as_of", "goes with entities")),
        ({"entities": ENTITY, "explain": 1}, ("explain", "wrong value")),
        ({"entities": ENTITY, "as_of": 1}, ("as_of", "wrong value")),
        ({"entities": ENTITY, "extra": 1}, ("extra", "unknown field")),
        ({"entities": []}, ("entities", "not an object")),
        ({}, ("features", "missing field")),
    ],
)
def test_a_body_has_features_or_entities_with_what_goes_with_them(body, expected):
    assert findings(body)[0][:2] == expected


def test_a_bad_entity_of_a_batch_is_named_by_its_place():
    assert findings({"entities": [ENTITY, ENTITY | {"flight": "x"}]}, batch=True)[0][0] == "entities[1].flight"
    assert findings({"entities": {}}, batch=True)[0][:2] == ("entities", "not a list")
    assert findings({"entities": []}, batch=True)[0][:2] == ("entities", "wrong number of rows")
    assert findings({"entities": [ENTITY], "rows": []}, batch=True)[0][:2] == ("entities", "stands beside features")


def test_a_model_without_rules_says_that_it_has_none():
    with pytest.raises(InvalidBody, match="this model carries no rules to look features up by"):
        RequestModel(SIGNATURE).decode_one(json.dumps({"entities": ENTITY}).encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t01:00:00.000001+01:00", 1),
        ("1969-12-31 23:59:59.999999z", -1),
        ("2013-06-01T12:00:00", None),
        ("2013-06-01T12:00:00.0000001Z", None),
        ("2013-06-01", None),
        ("2013-06-31T12:00:00Z", None),
        ("now", None),
    ],
)
def test_an_instant_has_a_zone_and_at_most_microseconds(text, expected):
    assert instant_us(text) == expected
