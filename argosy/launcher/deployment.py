"""Whether a server serves a model: one GET of its /health."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

TIMEOUT_S = 2.0


def served_digest(url: str) -> str | None:
    """Return the digest that a server says it serves; None if it serves none or does not answer."""
    # A tenth of an unchanged run without a server, with the mail parser behind it.
    import http.client

    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/health")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    digest = answer.get("model") if isinstance(answer, dict) else None
    return digest if isinstance(digest, str) else None


def serves(url: str, digest: str) -> bool:
    """Say whether the server at this URL serves this digest now."""
    return served_digest(url) == digest
