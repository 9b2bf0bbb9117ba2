"""A deployment is over when the server answers with the digest."""

from __future__ import annotations

import time

from argosy.errors import Outage
from argosy.launcher.deployment import served_digest

POLL_S = 0.1


def wait_until_served(*, url: str, digest: str, timeout_s: float = 60.0) -> float:
    """Wait until the server at a URL serves a digest; return the seconds it took.

    Raises:
        Outage: The time is over; the message says what the server serves instead.

    """
    began = time.monotonic()
    while (served := served_digest(url)) != digest:
        if time.monotonic() - began > timeout_s:
            raise Outage(f"{url}/health: serves {served or 'nothing'} after {timeout_s:g} s, not {digest}; see its log")
        time.sleep(POLL_S)
    return time.monotonic() - began
