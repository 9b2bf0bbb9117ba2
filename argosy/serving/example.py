"""Show how to ask the server for a prediction."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def curl_example(url: str, signature: Mapping[str, Any]) -> str:
    """Build the shell command that predicts the signature's example.

    Args:
        url: Of the server, such as http://127.0.0.1:8080.
        signature: Of the served model.

    """
    body = json.dumps({"features": signature["example"]}, ensure_ascii=False)
    header = shlex.quote("Content-Type: application/json")
    return f"curl -s {shlex.quote(url.rstrip('/') + '/predict')} -H {header} -d {shlex.quote(body)}"
