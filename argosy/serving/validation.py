"""The request model of one served model: bodies decoded and checked against its signature.

msgspec decodes and checks in one pass. Only when it refuses is the body read again, slowly, to name every
bad field: JSON that is wrong costs more than JSON that is right.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from argosy.errors import BadInput
from argosy.serving.entities import Asked, entity_fields
from argosy.serving.findings import (
    FLOAT32_MAX,
    INT_LIMITS,
    MAX_LISTED,
    Fields,
    Finding,
    InvalidBody,
    NotFinite,
    finding,
    findings_in_row,
    listed,
    number,
    warning,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.features.carried import CarriedRules

MAX_ROWS = 10_000

Signature = dict[str, Any]
Row = dict[str, object]


class RequestModel:
    """Decoders for the two predict bodies of one signature.

    Args:
        signature: Of the served model.
        rules: That it carries; without them features cannot be looked up, and a body gives all of them.

    """

    def __init__(self, signature: Signature, rules: CarriedRules | None = None) -> None:
        features = signature["features"]
        self._features: dict[str, dict[str, Any]] = {feature["name"]: feature for feature in features}
        self._names = tuple(self._features)
        self._entities = {field["name"]: field for field in entity_fields(rules)} if rules else {}
        row, entity = _struct(features), _struct(list(self._entities.values())) if rules else None
        self._one = _decoder("PredictBody", "features", row, entity)
        self._features_alone = _decoder("PredictBody", "features", row, None)
        self._many = _decoder("BatchBody", "rows", list[row], entity and list[entity])  # type: ignore[valid-type]
        self._limits = [_limits(f) for f in features if f["type"] == "number" and f.get("min") is not None]
        self._seen = [(f["name"], frozenset(f["categories"])) for f in features if f["type"] == "category"]

    def decode_one(self, body: bytes) -> Row | Asked:
        """Read the body of /predict: a row of features, or what to look them up by.

        Raises:
            InvalidBody: 400 for text that is not JSON, 422 for JSON that breaks the signature.

        """
        # Nearly every body of features begins so; it need not be asked which kind of request it is.
        alone = body.startswith(b'{"features"')
        decoded = self._decode(self._features_alone if alone else self._one, body, "features", is_sure=alone)
        if alone or decoded.features is not msgspec.UNSET:
            return dict(zip(self._names, msgspec.structs.astuple(decoded.features), strict=True))
        return self._asked(decoded, [decoded.entities])

    def decode_row(self, body: bytes) -> Row:
        """Read a body of /predict that gives the features; as `decode_one`."""
        row = self.decode_one(body)
        if isinstance(row, Asked):
            raise InvalidBody(422, [finding("features", "missing field", None, "required")])
        return row

    def decode_many(self, body: bytes) -> list[Row] | Asked:
        """Read the body of /predict/batch, in the order of its rows.

        Raises:
            InvalidBody: As `decode_one`, and 413 for more than `MAX_ROWS` rows.

        """
        decoded = self._decode(self._many, body, "rows")
        part = "rows" if decoded.rows is not msgspec.UNSET else "entities"
        rows = getattr(decoded, part)
        if not 0 < len(rows) <= MAX_ROWS:
            status = 413 if rows else 422
            raise InvalidBody(status, [finding(part, "wrong number of rows", len(rows), f"1 to {MAX_ROWS} rows")])
        if part == "entities":
            return self._asked(decoded, rows)
        astuple, names = msgspec.structs.astuple, self._names
        return [dict(zip(names, astuple(row), strict=True)) for row in rows]

    def _decode(self, decoder: msgspec.json.Decoder[Any], body: bytes, part: str, *, is_sure: bool = False) -> Any:
        try:
            decoded = decoder.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise self._refusal(body, part, error) from error
        if self._entities and not is_sure and not _is_one_of_two(decoded, part):
            raise self._refusal(body, part, BadInput("it mixes two kinds of request"))
        return decoded

    def _asked(self, decoded: Any, entities: Sequence[Any]) -> Asked:
        astuple, names = msgspec.structs.astuple, tuple(self._entities)
        given = [dict(zip(names, astuple(entity), strict=True)) for entity in entities]
        return Asked(given, decoded.explain, None if decoded.as_of is msgspec.UNSET else decoded.as_of)

    def find_warnings(self, row: Mapping[str, object], at: str) -> list[Finding]:
        """Name the values that are allowed but unlike all that the model was trained on."""
        found: list[Finding] = []
        for name, low, high in self._limits:
            value = row[name]
            if value is not None and not low <= value <= high:  # type: ignore[operator]
                trained = f"{self._features[name]['min']} to {self._features[name]['max']}"
                found.append(warning(f"{at}.{name}", "far outside the training range", value, trained))
        for name, seen in self._seen:
            value = row[name]
            if value is not None and value not in seen:
                found.append(warning(f"{at}.{name}", "not seen in training, read as null", value, listed(seen)))
        return found

    def _refusal(self, body: bytes, part: str, error: Exception) -> InvalidBody:
        try:
            document = json.loads(body, parse_constant=NotFinite, parse_float=number, parse_int=whole)
        except (ValueError, RecursionError) as broken:
            return InvalidBody(400, [finding("", f"the body is not JSON: {broken}", None, "a JSON object")])
        findings = self._findings_in(document, part)
        if findings:
            return InvalidBody(422, findings)
        # The lenient reader took what the strict one refused, such as UTF-16.
        return InvalidBody(400, [finding("", f"the body is not JSON in UTF-8: {error}", None, "a JSON object")])

    def _findings_in(self, document: object, part: str) -> list[Finding]:
        if not isinstance(document, dict):
            return [finding("", "the body is not an object", document, f'{{"{part}": ...}}')]
        if "entities" in document and part not in document and self._entities:
            return self._findings_in_asked(document, many=part == "rows")
        findings = [finding(name, self._why_unread(name), document[name], part) for name in document if name != part]
        if part not in document:
            return [*findings, finding(part, "missing field", None, "required")]
        return findings + self._findings_in_part(document[part], part, self._features, many=part == "rows")

    def _why_unread(self, name: str) -> str:
        if name == "entities":
            return "stands beside features" if self._entities else "this model carries no rules to look features up by"
        return "goes with entities" if self._entities and name in ("explain", "as_of") else "unknown field"

    def _findings_in_asked(self, document: Mapping[str, object], *, many: bool) -> list[Finding]:
        allowed = {"explain": (bool, "true or false"), "as_of": (str, "text"), "entities": (object, "")}
        findings = [
            finding(name, "unknown field", value, ", ".join(allowed))
            if name not in allowed
            else finding(name, "wrong value", value, allowed[name][1])
            for name, value in document.items()
            if name not in allowed or not isinstance(value, allowed[name][0])
        ]
        return findings + self._findings_in_part(document["entities"], "entities", self._entities, many=many)

    def _findings_in_part(self, given: object, part: str, fields: Fields, *, many: bool) -> list[Finding]:
        if not many:
            return findings_in_row(given, part, fields)
        if not isinstance(given, list):
            return [finding(part, "not a list", given, "a list of objects")]
        findings: list[Finding] = []
        for index, row in enumerate(given):
            findings += findings_in_row(row, f"{part}[{index}]", fields)
            if len(findings) >= MAX_LISTED:
                break
        return findings


def _struct(features: Sequence[Mapping[str, Any]]) -> Any:
    # Python names of our own: a feature may be called `class` or `3d`.
    fields = [(f"f{index}", _field_type(feature)) for index, feature in enumerate(features)]
    rename = {f"f{index}": feature["name"] for index, feature in enumerate(features)}
    return msgspec.defstruct("Features", fields, rename=rename, forbid_unknown_fields=True, gc=False)


def _decoder(name: str, part: str, row: Any, entity: Any) -> msgspec.json.Decoder[Any]:
    """Build the decoder of a body: all features, or, where the model can look them up, entities instead."""
    fields: list[Any] = [(part, row)]
    if entity is not None:
        fields = [
            (part, row | msgspec.UnsetType, msgspec.UNSET),
            ("entities", entity | msgspec.UnsetType, msgspec.UNSET),
        ]
        fields += [("explain", bool, False), ("as_of", str | msgspec.UnsetType, msgspec.UNSET)]
    return msgspec.json.Decoder(msgspec.defstruct(name, fields, forbid_unknown_fields=True))


def _is_one_of_two(decoded: Any, part: str) -> bool:
    """Say whether a body has features alone, or entities with what goes with them."""
    unset = msgspec.UNSET
    if getattr(decoded, part) is unset:
        return decoded.entities is not unset
    return decoded.entities is unset and decoded.as_of is unset and not decoded.explain


def _field_type(feature: Mapping[str, Any]) -> Any:
    kind: Any = {"category": str, "bytes": bytes}.get(feature["type"])
    if feature["type"] == "number":
        kind = Annotated[float, msgspec.Meta(ge=-FLOAT32_MAX, le=FLOAT32_MAX)]
    elif feature["type"] in INT_LIMITS:
        low, high = INT_LIMITS[feature["type"]]
        kind = Annotated[int, msgspec.Meta(ge=low, le=high)]
    return kind | None if feature.get("nullable", True) else kind


def _limits(feature: Mapping[str, Any]) -> tuple[str, float, float]:
    """Widen the training range by its own width: ranges are advice, and only far outside is worth a word."""
    low, high = feature["min"], feature["max"]
    width = high - low or max(abs(high), 1.0)
    return feature["name"], low - width, high + width
