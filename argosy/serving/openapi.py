"""The OpenAPI document of the server, with the predict bodies of the model that it serves now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.serving.validation import FLOAT32_MAX, MAX_ROWS, allowed_values

if TYPE_CHECKING:
    from collections.abc import Mapping

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
SHARED_SCHEMAS = {"Error": ERROR, "Health": HEALTH, "Ready": READY}


def describe_api(signature: Mapping[str, Any] | None) -> Schema:
    """Build the document; without a model the predict bodies are objects of unknown fields.

    Args:
        signature: Of the served model, or None while there is none.

    """
    name = signature["name"] if signature else "no model loaded"
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Predictions: {name}", "version": str(signature["version"]) if signature else "0"},
        "paths": {
            "/predict": {"post": _predict(signature)},
            "/predict/batch": {"post": _predict_batch(signature)},
            "/health": {"get": _read("Alive, and what is served", "Health")},
            "/ready": {"get": _read("A model is loaded and warmed", "Ready", (503,))},
            "/model": {"get": _read("The served model's signature and card", None, (503,))},
        },
        "components": {"schemas": {"Features": _features(signature), **SHARED_SCHEMAS}},
    }


def _predict(signature: Mapping[str, Any] | None) -> Schema:
    body = _object({"features": _ref("Features")})
    output = signature["output"] if signature else {}
    probability = {**PROBABILITY, "description": output.get("description", "")}
    example = {"features": signature["example"]} if signature else None
    return _post("Predict one row", body, {"probability": probability}, example)


def _predict_batch(signature: Mapping[str, Any] | None) -> Schema:
    rows = {"type": "array", "minItems": 1, "maxItems": MAX_ROWS, "items": _ref("Features")}
    probabilities = {"type": "array", "items": PROBABILITY, "description": "In the order of the rows."}
    example = {"rows": [signature["example"]]} if signature else None
    return _post("Predict many rows", _object({"rows": rows}), {"probabilities": probabilities}, example)


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


def _post(summary: str, body: Schema, answer: Schema, example: Schema | None) -> Schema:
    content: Schema = {"schema": body} | ({"example": example} if example else {})
    answered = _object({**answer, "model": TEXT, "request_id": TEXT})
    answered["properties"]["warnings"] = WARNINGS
    del answered["additionalProperties"]
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {"200": _response("The answer", answered), **_errors(400, 413, 422, 503)},
    }


def _read(summary: str, schema: str | None, errors: tuple[int, ...] = ()) -> Schema:
    answered = _ref(schema) if schema else {"type": "object"}
    return {"summary": summary, "responses": {"200": _response(summary, answered), **_errors(*errors)}}


def _errors(*statuses: int) -> Schema:
    meaning = {
        400: "Not JSON",
        413: "Too large",
        422: "A field is missing, unknown or of a wrong type",
        503: "No model is loaded",
    }
    return {str(status): _response(meaning[status], _ref("Error")) for status in statuses}


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _ref(schema: str) -> Schema:
    return {"$ref": f"#/components/schemas/{schema}"}
