import pytest

from argosy.serving.openapi import describe_api
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


@pytest.mark.parametrize("signature", [SIGNATURE, None])
def test_every_reference_of_the_document_resolves(signature):
    document = describe_api(signature)

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


def test_the_document_tells_apart_a_valid_and_an_invalid_body():
    jsonschema = pytest.importorskip("jsonschema")
    document = describe_api(SIGNATURE)
    body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator({**body, "components": document["components"]})

    assert validator.is_valid({"features": EXAMPLE})
    assert validator.is_valid({"features": {**EXAMPLE, "temp": None}})
    for change in ({"temp": "44.1"}, {"temp": True}, {"seats": None}, {"class": 1}, {"unknown": 1}, {"temp": 1e39}):
        assert not validator.is_valid({"features": {**EXAMPLE, **change}})
    assert not validator.is_valid({"features": {"temp": 1}})
