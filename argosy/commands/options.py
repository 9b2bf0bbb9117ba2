"""The options and arguments that several commands share."""

from __future__ import annotations

import json
from typing import Any

import click

from argosy.errors import Mistake

DEFAULT_REF = "flights-delay/champion"


def _pairs(given: tuple[str, ...]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise Mistake(f"-p {text}: there is no '=' in it; write -p NAME=VALUE")
        if name.endswith(":"):
            pairs[name.removesuffix(":")] = _json(value, text)
        else:
            pairs[name] = value
    return pairs


def _json(value: str, text: str) -> Any:
    try:
        return json.loads(value)
    except ValueError as error:
        raise Mistake(f"-p {text}: not JSON after ':=': {error}; write -p NAME=VALUE for a text") from error


output = click.option(
    "--output",
    "-o",
    "as_json",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What to print.",
    callback=lambda _context, _option, value: value == "json",
)
store = click.option("--store", metavar="URL", help="The store: a folder or a URL.")
parameters = click.option(
    "--param",
    "-p",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A pipeline parameter; again for more. NAME:=JSON gives any value, null too.",
    callback=lambda _context, _option, values: _pairs(values),
)
pipeline = click.argument("pipeline", metavar="PIPELINE")
namespace = click.option("--namespace", "-n", metavar="NAME", help="The namespace; the context's by default.")
run_id = click.argument("run_id", metavar="RUN", default="@latest")
ref = click.option("--ref", default=DEFAULT_REF, show_default=True, help="The ref that names the model.")
reason = click.option("--reason", default="", help="Why; kept in the record.")
