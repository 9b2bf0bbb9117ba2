"""Say what is wrong with a body: every bad field by its path, what was got, and what is allowed.

A body is read for this a second time, slowly: JSON that is wrong costs more than JSON that is right.
"""

from __future__ import annotations

import base64
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_LISTED = 20
MAX_SHOWN = 80
# Beyond this a float64 becomes infinite in the float32 matrix that the model reads.
FLOAT32_MAX = 3.4028234663852886e38

INT_LIMITS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
KINDS = {
    "number": "a finite number",
    "category": "text",
    "int32": "a whole number of 32 bits",
    "int64": "a whole number of 64 bits",
    "bytes": "bytes as base64 text",
}

Finding = dict[str, object]
Fields = dict[str, dict[str, Any]]


class InvalidBody(BadInput):
    """A body that is not a request: the HTTP status and one finding for each bad field."""

    def __init__(self, status: int, findings: list[Finding]) -> None:
        super().__init__(str(findings[0]["error"]))
        self.status = status
        self.findings = findings[:MAX_LISTED]


class NotFinite(str):
    """The text of a number that is not finite, such as NaN or 1e400."""

    __slots__ = ()


def findings_in_row(row: object, at: str, fields: Fields) -> list[Finding]:
    """Name what is wrong with one row of a body, by the fields that it should have."""
    if not isinstance(row, dict):
        return [finding(at, "not an object", row, f"an object with {len(fields)} fields")]
    findings = [
        finding(f"{at}.{name}", "unknown field", row[name], close_names(name, tuple(fields)))
        for name in row
        if name not in fields
    ]
    for name, field in fields.items():
        if name not in row:
            findings.append(finding(f"{at}.{name}", "missing field", None, allowed_values(field)))
        elif not _is_allowed(field, row[name]):
            findings.append(finding(f"{at}.{name}", "wrong value", row[name], allowed_values(field)))
    return findings


def allowed_values(feature: Mapping[str, Any]) -> str:
    """Say in words what a feature's value may be."""
    kind = KINDS[feature["type"]]
    return f"{kind} or null" if feature.get("nullable", True) else kind


def _is_allowed(feature: Mapping[str, Any], value: object) -> bool:
    if value is None:
        return bool(feature.get("nullable", True))
    if isinstance(value, NotFinite):
        return False
    if feature["type"] == "category":
        return isinstance(value, str)
    if feature["type"] == "bytes":
        return isinstance(value, str) and _is_base64(value)
    if feature["type"] in INT_LIMITS:
        low, high = INT_LIMITS[feature["type"]]
        return type(value) is int and low <= value <= high
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FLOAT32_MAX


def number(text: str) -> float | NotFinite:
    """Read a number of JSON, whole ones as such while a float64 holds them exactly."""
    value = float(text)
    if abs(value) == float("inf"):
        return NotFinite(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def whole(text: str) -> float | NotFinite:
    """Read a number of JSON without a fraction or an exponent."""
    return int(text) if len(text) <= 20 else number(text)


def _is_base64(text: str) -> bool:
    try:
        return base64.b64decode(text, validate=True) is not None
    except ValueError:
        return False


def finding(field: str, error: str, got: object, allowed: str) -> Finding:
    """Describe a bad field: its path, what is wrong, what was got and what is allowed."""
    return {"error": f"{field}: {error}" if field else error, "field": field, "got": _shown(got), "allowed": allowed}


def warning(field: str, warning: str, got: object, trained_on: str) -> Finding:
    """Describe a value that is allowed but unlike all that the model was trained on."""
    return {"field": field, "warning": warning, "got": _shown(got), "trained_on": trained_on}


def _shown(value: object) -> object:
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode()
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else value


def close_names(name: str, names: Sequence[str]) -> str:
    """List the nearest known names, or the first of them."""
    close = get_close_matches(name, names, n=3) or names[:MAX_LISTED]
    return ", ".join(close)


def listed(values: frozenset[str]) -> str:
    """Write the categories that training saw, shortened."""
    text = ", ".join(sorted(values))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(values)} values)"
