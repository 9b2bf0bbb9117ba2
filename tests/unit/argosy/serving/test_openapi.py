import json

import pytest

from argosy.serving.entities import Asked
from argosy.serving.findings import InvalidBody
from argosy.serving.openapi import describe_api
from argosy.serving.validation import RequestModel
from tests.fakes import keyed
from tests.fakes.serving import EXAMPLE, SIGNATURE


def test_the_predict_bodies_describe_the_features_of_the_signature():
    document = describe_api(SIGNATURE)
    features = document["components"]["schemas"]["Features"]

    assert features["required"] == ["temp", "class", "seats"]
    assert features["additionalProperties"] is False
    assert {name: schema["type"] for name, schema in features["properties"].items()} == {
        "temp": ["number", "null"],
        "class": ["string", "null"],
        "seats": "number",
    }
    assert "0.0 to 1.0 in training" in features["properties"]["temp"]["description"]
    assert "AA, B6" in features["properties"]["class"]["description"]


def test_the_examples_are_bodies_that_can_be_sent():
    paths = describe_api(SIGNATURE)["paths"]

    def example_of(path):
        return paths[path]["post"]["requestBody"]["content"]["application/json"]["example"]

    assert example_of("/predict") == {"features": EXAMPLE}
    assert example_of("/predict/batch") == {"rows": [EXAMPLE]}


def test_the_examples_by_key_are_bodies_that_the_request_model_reads():
    paths = describe_api(keyed.SIGNATURE, keyed.RULES)["paths"]
    requests = RequestModel(keyed.SIGNATURE, keyed.RULES)

    for path, read in (("/predict", requests.decode_one), ("/predict/batch", requests.decode_many)):
        examples = paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"]
        assert [isinstance(read(json.dumps(each["value"]).encode()), Asked) for each in examples.values()] == [
            False,
            True,
        ]
        assert {"409", "501", "503"} < set(paths[path]["post"]["responses"])


@pytest.mark.parametrize(("signature", "rules"), [(SIGNATURE, None), (None, None), (keyed.SIGNATURE, keyed.RULES)])
def test_every_reference_of_the_document_resolves(signature, rules):
    document = describe_api(signature, rules)

    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(document))
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def is_valid(value, schema, schemas):
    """Check a value against the part of JSON Schema that the document uses for bodies."""
    if "$ref" in schema:
        return is_valid(value, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    kinds = {"string": str, "number": (int, float), "object": dict, "array": list, "null": type(None)}
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if isinstance(value, bool) or not any(isinstance(value, kinds[kind]) for kind in types):
        return False
    if isinstance(value, dict):
        known = schema["properties"]
        return set(schema["required"]) <= value.keys() <= known.keys() and all(
            is_valid(value[name], known[name], schemas) for name in value
        )
    return not isinstance(value, int | float) or schema["minimum"] <= value <= schema["maximum"]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"temp": None},
        {"temp": 10**30},
        {"temp": "44.1"},
        {"temp": True},
        {"seats": None},
        {"class": 1},
        {"class": "ZZ"},
        {"unknown": 1},
        {"temp": 1e39},
    ],
)
def test_the_document_and_the_server_agree_on_what_is_a_body(change):
    document = describe_api(SIGNATURE)
    schema = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body = {"features": {**EXAMPLE, **change}}
    try:
        RequestModel(SIGNATURE).decode_row(json.dumps(body).encode())
        accepted = True
    except InvalidBody:
        accepted = False

    assert is_valid(body, schema, document["components"]["schemas"]) is accepted
