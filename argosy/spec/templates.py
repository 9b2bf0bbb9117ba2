"""Placeholders inside values, such as `{{$.inputs.parameters['name']}}`.

They stand in a text, or in the texts of a list or an object. The text of a channel replaces its placeholder,
also where the placeholder is the whole text: KFP replaces inside JSON text, so a number put into `["{{...}}"]`
arrives as the text "5". Numbers, truth values, lists and objects are written as JSON (`5`, `true`, `[1, 2]`),
a text as it is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from argosy.errors import Mistake
from argosy.spec.unsupported import refuse
from argosy.spec.values import with_whole_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.model import JsonValue, Template

CHANNEL: Final = re.compile(r"""\{\{\$\.inputs\.parameters\[(['"])(?P<name>.+?)\1\]\}\}""")
ANY: Final = re.compile(r"\{\{\$(?P<path>[^}]*)\}\}")
STEP_SCOPED: Final = (".inputs.", ".outputs.", ".json_escape")


def texts_in(value: JsonValue, place: str) -> Iterator[tuple[str, str]]:
    """Yield every text in a value, names of fields too, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts_in(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield f"{place}.{key}", key
            yield from texts_in(item, f"{place}.{key}")


def channels_in(value: JsonValue, place: str) -> list[str]:
    """Return the names of the channels that a value's texts hold, sorted.

    Raises:
        Unsupported: A text holds a placeholder that is no channel.

    """
    names: set[str] = set()
    for where, text in texts_in(value, place):
        names.update(match["name"] for match in CHANNEL.finditer(text))
        for match in ANY.finditer(CHANNEL.sub("", text)):
            refuse(where, "placeholder of the run", match[0])
    return sorted(names)


def require_no_run_placeholders(text: str, place: str) -> None:
    """Raise where an argv element holds a placeholder whose value only a run knows."""
    for match in ANY.finditer(text):
        if match["path"] and not match["path"].startswith(STEP_SCOPED):
            refuse(place, "placeholder of the run", match[0])


def render_template(template: Template, values: Mapping[str, JsonValue]) -> JsonValue:
    """Return the template's value with its placeholders filled in.

    Raises:
        Mistake: A channel has no value: an optional parameter that nobody gave.

    """
    return _render(template.value, values)


def _render(value: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    if isinstance(value, str):
        return _render_text(value, values)
    if isinstance(value, list):
        return [_render(item, values) for item in value]
    if isinstance(value, dict):
        return {_render_text(key, values): _render(item, values) for key, item in value.items()}
    return value


def _render_text(text: str, values: Mapping[str, JsonValue]) -> str:
    return CHANNEL.sub(lambda match: text_of(match["name"], values), text)


def text_of(name: str, values: Mapping[str, JsonValue]) -> str:
    """Return the value of a channel as the text that stands for its placeholder."""
    value = values.get(name)
    if value is None:
        raise Mistake(
            f"{name.removeprefix('pipelinechannel--')}: no value to put into a text; "
            "give the parameter, or give it a default"
        )
    return value if isinstance(value, str) else json.dumps(with_whole_numbers(value, name), ensure_ascii=False)
