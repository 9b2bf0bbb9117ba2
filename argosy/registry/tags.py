"""The tags that Argosy writes to a registry, and how a model folder reads in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY = "argosy.key"
DIGEST = "argosy.digest"
SIGNATURE = "argosy.signature"
STAGE = "stage"
STAGING = "staging"
PRODUCTION = "production"
DEPRECATED = "deprecated"
HELD = "held"
METRIC = "metric."

COLUMN_TYPES = {"number": "float", "category": "string"}


def version_tags(signature: Mapping[str, Any], *, digest: str, effect_key: str) -> dict[str, str]:
    """Return the tags by which a version is found again, and its signature for registries without our files."""
    columns = {side: json.loads(text) for side, text in mlflow_signature(signature).items()}
    return {
        KEY: effect_key,
        DIGEST: digest,
        STAGE: STAGING,
        SIGNATURE: json.dumps(columns, separators=(",", ":")),
    }


def metric_tags(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return a tag for each number among the metrics; nested names are joined by dots.

    >>> metric_tags({"overall": {"auc": 0.78, "note": "test months"}, "log_loss": 0.4135})
    {'metric.overall.auc': '0.78', 'metric.log_loss': '0.4135'}
    """
    tags: dict[str, str] = {}
    for name, value in metrics.items():
        if isinstance(value, dict):
            nested = metric_tags(value)
            tags |= {f"{METRIC}{name}.{key.removeprefix(METRIC)}": text for key, text in nested.items()}
        elif isinstance(value, int | float) and not isinstance(value, bool):
            tags[f"{METRIC}{name}"] = repr(value)
    return tags


def describe(signature: Mapping[str, Any]) -> str:
    """Return the sentence that a registry shows under a version."""
    output, features = signature["output"], signature["features"]
    return f"{output['name']}: {output['description']}; from {len(features)} features."


def mlflow_signature(signature: Mapping[str, Any]) -> dict[str, str]:
    """Return the signature as MLflow writes it: one JSON text each for inputs and outputs.

    The columns are what callers send, before a category becomes its code.

    Source: MLflow, Model Signatures, column-based signatures.
    """
    inputs = [
        {"type": COLUMN_TYPES[feature["type"]], "name": feature["name"], "required": not feature["nullable"]}
        for feature in signature["features"]
    ]
    outputs = [{"type": "float", "name": signature["output"]["name"], "required": True}]
    return {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)}


def read_signature(model: Path) -> dict[str, Any]:
    """Read the signature of a model folder.

    Raises:
        BadInput: The folder holds no readable `signature.json`, or one that lacks what MLflow needs.

    """
    path = model / "signature.json"
    try:
        signature: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        mlflow_signature(signature)
        describe(signature)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path}: not the signature of a model ({type(error).__name__}: {error}); "
            "a model folder holds model.onnx, signature.json and card.json"
        ) from error
    return signature
