"""One text for one value: canonical JSON and the digests made from it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any, Final

DEEPEST: Final = 100
"""How many lists and objects may stand within each other; readers of JSON each have a limit of their own."""
TOO_DEEP: Final = f": got more than {DEEPEST} lists or objects within each other; give the inner ones as JSON text"
UNQUOTABLE: Final = re.compile("[\x7f\ud800-\udfff\U00010000-\U0010ffff]")
"""Characters that Argo may write as `\\x7f` or `\\U000e0067` where it puts a value into a text, which is no JSON."""

EXPANDED: Final = re.compile(r"\$(?=[$(])")
"""A dollar that Kubernetes takes for a variable's, or for one that stands for the next, wherever it starts a pod."""


def canonical_json(value: Any) -> bytes:
    """Write a JSON value with sorted keys, no spaces and no NaN.

    Raises:
        ValueError: The value holds NaN or an infinity, which JSON cannot carry.

    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def unsubstituted_json(value: Any) -> str:
    """Return compact JSON text in which neither Kubeflow nor Argo nor Kubernetes finds anything to substitute.

    Raises:
        ValueError: The value holds NaN or an infinity.

    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = UNQUOTABLE.sub(lambda match: json.dumps(match[0])[1:-1], EXPANDED.sub(r"\\u0024", text))
    # Two braces in a row stand in texts alone: compact JSON never has them elsewhere.
    return text.replace("{{", r"\u007b\u007b")


def fault_of(value: Any, depth: int = 0) -> str | None:
    """Return what in a parsed value JSON in UTF-8 cannot carry, behind its place in the value; None where it can."""
    match value:
        case float() if not math.isfinite(value):
            return f": got {value}; JSON has no such number, use a text or leave it out"
        case str() if _is_broken(value):
            return f": got {json.dumps(value):.60}; UTF-8 has no half of a surrogate pair, leave it out"
        case list() | dict() if depth == DEEPEST:
            return TOO_DEEP
        case list():
            found = (_placed(f"[{index}]", fault_of(item, depth + 1)) for index, item in enumerate(value))
        case dict():
            found = (fault_of(key) or _placed(f".{key}", fault_of(item, depth + 1)) for key, item in value.items())
        case _:
            return None
    return next(filter(None, found), None)


def _placed(place: str, fault: str | None) -> str | None:
    # The place of what is too deep would be as long.
    return fault if fault in {None, TOO_DEEP} else f"{place}{fault}"


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def text_of(value: Any) -> str:
    """Return a value as it stands in a text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(normal_json(value), ensure_ascii=False)


def digest_of(value: Any) -> str:
    """Name a JSON value by the SHA-256 of its canonical text: `sha256:<64 hex>`."""
    return digest_of_bytes(canonical_json(value))


def digest_of_bytes(data: bytes) -> str:
    """Name bytes by their SHA-256: `sha256:<64 hex>`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def normal_json(value: Any) -> Any:
    """Return a JSON value whose integral floats are ints and whose names are sorted, at any depth.

    Beyond 2**53 a float stays one. Orchestrators carry numbers through protocol buffers, where every number is a
    double. One form for equal numbers and one order of names keep keys, digests and texts equal on every target.
    """
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= 2**53 else value
    if isinstance(value, list | tuple):
        return [normal_json(item) for item in value]
    if isinstance(value, dict):
        return {key: normal_json(value[key]) for key in sorted(value)}
    return value
