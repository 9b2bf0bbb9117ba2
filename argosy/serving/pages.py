"""The pages for people, on FastAPI: the documentation and the model's card."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse

from argosy.serving.entities import describe_entities
from argosy.serving.example import curl_examples
from argosy.serving.openapi import describe_api

if TYPE_CHECKING:
    from argosy.serving.follow import Follower, Served

CARD = "card.json"
PLAIN = """<section style="font:15px sans-serif;max-width:60rem;margin:2rem auto">
<h2>{name}</h2><p>{model}</p><pre style="white-space:pre-wrap">{example}</pre>
<p>The interactive page above loads its scripts from a public address. Without a network, read
<a href="openapi.json">openapi.json</a> and <a href="model">model</a>.</p></section></body>"""


def build_pages(follower: Follower) -> FastAPI:
    """Build the application that answers /docs, /openapi.json and /model."""
    pages = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @pages.api_route("/openapi.json", methods=["GET", "HEAD"])
    def openapi() -> JSONResponse:
        served = follower.served
        return JSONResponse(describe_api(served.signature, served.rules) if served else describe_api(None))

    @pages.api_route("/docs", methods=["GET", "HEAD"])
    def docs() -> HTMLResponse:
        page = get_swagger_ui_html(openapi_url="openapi.json", title="Predictions")
        return HTMLResponse(bytes(page.body).decode().replace("</body>", _describe(follower.served)))

    @pages.api_route("/model", methods=["GET", "HEAD"])
    def model() -> JSONResponse:
        served = follower.served
        if served is None:
            return JSONResponse({"error": "no model is loaded yet"}, status_code=503)
        told = {"model": served.target.digest, "signature": served.signature, "card": _read_card(served)}
        by_key = {"entities": describe_entities(served.rules, served.signature["example"])} if served.rules else {}
        return JSONResponse(told | by_key)

    return pages


def _read_card(served: Served) -> Any:
    path = served.target.folder / CARD
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _describe(served: Served | None) -> str:
    if served is None:
        return PLAIN.format(name="No model is loaded yet", model="", example="")
    return PLAIN.format(
        name=html.escape(served.target.name),
        model=html.escape(served.target.digest),
        example=html.escape("\n\n".join(curl_examples("http://SERVER", served.signature, served.rules))),
    )
