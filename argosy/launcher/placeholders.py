"""Fill in the placeholders of a program's arguments, from what KFP calls its executor input.

- `{{$}}`: the executor input itself, as JSON.
- `{{$.inputs.parameters['n']}}`: a value; a text as it is, anything else as JSON.
- `{{$.inputs.artifacts['n']}}`: a list of artifacts, as JSON.
- `{{$.inputs.artifacts['n'].path}}`, also `.uri`, `.metadata`, `.metadata['key']`; likewise under `outputs`.
- `{{$.outputs.parameters['n'].output_file}}`: the file to write a value to.
- `{"IfPresent": {"InputName": n, "Then": ..., "Else": ...}}`: a whole argument; may come to none or several.
- `{"Concat": [...]}`: a whole argument, its parts joined.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PLACEHOLDER: Final = re.compile(
    r"""\{\{\$(?:\.(?P<side>inputs|outputs)\.(?P<kind>parameters|artifacts)\[(?P<quote>['"])(?P<name>.+?)(?P=quote)\]"""
    r"""(?:\.(?P<field>\w+)(?:\[(?P<mark>['"])(?P<key>.+?)(?P=mark)\])?)?)?\}\}"""
)
STRUCTURES: Final = ('{"IfPresent":', '{"Concat":')


def render_argv(argv: Sequence[str], executor_input: Mapping[str, Any]) -> list[str]:
    """Return a program's arguments with everything filled in.

    Raises:
        Mistake: A placeholder names nothing that the program is given.

    """
    return [fill(word, executor_input) for word in _words(argv, executor_input)]


def fill(value: Any, executor_input: Mapping[str, Any]) -> Any:
    """Return a JSON value with the placeholders in its texts filled in.

    Raises:
        Mistake: A placeholder names nothing that is given.

    """
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: _text(match, executor_input), value)
    if isinstance(value, list):
        return [fill(item, executor_input) for item in value]
    if isinstance(value, dict):
        return {fill(key, executor_input): fill(item, executor_input) for key, item in value.items()}
    return value


def fill_run(word: str, values: Mapping[str, str]) -> str:
    """Return an argument with what only the run knows filled in: `{{$.NAME}}`."""
    for name, text in values.items():
        word = word.replace(f"{{{{$.{name}}}}}", text)
    return word


def _words(argv: Sequence[str], executor_input: Mapping[str, Any]) -> Iterator[str]:
    for word in argv:
        yield from _expand(json.loads(word), executor_input) if word.startswith(STRUCTURES) else [word]


def _expand(part: Any, executor_input: Mapping[str, Any]) -> list[str]:
    """Return the words that a part of a structure comes to."""
    match part:
        case None:
            return []
        case str():
            return [part]
        case list():
            return [word for each in part for word in _expand(each, executor_input)]
        case {"Concat": parts}:
            return ["".join(_expand(parts, executor_input))]
        case {"IfPresent": {"InputName": name} as branches}:
            return _expand(branches.get("Then" if _is_present(name, executor_input) else "Else"), executor_input)
    raise Mistake(f"argument {part!r}: neither IfPresent nor Concat nor a text; write one of these")


def _is_present(name: str, executor_input: Mapping[str, Any]) -> bool:
    inputs = executor_input["inputs"]
    return inputs["parameterValues"].get(name) is not None or name in inputs["artifacts"]


def _text(match: re.Match[str], executor_input: Mapping[str, Any]) -> str:
    value = _value(match, executor_input)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(match: re.Match[str], executor_input: Mapping[str, Any]) -> Any:
    side, name, field = match["side"], match["name"], match["field"]
    if side is None:
        return dict(executor_input)
    given = executor_input[side]
    if match["kind"] == "artifacts":
        entry = given["artifacts"].get(name)
        return _nothing(match) if entry is None else _of_artifact(entry["artifacts"], field, match["key"])
    if side == "inputs":
        # An optional value that nobody gave is null in Kubeflow too.
        return given["parameterValues"].get(name)
    entry = given["parameters"].get(name)
    return _nothing(match) if entry is None or field != "output_file" else entry["outputFile"]


def _of_artifact(artifacts: list[Any], field: str | None, key: str | None) -> Any:
    if field is None:
        return artifacts
    found = artifacts[0].get({"path": "uri"}.get(field, field))
    return found if key is None else (found or {}).get(key)


def _nothing(match: re.Match[str]) -> Any:
    raise Mistake(f"{match[0]}: the component has no such {match['side']}; name one that it declares")
