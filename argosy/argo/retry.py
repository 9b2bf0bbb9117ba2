"""How often a pod is tried again: Argo's `retryStrategy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.unsupported import refusal

if TYPE_CHECKING:
    from argosy.spec.model import Retry

LOST: Final = (
    'lastRetry.status == "Error" || asInt(lastRetry.exitCode) == 75 '
    '|| (asInt(lastRetry.exitCode) == 143 && !(lastRetry.message contains "deadline"))'
)
"""The pod was lost or evicted, or something outside did not answer: no fault of the step.

A pod that is deleted with grace ends by SIGTERM, and Argo may see that before the pod goes; so may one whose time is
over, but Kubernetes says so.
"""
WORTHWHILE: Final = "asInt(lastRetry.exitCode) != 2 && asInt(lastRetry.exitCode) != 3"
"""A mistake and a verdict would come out the same again."""


def retry_strategy(retry: Retry | None, place: str) -> dict[str, Any]:
    """Translate `retryPolicy`; a step without one is tried again where that is no fault of its own.

    Raises:
        Unsupported: The factor is not whole; Argo reads an int32.

    """
    if retry is None:
        return {"limit": "2", "retryPolicy": "Always", "expression": LOST}
    if not retry.factor.is_integer():
        raise refusal(f"{place}.retryPolicy.backoffFactor", "backoff factor", str(retry.factor))
    strategy: dict[str, Any] = {"limit": str(retry.max_count), "retryPolicy": "Always", "expression": WORTHWHILE}
    if retry.backoff_s:
        duration, cap = seconds(retry.backoff_s), seconds(retry.max_backoff_s)
        strategy["backoff"] = {"duration": duration, "factor": str(int(retry.factor)), "cap": cap}
    return strategy


def seconds(value: float) -> str:
    """Return a duration as Argo reads it."""
    return f"{int(value)}s" if value.is_integer() else f"{int(value * 1000)}ms"
