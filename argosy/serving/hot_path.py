"""The ASGI application: predictions, health and readiness by hand, the pages for people behind it.

A framework costs more than the model (350 us of CPU per request with FastAPI and pydantic, 98 us with this),
so the data path is one callable with a table of routes. FastAPI answers the documentation; it is imported
at the first request for it, which keeps its second of import out of the time to ready.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.serving.answers import JSON, RETRY_SOON, Answer
from argosy.serving.entities import Asked
from argosy.serving.findings import InvalidBody
from argosy.serving.follow import describe_health
from argosy.serving.metrics import Metrics
from argosy.serving.validation import MAX_ROWS

if TYPE_CHECKING:
    from argosy.serving.follow import Follower, Served
    from argosy.serving.keyed import Keyed

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BYTES = {"/predict": 256 * 1024, "/predict/batch": 16 * 1024 * 1024}
MAX_WARNINGS = 20
MAX_REQUEST_ID = 128
BATCH_THREADS = 2

METHODS = {
    **dict.fromkeys(MAX_BYTES, "POST"),
    **dict.fromkeys(("/health", "/ready", "/metrics", "/model", "/docs", "/openapi.json"), "GET"),
}

log = logging.getLogger(__name__)
encode = msgspec.json.Encoder().encode


class Disconnected(Exception):
    """The client left before its body was complete."""


class HotPath:
    """Answer predictions from the follower's served model.

    Args:
        follower: Started and stopped with the application.
        build_pages: Builds the application behind this one; called once, in a thread, at its first request.
        keyed: Answers requests by key; None where there is no online store.
        metrics: What is counted.

    """

    def __init__(
        self,
        follower: Follower,
        build_pages: Callable[[], App],
        *,
        keyed: Keyed | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._follower = follower
        self._keyed = keyed
        self._metrics = metrics or Metrics(tuple(METHODS))
        self._build_pages = build_pages
        self._pages: App | None = None
        self._ids = map(f"{secrets.token_hex(4)}-{{}}".format, itertools.count(1))
        self._batches = ThreadPoolExecutor(BATCH_THREADS, thread_name_prefix="batch")
        self._views = {"/health": self._health, "/ready": self._ready}
        self._predictions = {"/predict": self._predict, "/predict/batch": self._predict_batch}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection's scope, as ASGI asks."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._follower.start()
        if self._keyed:
            self._keyed.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._follower.stop()
        self._batches.shutdown(wait=False, cancel_futures=True)
        if self._keyed:
            self._keyed.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        given, length = _read_headers(scope)
        request_id = given or next(self._ids)
        try:
            answer = await self._route(scope, receive, request_id, length)
        except InvalidBody as invalid:
            answer = _refuse(invalid)
        except Disconnected:
            return
        except Exception:
            log.exception("request %s failed", request_id)
            answer = Answer(500, {"error": "internal error; the server's log has it under this request_id"})
        if answer is None:
            await (await self._load_pages())(scope, receive, send)
        else:
            await _send(send, answer, request_id)
            self._metrics.count_request(scope["path"], answer.status, time.perf_counter() - began)

    async def _route(self, scope: Scope, receive: Receive, request_id: str, length: int) -> Answer | None:
        path, method = scope["path"], scope["method"]
        allowed = METHODS.get(path)
        if allowed is None:
            return Answer(404, {"error": f"no such path: {path[:200]}", "allowed": list(METHODS)})
        if method != allowed and not (method == "HEAD" and allowed == "GET"):
            message = {"error": f"{method} {path} is not allowed", "allowed": allowed}
            return Answer(405, message, ((b"allow", allowed.encode()),))
        if allowed == "POST":
            body = await _read_body(receive, length, MAX_BYTES[path])
            served = self._follower.served
            return await self._predictions[path](served, body, request_id) if served else self._no_model()
        if path == "/metrics":
            text, content_type = await asyncio.to_thread(self._metrics.render)
            return Answer(200, text, ((b"content-type", content_type),))
        view = self._views.get(path)
        return view() if view else None

    def _health(self) -> Answer:
        return Answer(200, describe_health(self._follower))

    def _ready(self) -> Answer:
        served = self._follower.served
        return Answer(200, {"status": "ready", "model": served.target.digest}) if served else self._no_model()

    def _no_model(self) -> Answer:
        failed = describe_health(self._follower)["failed"]
        message = {"error": "no model is loaded yet; promote one, then ask /ready", "failed": failed}
        return Answer(503, message, RETRY_SOON)

    async def _predict(self, served: Served, body: bytes, request_id: str) -> Answer:
        row = served.requests.decode_one(body)
        if isinstance(row, Asked):
            return await self._keyed.predict(served, row, request_id) if self._keyed else _no_store()
        probability = served.model.predict_rows([row])[0]
        fields = {"probability": probability, "model": served.target.digest, "request_id": request_id}
        warnings = served.requests.find_warnings(row, "features")
        if warnings:
            fields["warnings"] = warnings
        return Answer(200, fields)

    async def _predict_batch(self, served: Served, body: bytes, request_id: str) -> Answer:
        if len(body) <= served.inline_bytes:
            answer = _score(served, body, request_id)
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._batches, _score, served, body, request_id)
        if isinstance(answer, Answer):
            return answer
        return (
            await self._keyed.predict_batch(served, answer, request_id, self._batches) if self._keyed else _no_store()
        )

    async def _load_pages(self) -> App:
        if self._pages is None:
            self._pages = await asyncio.to_thread(self._build_pages)
        return self._pages


def _score(served: Served, body: bytes, request_id: str) -> Answer | Asked:
    """Answer a batch of features; what has to be looked up first is returned as it was asked."""
    rows = served.requests.decode_many(body)
    if isinstance(rows, Asked):
        return rows
    probabilities = served.model.predict_rows(rows)
    fields: dict[str, Any] = {
        "probabilities": probabilities,
        "model": served.target.digest,
        "request_id": request_id,
    }
    found = (served.requests.find_warnings(row, f"rows[{index}]") for index, row in enumerate(rows))
    warnings = list(itertools.islice(itertools.chain.from_iterable(found), MAX_WARNINGS))
    if warnings:
        fields["warnings"] = warnings
    return Answer(200, fields)


def _no_store() -> Answer:
    message = {"error": "entities: this server has no online store; start it with --online URL, or send features"}
    return Answer(501, message)


def _refuse(invalid: InvalidBody) -> Answer:
    return Answer(invalid.status, {**invalid.findings[0], "errors": invalid.findings})


def _read_headers(scope: Scope) -> tuple[str | None, int]:
    request_id, length = None, 0
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if text.isascii() and text.isprintable() and 0 < len(text) <= MAX_REQUEST_ID:
                request_id = text
        elif name == b"content-length":
            length = int(value)
    return request_id, length


async def _read_body(receive: Receive, length: int, limit: int) -> bytes:
    if length > limit:
        raise _too_large(length, limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(size, limit)
    if message["type"] == "http.disconnect":
        raise Disconnected
    return body if len(parts) == 1 else b"".join(parts)


def _too_large(size: int, limit: int) -> InvalidBody:
    allowed = f"{limit} bytes; in a batch, {MAX_ROWS} rows"
    return InvalidBody(413, [{"error": "the body is too large", "field": "", "got": size, "allowed": allowed}])


async def _send(send: Send, answer: Answer, request_id: str) -> None:
    fields = answer.fields
    if isinstance(fields, bytes):
        body, headers = fields, []
    else:
        body, headers = encode(fields if answer.status == 200 else {**fields, "request_id": request_id}), [JSON]
    headers += [
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
