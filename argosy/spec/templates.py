"""Placeholders inside values: `{{$.inputs.parameters['name']}}`, `{{$.pipeline_job_name}}`.

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
    from collections.abc import Iterable, Iterator, Mapping

    from argosy.spec.model import JsonValue, Template

RUN_VALUES: Final = (
    "pipeline_job_name", "pipeline_job_resource_name", "pipeline_job_uuid", "pipeline_task_name", "pipeline_task_uuid",
    "pipeline_root", "pipeline_job_create_time_utc", "pipeline_job_schedule_time_utc", "workspace_path",
)  # fmt: skip
RUN_PREFIX: Final = "$."
"""Stands before the name of a run's value among the channels of a template."""
CHANNEL: Final = re.compile(
    r"""\{\{\$\.(?:inputs\.parameters\[(['"])(?P<name>.+?)\1\]|(?P<run>""" + "|".join(RUN_VALUES) + r"""))\}\}"""
)
ANY: Final = re.compile(r"\{\{\$(?P<path>[^}]*)\}\}")
STEP_SCOPED: Final = (".inputs.", ".outputs.")


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
    """Return the names of the channels that a value's texts hold, sorted; a run's value is `$.` and its name.

    Raises:
        Unsupported: A text holds a placeholder that is neither.

    """
    names: set[str] = set()
    for where, text in texts_in(value, place):
        names.update(_channel(match) for match in CHANNEL.finditer(text))
        for match in ANY.finditer(CHANNEL.sub("", text)):
            refuse(where, "placeholder of the run", match[0])
    return sorted(names)


def run_values_in(texts: Iterable[str], place: str) -> list[str]:
    """Return the names of the run's values that the arguments of a program hold, sorted.

    Raises:
        Unsupported: A placeholder is neither one of these nor one that the launcher fills in.

    """
    names: set[str] = set()
    for match in (match for text in texts for match in ANY.finditer(text)):
        name = match["path"].removeprefix(".")
        if name in RUN_VALUES:
            names.add(name)
        elif name and not match["path"].startswith(STEP_SCOPED):
            refuse(place, "placeholder of the run", match[0])
    return sorted(names)


def fill_run_values(text: str, values: Mapping[str, str]) -> str:
    """Return an argument with the run's values filled in, and all other placeholders left as they are."""
    return CHANNEL.sub(lambda match: values[match["run"]] if match["run"] else match[0], text)


def _channel(match: re.Match[str]) -> str:
    return RUN_PREFIX + match["run"] if match["run"] else match["name"]


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
    return CHANNEL.sub(lambda match: channel_text(_channel(match), values), text)


def channel_text(name: str, values: Mapping[str, JsonValue]) -> str:
    """Return the value of a channel as the text that stands for its placeholder."""
    value = values.get(name)
    if value is None:
        raise Mistake(
            f"{name.removeprefix('pipelinechannel--')}: no value to put into a text; "
            "give the parameter, or give it a default"
        )
    return value if isinstance(value, str) else json.dumps(with_whole_numbers(value, name), ensure_ascii=False)
