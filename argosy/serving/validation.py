"""The request model of one served model: bodies decoded and checked against its signature.

msgspec decodes and checks in one pass. Only when it refuses is the body read again, slowly, to name every
bad field: JSON that is wrong costs more than JSON that is right.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_ROWS = 10_000
MAX_LISTED = 20
MAX_SHOWN = 80
# Beyond this a float64 becomes infinite in the float32 matrix that the model reads.
FLOAT32_MAX = 3.4028234663852886e38

Signature = dict[str, Any]
Row = dict[str, object]
Finding = dict[str, object]


class InvalidBody(BadInput):
    """A body that is not a request: the HTTP status and one finding for each bad field."""

    def __init__(self, status: int, findings: list[Finding]) -> None:
        super().__init__(str(findings[0]["error"]))
        self.status = status
        self.findings = findings[:MAX_LISTED]


class _NotFinite(str):
    """The text of a number that is not finite, such as NaN or 1e400."""

    __slots__ = ()


class RequestModel:
    """Decoders for the two predict bodies of one signature."""

    def __init__(self, signature: Signature) -> None:
        features = signature["features"]
        self._features: dict[str, dict[str, Any]] = {feature["name"]: feature for feature in features}
        self._names = tuple(self._features)
        row = _struct(features)
        one = msgspec.defstruct("PredictBody", [("features", row)], forbid_unknown_fields=True)
        many = msgspec.defstruct("BatchBody", [("rows", list[row])], forbid_unknown_fields=True)  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(one)
        self._many: msgspec.json.Decoder[Any] = msgspec.json.Decoder(many)
        self._limits = [_limits(f) for f in features if f["type"] == "number" and f.get("min") is not None]
        self._seen = [(f["name"], frozenset(f["categories"])) for f in features if f["type"] == "category"]

    def decode_row(self, body: bytes) -> Row:
        """Read the body of /predict.

        Raises:
            InvalidBody: 400 for text that is not JSON, 422 for JSON that breaks the signature.

        """
        try:
            decoded = self._one.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise self._refusal(body, "features", error) from error
        return dict(zip(self._names, msgspec.structs.astuple(decoded.features), strict=True))

    def decode_rows(self, body: bytes) -> list[Row]:
        """Read the body of /predict/batch, in the order of its rows.

        Raises:
            InvalidBody: As `decode_row`, and 413 for more than `MAX_ROWS` rows.

        """
        try:
            rows = self._many.decode(body).rows
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise self._refusal(body, "rows", error) from error
        if not 0 < len(rows) <= MAX_ROWS:
            status = 413 if rows else 422
            raise InvalidBody(status, [_finding("rows", "wrong number of rows", len(rows), f"1 to {MAX_ROWS} rows")])
        astuple, names = msgspec.structs.astuple, self._names
        return [dict(zip(names, astuple(row), strict=True)) for row in rows]

    def find_warnings(self, row: Row, at: str) -> list[Finding]:
        """Name the values that are allowed but unlike all that the model was trained on."""
        found: list[Finding] = []
        for name, low, high in self._limits:
            value = row[name]
            if value is not None and not low <= value <= high:  # type: ignore[operator]
                trained = f"{self._features[name]['min']} to {self._features[name]['max']}"
                found.append(_warning(f"{at}.{name}", "far outside the training range", value, trained))
        for name, seen in self._seen:
            value = row[name]
            if value is not None and value not in seen:
                found.append(_warning(f"{at}.{name}", "not seen in training, read as null", value, _listed(seen)))
        return found

    def _refusal(self, body: bytes, part: str, error: Exception) -> InvalidBody:
        try:
            document = json.loads(body, parse_constant=_NotFinite, parse_float=_number, parse_int=_number)
        except (ValueError, RecursionError) as broken:
            return InvalidBody(400, [_finding("", f"the body is not JSON: {broken}", None, "a JSON object")])
        findings = self._findings_in(document, part)
        if findings:
            return InvalidBody(422, findings)
        # The lenient reader took what the strict one refused, such as UTF-16.
        return InvalidBody(400, [_finding("", f"the body is not JSON in UTF-8: {error}", None, "a JSON object")])

    def _findings_in(self, document: object, part: str) -> list[Finding]:
        if not isinstance(document, dict):
            return [_finding("", "the body is not an object", document, f'{{"{part}": ...}}')]
        findings = [_finding(name, "unknown field", document[name], part) for name in document if name != part]
        if part not in document:
            return [*findings, _finding(part, "missing field", None, "required")]
        if part == "features":
            return findings + self._findings_in_row(document[part], part)
        if not isinstance(document[part], list):
            return [*findings, _finding(part, "not a list", document[part], "a list of objects")]
        for index, row in enumerate(document[part]):
            findings += self._findings_in_row(row, f"{part}[{index}]")
            if len(findings) >= MAX_LISTED:
                break
        return findings

    def _findings_in_row(self, row: object, at: str) -> list[Finding]:
        if not isinstance(row, dict):
            return [_finding(at, "not an object", row, f"an object with {len(self._names)} features")]
        findings = [
            _finding(f"{at}.{name}", "unknown field", row[name], _close_names(name, self._names))
            for name in row
            if name not in self._features
        ]
        for name, feature in self._features.items():
            if name not in row:
                findings.append(_finding(f"{at}.{name}", "missing field", None, allowed_values(feature)))
            elif not _is_allowed(feature, row[name]):
                findings.append(_finding(f"{at}.{name}", "wrong value", row[name], allowed_values(feature)))
        return findings


def allowed_values(feature: Mapping[str, Any]) -> str:
    """Say in words what a feature's value may be."""
    kind = "a finite number" if feature["type"] == "number" else "text"
    return f"{kind} or null" if feature.get("nullable", True) else kind


