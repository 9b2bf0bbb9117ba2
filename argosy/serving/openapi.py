"""The OpenAPI document of the server, with the predict bodies of the model that it serves now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.serving.entities import INSTANT, entity_fields, example_entity
from argosy.serving.findings import FLOAT32_MAX, INT_LIMITS, allowed_values
from argosy.serving.validation import MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.features.carried import CarriedRules

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NULLABLE_TEXT: Schema = {"type": ["string", "null"]}
PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
WARNINGS: Schema = {
    "type": "array",
    "description": "Values that are allowed but unlike all that the model was trained on; absent if none.",
    "items": {
        "type": "object",
        "properties": {"field": TEXT, "warning": TEXT, "got": {}, "trained_on": TEXT},
    },
}
FINDING = {
    "error": {**TEXT, "description": "What is wrong, for people."},
    "field": {**TEXT, "description": "Path of the bad field, such as `features.temp` or `rows[3].temp`."},
    "got": {"description": "The value, shortened."},
    "allowed": {"description": "What may stand there."},
}
ERROR: Schema = {
    "type": "object",
    "required": ["error", "request_id"],
    "properties": {
        **FINDING,
        "request_id": TEXT,
        "errors": {"type": "array", "items": {"type": "object", "properties": FINDING}},
    },
}
REASONS: Schema = {
    "type": "array",
    "description": "The views whose rows expired or are missing, and whose rule is to refer to a person.",
    "items": {"type": "object", "properties": {**FINDING, "view": TEXT}},
}
EXPLAIN: Schema = {
    "type": "object",
    "description": "With `explain`: the instant, what each view had (status, age, values), the request's own values.",
}
WITH_ENTITIES = {
    "explain": {"type": "boolean", "default": False, "description": "Tell what each view had."},
    "as_of": {**TEXT, "format": "date-time", "description": f"In replay mode: {INSTANT}. Now by default."},
}
HEALTH: Schema = {
    "type": "object",
    "required": ["status", "model", "model_name", "generation", "failed"],
    "properties": {
        "status": {"const": "ok"},
        "model": NULLABLE_TEXT,
        "model_name": NULLABLE_TEXT,
        "generation": {"type": ["integer", "null"]},
        "failed": {
            "type": ["object", "null"],
            "description": "The wanted model that could not be loaded, and why; the older one still answers.",
            "properties": {"digest": NULLABLE_TEXT, "reason": TEXT},
        },
    },
}
READY: Schema = {"type": "object", "required": ["status", "model"], "properties": {"status": TEXT, "model": TEXT}}
METRICS: Schema = {"description": "Prometheus' text format", "content": {"text/plain": {"schema": TEXT}}}
SHARED_SCHEMAS = {"Error": ERROR, "Health": HEALTH, "Ready": READY}


def describe_api(signature: Mapping[str, Any] | None, rules: CarriedRules | None = None) -> Schema:
    """Build the document; without a model the predict bodies are objects of unknown fields.

    Args:
        signature: Of the served model, or None while there is none.
        rules: That it carries, by which features are looked up; None where it carries none.

    """
    name = signature["name"] if signature else "no model loaded"
    schemas = {"Features": _features(signature), **SHARED_SCHEMAS}
    if rules is not None:
        schemas["Entity"] = _object({field["name"]: _entity_field(field) for field in entity_fields(rules)})
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Predictions: {name}", "version": str(signature["version"]) if signature else "0"},
        "paths": {
            "/predict": {"post": _predict(signature, rules)},
            "/predict/batch": {"post": _predict_batch(signature, rules)},
            "/health": {"get": _read("Alive, and what is served", "Health")},
            "/ready": {"get": _read("A model is loaded and warmed", "Ready", (503,))},
            "/metrics": {"get": {"summary": "What was counted, for Prometheus", "responses": {"200": METRICS}}},
            "/model": {"get": _read("The served model's signature and card", None, (503,))},
        },
        "components": {"schemas": schemas},
    }


def _predict(signature: Mapping[str, Any] | None, rules: CarriedRules | None) -> Schema:
    output = signature["output"] if signature else {}
    answer = {"probability": {**PROBABILITY, "description": output.get("description", "")}}
    examples = {"features": {"features": signature["example"]}} if signature else {}
    if signature is None or rules is None:
        return _post("Predict one row", [_object({"features": _ref("Features")})], answer, examples)
    examples["entities"] = {"entities": example_entity(rules, signature["example"]), "explain": True}
    bodies = [_object({"features": _ref("Features")}), _object({"entities": _ref("Entity")}, WITH_ENTITIES)]
    operation = _post("Predict one row, from its features or by key", bodies, answer, examples)
    referred = _answer({"decision": {"const": "refer"}, "reasons": REASONS})
    return _by_key(operation, [_answer(answer), referred])


def _predict_batch(signature: Mapping[str, Any] | None, rules: CarriedRules | None) -> Schema:
    answer = {"probabilities": {"type": "array", "items": PROBABILITY, "description": "In the order of the rows."}}
    examples = {"rows": {"rows": [signature["example"]]}} if signature else {}
    if signature is None or rules is None:
        return _post("Predict many rows", [_object({"rows": _list(_ref("Features"))})], answer, examples)
    examples["entities"] = {"entities": [example_entity(rules, signature["example"])]}
    bodies = [_object({"rows": _list(_ref("Features"))}), _object({"entities": _list(_ref("Entity"))}, WITH_ENTITIES)]
    operation = _post("Predict many rows, from their features or by key", bodies, answer, examples)
    some = {"type": "array", "items": {**PROBABILITY, "type": ["number", "null"]}, "description": "Null if referred."}
    by_key = _answer({"probabilities": some})
    by_key["properties"]["referred"] = REASONS
    return _by_key(operation, [by_key])


def _by_key(operation: Schema, answers: list[Schema]) -> Schema:
    """Add to an operation what a request by key is answered."""
    for answer in answers:
        answer["properties"]["explain"] = EXPLAIN
    schema = answers[0] if len(answers) == 1 else {"anyOf": answers}
    responses = {**operation["responses"], "200": _response("The answer", schema), **_errors(409, 501)}
    return {**operation, "responses": dict(sorted(responses.items()))}


def _list(row: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "maxItems": MAX_ROWS, "items": row}


def _entity_field(field: Mapping[str, Any]) -> Schema:
    kinds = {"number": "number", "category": "string", "bytes": "string"}
    text = f"{allowed_values(field)}; {field['description'] or 'a key'}"
    text += f"; key of {', '.join(field['keys'])}" if field["keys"] else ""
    schema: Schema = {"type": [kinds.get(field["type"], "integer"), "null"], "description": text}
    if field["type"] in INT_LIMITS:
        low, high = INT_LIMITS[field["type"]]
        return {**schema, "minimum": low, "maximum": high}
    return {**schema, "minimum": -FLOAT32_MAX, "maximum": FLOAT32_MAX} if field["type"] == "number" else schema


def _features(signature: Mapping[str, Any] | None) -> Schema:
    if signature is None:
        return {"type": "object"}
    return _object({feature["name"]: _feature(feature) for feature in signature["features"]})


def _feature(feature: Mapping[str, Any]) -> Schema:
    is_number = feature["type"] == "number"
    kind = "number" if is_number else "string"
    schema: Schema = {
        "type": [kind, "null"] if feature.get("nullable", True) else kind,
        "description": f"{feature.get('group', 'features')}: {allowed_values(feature)}. {_training(feature)}",
    }
    return {**schema, "minimum": -FLOAT32_MAX, "maximum": FLOAT32_MAX} if is_number else schema


def _training(feature: Mapping[str, Any]) -> str:
    """Say what training saw; it is advice, so it is no bound of the schema."""
    if feature["type"] == "category":
        return f"Seen in training: {', '.join(feature['categories'])}; anything else is read as null."
    if feature.get("min") is None:
        return "Always null in training."
    return f"From {feature['min']} to {feature['max']} in training."


def _post(summary: str, bodies: list[Schema], answer: Schema, examples: Mapping[str, Schema]) -> Schema:
    content: Schema = {"schema": bodies[0] if len(bodies) == 1 else {"oneOf": bodies}}
    if len(examples) == 1:
        content["example"] = next(iter(examples.values()))
    elif examples:
        content["examples"] = {name: {"value": example} for name, example in examples.items()}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {"200": _response("The answer", _answer(answer)), **_errors(400, 413, 422, 503)},
    }


def _answer(answer: Schema) -> Schema:
    answered = _object({**answer, "model": TEXT, "request_id": TEXT})
    answered["properties"]["warnings"] = WARNINGS
    del answered["additionalProperties"]
    return answered


def _read(summary: str, schema: str | None, errors: tuple[int, ...] = ()) -> Schema:
    answered = _ref(schema) if schema else {"type": "object"}
    return {"summary": summary, "responses": {"200": _response(summary, answered), **_errors(*errors)}}


def _errors(*statuses: int) -> Schema:
    meaning = {
        400: "Not JSON",
        409: "A row expired or is missing, and its view's rule is to fail",
        413: "Too large",
        422: "A field is missing, unknown or of a wrong type",
        501: "This server has no online store",
        503: "No model is loaded, or the online store does not answer",
    }
    return {str(status): _response(meaning[status], _ref("Error")) for status in statuses}


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(properties: Schema, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "properties": {**properties, **(optional or {})},
        "additionalProperties": False,
    }


def _ref(schema: str) -> Schema:
    return {"$ref": f"#/components/schemas/{schema}"}
