"""A served model without ONNX: a signature, and a model whose answer is one of its features."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from argosy.serving.follow import Served, Target
from argosy.serving.validation import RequestModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIGNATURE: dict[str, Any] = {
    "name": "flights-delay",
    "version": 1,
    "output": {"name": "probability", "description": "arrives late"},
    "features": [
        {"name": "temp", "type": "number", "group": "weather", "nullable": True, "min": 0.0, "max": 1.0},
        {"name": "class", "type": "category", "group": "schedule", "nullable": True, "categories": ["AA", "B6"]},
        {"name": "seats", "type": "number", "group": "plane", "nullable": False, "min": 50.0, "max": 180.0},
    ],
    "example": {"temp": 0.25, "class": "AA", "seats": 140.0},
}
EXAMPLE: dict[str, Any] = SIGNATURE["example"]


class FakeModel:
    """Answers a row with its temp, or with 0.5 where it is null."""

    def __init__(self, signature: dict[str, Any] = SIGNATURE) -> None:
        self.signature = signature

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[float]:
        return [0.5 if row["temp"] is None else row["temp"] for row in rows]


def a_target(digest: str = "sha256:one", *, generation: int = 1) -> Target:
    """Build a target whose folder is never read."""
    return Target(digest=digest, name="flights-delay", generation=generation, folder=Path("/nowhere"))


def a_served(target: Target | None = None, *, model: Any = None, inline_bytes: int = 10_000) -> Served:
    """Build what `prepare` would return, with a fake model."""
    return Served(target or a_target(), model or FakeModel(), RequestModel(SIGNATURE), inline_bytes)


def ask(app: Any, method: str, path: str, **request: Any) -> httpx.Response:
    """Send one request to an ASGI application, without a server."""

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, path, **request)

    return asyncio.run(exchange())