def _struct(features: Sequence[Mapping[str, Any]]) -> Any:
    # Python names of our own: a feature may be called `class` or `3d`.
    fields = [(f"f{index}", _field_type(feature)) for index, feature in enumerate(features)]
    rename = {f"f{index}": feature["name"] for index, feature in enumerate(features)}
    return msgspec.defstruct("Features", fields, rename=rename, forbid_unknown_fields=True, gc=False)


def _field_type(feature: Mapping[str, Any]) -> Any:
    number = Annotated[float, msgspec.Meta(ge=-FLOAT32_MAX, le=FLOAT32_MAX)]
    kind: Any = number if feature["type"] == "number" else str
    return kind | None if feature.get("nullable", True) else kind


def _limits(feature: Mapping[str, Any]) -> tuple[str, float, float]:
    """Widen the training range by its own width: ranges are advice, and only far outside is worth a word."""
    low, high = feature["min"], feature["max"]
    width = high - low or max(abs(high), 1.0)
    return feature["name"], low - width, high + width


def _is_allowed(feature: Mapping[str, Any], value: object) -> bool:
    if value is None:
        return bool(feature.get("nullable", True))
    if isinstance(value, _NotFinite):
        return False
    if feature["type"] == "category":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FLOAT32_MAX


def _number(text: str) -> float | _NotFinite:
    value = float(text)
    if abs(value) == float("inf"):
        return _NotFinite(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _finding(field: str, error: str, got: object, allowed: str) -> Finding:
    return {"error": f"{field}: {error}" if field else error, "field": field, "got": _shown(got), "allowed": allowed}


def _warning(field: str, warning: str, got: object, trained_on: str) -> Finding:
    return {"field": field, "warning": warning, "got": _shown(got), "trained_on": trained_on}


def _shown(value: object) -> object:
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode()
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else value


def _close_names(name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name, names, n=3) or names[:MAX_LISTED]
    return ", ".join(close)


def _listed(values: frozenset[str]) -> str:
    text = ", ".join(sorted(values))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(values)} values)"
