"""`argosy predict`: one prediction from the server of this project, and the command that asks for it."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from argosy.commands.printing import print_json, print_line
from argosy.errors import Mistake, Outage
from argosy.serving.example import curl
from argosy.session import open_session, serving_url

if TYPE_CHECKING:
    from collections.abc import Mapping


def predict_once(
    features: str | None, *, entities: str | None, as_of: str | None, explain: bool, as_json: bool
) -> None:
    """Ask the server for one prediction and print it.

    Args:
        features: A JSON file with one value per feature; the model's own example where none is given.
        entities: Instead of features, a JSON file or text with the keys that they are looked up by.
        as_of: The instant to answer as of, RFC 3339; None for now.
        explain: Whether the answer says what each view had.
        as_json: Print the answer alone.

    Raises:
        Mistake: No server runs, or the row is refused; the message is the server's.
        Outage: The server has no model yet or does not answer.

    """
    if entities is None and (as_of or explain):
        raise Mistake("--as-of and --explain go with --entities: features that were sent are nobody's to look up")
    if entities is not None and features is not None:
        raise Mistake("--features and --entities: give one of them")
    session = open_session()
    url = serving_url(session.settings)
    if url is None:
        raise Mistake("no server runs here; `argosy serve --background` starts one")
    body: dict[str, Any]
    if entities is None:
        body = {"features": _read(features) if features else _ask(url, "GET", "/model")["signature"]["example"]}
    else:
        body = {"entities": _read(entities)} | ({"as_of": as_of} if as_of else {})
        body |= {"explain": True} if explain else {}
    answer = _ask(url, "POST", "/predict", body)
    if as_json:
        print_json(answer)
        return
    print_line(curl(url, body))
    print_line(json.dumps(answer))


def _read(given: str) -> Any:
    """Read JSON from a file, or from the argument itself where it is an object."""
    text = given if given.lstrip().startswith("{") else Path(given).read_text(encoding="utf-8")
    return json.loads(text)


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
