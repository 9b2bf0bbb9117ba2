"""Registration as a step calls it: what the version is, and what it came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from argosy.registry.effects import register_version
from argosy.registry.tags import metric_tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def register_with_lineage(*, model: Path, name: str, metrics: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """Register a model under its digest; return the version's number.

    Args:
        model: The model folder.
        name: Of the registered model.
        metrics: Written to the version as tags.
        env: What the launcher tells a step: ARGOSY_INPUTS (digests of the inputs by name), ARGOSY_EFFECT (the key that
            the version carries) and MLFLOW_TRACKING_URI.

    """
    digests: dict[str, str] = json.loads(env["ARGOSY_INPUTS"])
    lineage = {f"lineage.{input_name}": digest for input_name, digest in digests.items() if input_name != "model"}
    version = register_version(
        tracking_uri=env["MLFLOW_TRACKING_URI"],
        name=name,
        model=model,
        digest=digests["model"],
        effect_key=env["ARGOSY_EFFECT"],
        tags=lineage | metric_tags(metrics),
    )
    return version["version"]
