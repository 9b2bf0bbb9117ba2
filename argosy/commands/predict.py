"""`argosy predict`: one prediction from the server of this project, and the command that asks for it."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from argosy.commands.printing import print_json, print_line
from argosy.errors import Mistake, Outage
from argosy.serving.example import curl_example
from argosy.session import open_session, serving_url

if TYPE_CHECKING:
    from collections.abc import Mapping


def predict_once(features: str | None, *, as_json: bool) -> None:
    """Ask the server for one prediction and print it.

    Args:
        features: A JSON file with one value per feature; the model's own example where none is given.
        as_json: Print the answer alone.

    Raises:
        Mistake: No server runs, or the row is refused; the message is the server's.
        Outage: The server has no model yet or does not answer.

    """
    session = open_session()
    url = serving_url(session.settings)
    if url is None:
        raise Mistake("no server runs here; `argosy serve --background` starts one")
    signature = _ask(url, "GET", "/model")["signature"]
    if features is not None:
        signature = signature | {"example": json.loads(Path(features).read_text(encoding="utf-8"))}
    answer = _ask(url, "POST", "/predict", {"features": signature["example"]})
    if as_json:
        print_json(answer)
        return
    print_line(curl_example(url, signature))
    print_line(json.dumps(answer))


def _ask(url: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except (OSError, http.client.HTTPException) as error:
        raise Outage(f"{url}{path}: {error}; see `argosy doctor`") from error
    finally:
        connection.close()
    if response.status == 503:
        raise Outage(f"{url}{path}: {answer.get('error', answer)}")
    if response.status >= 400:
        raise Mistake(f"{url}{path}: {answer.get('error', answer)}")
    return answer
