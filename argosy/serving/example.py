"""Show how to ask the server for a prediction."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from argosy.serving.entities import example_entity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.features.carried import CarriedRules


def curl_example(url: str, signature: Mapping[str, Any]) -> str:
    """Build the shell command that predicts the signature's example.

    Args:
        url: Of the server, such as http://127.0.0.1:8080.
        signature: Of the served model.

    """
    return curl(url, {"features": signature["example"]})


def curl_examples(url: str, signature: Mapping[str, Any], rules: CarriedRules | None) -> list[str]:
    """Build the commands that predict the example: from its features, and by key where the model has rules for that."""
    examples = [curl_example(url, signature)]
    if rules is not None:
        examples.append(curl(url, {"entities": example_entity(rules, signature["example"]), "explain": True}))
    return examples


def curl(url: str, body: Mapping[str, Any]) -> str:
    """Build the shell command that posts a body to /predict."""
    text = json.dumps(body, ensure_ascii=False)
    header = shlex.quote("Content-Type: application/json")
    return f"curl -s {shlex.quote(url.rstrip('/') + '/predict')} -H {header} -d {shlex.quote(text)}"
