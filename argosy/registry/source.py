"""How a version names its model: `argosy://sha256/...`, and how MLflow is made to read that.

MLflow loads the entry point in this module while it is itself being imported; so MLflow is not imported here.
"""

from __future__ import annotations

import re
from typing import Any

from argosy.errors import Mistake

SCHEME = "argosy"


def source_of(digest: str) -> str:
    """Return the artifact URI of a model digest.

    Raises:
        Mistake: It is not `sha256:` and 64 hexadecimal digits.

    """
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise Mistake(f"model digest: got {digest!r:.100}; allowed is sha256: and 64 hexadecimal digits")
    return f"{SCHEME}://{digest.replace(':', '/')}"


def digest_of(source: str) -> str | None:
    """Return the model digest that an artifact URI names; None for a source that is not ours."""
    match = re.fullmatch(rf"{SCHEME}://sha256/([0-9a-f]{{64}})/?", source)
    return f"sha256:{match[1]}" if match else None


def repository_of(artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Any:
    """Return the repository behind an artifact URI; the entry point `mlflow.artifact_repository`, by MLflow's call."""
    from argosy.registry.artifacts import StoredModelRepository

    return StoredModelRepository(artifact_uri, tracking_uri=tracking_uri, registry_uri=registry_uri)
