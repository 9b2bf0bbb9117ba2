"""One text for one value: canonical JSON and the digests made from it."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Write a JSON value with sorted keys, no spaces and no NaN.

    Raises:
        ValueError: The value holds NaN or an infinity, which JSON cannot carry.

    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def unsubstituted_json(value: Any) -> str:
    """Return compact JSON text in which neither Kubeflow nor Argo finds anything to substitute.

    Raises:
        ValueError: The value holds NaN or an infinity.

    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Two braces in a row stand in texts alone: compact JSON never has them elsewhere.
    return text.replace("{{", r"\u007b\u007b")


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
