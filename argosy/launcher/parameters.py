"""The texts in which values and artifacts travel as parameters of an Argo Workflow.

    5, "text", [1, 2]                      the JSON text of a value
    sha256:<hex>                           an artifact; or a value that lies in the store under this digest
    (nothing)                              absent: nobody gave a value
    {"argosy": "measured", "of": [key, name], "value": "<text>"}       what stands for a measurement in keys
    {"argosy": "value", "value": {...}}                                an object that has a field `argosy` itself
    {"argosy": "collected", "depth": 1, "of": "<text>"}                the outputs of all rounds, as Argo gathers them
    {"argosy": "field", "name": ..., "of": "<text>"}                   a field of an object
    {"argosy": "text", "value": ..., "channels": {name: "<text>"}}     a text with placeholders
    {"argosy": "status", "name": ..., "states": [...], "run": ...}     how a group of tasks ended

Argo substitutes `{{`, and Kubernetes `$(`: they stand in no text, and neither does what Argo's quoting would break.
What Argo gathers from rounds it reads and writes anew where all of it are lists and objects: such a value travels by
digest where that would change it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import Mistake, Outage
from argosy.launcher.artifacts import Artifact, Artifacts, stored_artifact
from argosy.launcher.canonical import canonical_json, fault_of, normal_json, text_of, unsubstituted_json
from argosy.launcher.inputs import each_item, field_of, filled, final_status, gathered, parsed
from argosy.launcher.step import Input, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.launcher.store import Store

KIND: Final = "argosy"
DIGEST: Final = "sha256:"
LONGEST: Final = 1024
EXACT: Final = 2**53
ESCAPED: Final = re.compile(r"\\u(0024|007[bf]|d[89a-f])")
"""What `unsubstituted_json` wrote so, and Argo would write as it is when it writes a list or an object anew."""
PLACEHOLDER: Final = re.compile(r"""\{\{\$\.(?:inputs\.parameters\[(['"])(?P<name>.+?)\1\]|(?P<run>[a-z_]+))\}\}""")
ENDS: Final = {"Failed": "failed", "Error": "failed", "Skipped": "skipped", "Omitted": "skipped"}


def encode_literal(value: Any, place: str) -> str:
    """Return the text of a value that stands in a manifest, where there is no store to put it into.

    Raises:
        Mistake: The value holds NaN or an infinity.

    """
    try:
        return unsubstituted_json(_escaped(normal_json(value) if isinstance(value, list | dict) else value))
    except ValueError as error:
        raise Mistake(f"{place}: got {value}; JSON has no such number, use a text or leave it out") from error


def encode_output(output: Output, key: str, name: str, store: Store) -> str:
    """Return the text of a committed output; `key` is that of the step."""
    return encode_input(output.as_input(key, name), store)


def encode_items(output: Output, key: str, name: str, store: Store) -> str:
    """Return a list output as Argo expands it: a JSON list that holds the text of each item.

    Of what is no list of values it is the text as it is: the loop over it ends in an error that shows it, the step
    does not.
    """
    return encode_items_of(output.as_input(key, name), store)


def encode_items_of(whole: Input, store: Store) -> str:
    """Return the items of what a list output came to, as `encode_items` does."""
    items = whole.value.items if isinstance(whole.value, Artifacts) else parsed(whole.value)
    if not isinstance(items, list | tuple) or fault_of(items):
        return encode_input(whole, store)
    return unsubstituted_json([encode_input(entry, store) for entry in each_item(whole, items)])


def encode_input(entry: Input, store: Store) -> str:
    """Return the text of what enters a step: a value, artifacts, or a measurement with its identity."""
    text = _encode_value(entry.value, store)
    if not entry.measured:
        return text
    return unsubstituted_json({KIND: "measured", "of": entry.identity, "value": text})


def _encode_value(value: Any, store: Store) -> str:
    if isinstance(value, Artifact):
        return value.digest
    if isinstance(value, Artifacts):
        return unsubstituted_json(value.digests)
    text = unsubstituted_json(_escaped(value))
    if len(text.encode()) <= LONGEST and not _is_changed_by_argo(value, text):
        return text
    return DIGEST + store.put_bytes(canonical_json(value))


def _escaped(value: Any) -> Any:
    return {KIND: "value", "value": value} if isinstance(value, dict) and KIND in value else value


def _is_changed_by_argo(value: Any, text: str) -> bool:
    if isinstance(value, list | dict):
        return bool(ESCAPED.search(text)) or holds_inexact(value)
    return isinstance(value, int) and abs(value) > EXACT


def holds_inexact(value: Any) -> bool:
    """Say whether a number in a value may not be the same after Go read it and wrote it anew."""
    if isinstance(value, list | dict):
        return any(holds_inexact(item) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, int | float) and abs(value) > EXACT


@dataclass(frozen=True)
class Texts:
    """Reads the texts of parameters.

    Attributes:
        place: What is read, for messages.
        of_artifacts: Whether the texts stand for artifacts.

    """

    store: Store
    place: str
    of_artifacts: bool = False

    def read(self, text: str) -> Input | None:
        """Return what a text stands for, with its identity in keys; None for nothing.

        Raises:
            Mistake: The text is none that is written here.
            Outage: What it names is not in the store.

        """
        if text == "":
            return None
        if text.startswith(DIGEST):
            return self._stored(text)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Mistake(f"{self.place}: got {text!r:.200}; JSON is needed here, a text in double quotes") from error
        if fault := fault_of(document):
            raise Mistake(self.place + fault)
        return self._plain(document)

    def _stored(self, digest: str) -> Input:
        if self.of_artifacts:
            return Input(stored_artifact(self.store, digest), digest)
        data = self.store.read_blob(digest.removeprefix(DIGEST))
        if data is None:
            raise Outage(f"{self.place}: {digest} in {self.store.url} is missing or damaged; run the step before again")
        value = json.loads(data)
        return Input(value, value)

    def _plain(self, document: Any) -> Input | None:
        """Return what JSON stands for, as a parameter or as Argo read it among what it gathered."""
        if isinstance(document, dict) and KIND in document:
            return self._envelope(document)
        if self.of_artifacts:
            return self._artifacts(document)
        value = normal_json(document) if isinstance(document, list | dict) else document
        return Input(value, value)

    def _artifacts(self, document: Any) -> Input:
        if not isinstance(document, list) or not all(isinstance(item, str) for item in document):
            raise Mistake(f"{self.place}: got {document!r:.200}; the digest of an artifact is needed here")
        found = Artifacts(tuple(stored_artifact(self.store, digest) for digest in document))
        return Input(found, found.digests)

    def _envelope(self, document: Mapping[str, Any]) -> Input | None:
        match document:
            case {"argosy": "value", "value": value}:
                value = normal_json(value)
                return Input(value, value)
            case {"argosy": "measured", "of": identity, "value": text}:
                inner = self.read(text)
                return None if inner is None else Input(inner.value, identity, measured=True)
            case {"argosy": "collected", "depth": depth, "of": text}:
                return self._collected(json.loads(text), depth) if text else None
            case {"argosy": "field", "name": name, "of": text}:
                return self._field(self.read(text), name)
            case {"argosy": "text", "value": value, "channels": channels}:
                return self._rendered(value, {name: self.read(text) for name, text in channels.items()})
            case {"argosy": "status", "name": name, "states": states, "run": run}:
                value = _status(name, states, run)
                return Input(value, value)
        raise Mistake(f"{self.place}: got {document!r:.200}; this workflow was compiled by another version of Argosy")

    def _collected(self, rounds: Sequence[Any], depth: int) -> Input:
        """Return the outputs of rounds: Argo keeps their texts, or what they stand for where all are JSON objects."""
        found: list[Input] = []
        for each in rounds:
            if depth > 1:
                below = json.loads(each) if isinstance(each, str) and each else each
                entry = self._collected(below, depth - 1) if below != "" else None
            else:
                entry = self.read(each) if isinstance(each, str) else self._plain(each)
            found += [] if entry is None else [entry]
        return gathered(found, of_artifacts=self.of_artifacts)

    def _field(self, whole: Input | None, name: str) -> Input | None:
        if whole is None:
            return None
        found = field_of(whole, name)
        if found is None:
            value = parsed(whole.value)
            raise Mistake(f"{self.place}: {value!r:.200} has no field {name!r}; give an object that has it")
        return found

    def _rendered(self, value: Any, channels: Mapping[str, Input | None]) -> Input:
        # A channel may be an artifact's consumer's neighbour, but in a text stands a value.
        found = {name: entry for name, entry in channels.items() if entry is not None}
        return filled(value, _render(value, found), found)


def fitted(entry: Input, kind: str, *, is_list: bool) -> Input:
    """Return an input as its slot has it: one artifact as a list of one, any value as the JSON text of a STRING."""
    value = entry.value
    if is_list and isinstance(value, Artifact):
        return replace(entry, value=Artifacts((value,)), identity=[entry.identity])
    if kind == "STRING" and value is not None and not isinstance(value, str):
        value = text_of(value)
        return replace(entry, value=value, identity=entry.identity if entry.measured else value)
    return entry


def _render(value: Any, channels: Mapping[str, Input]) -> Any:
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: _channel(match, channels), value)
    if isinstance(value, list):
        return [_render(item, channels) for item in value]
    if isinstance(value, dict):
        return {_render(key, channels): _render(item, channels) for key, item in value.items()}
    return value


def _channel(match: re.Match[str], channels: Mapping[str, Input]) -> str:
    name = "$." + match["run"] if match["run"] else match["name"]
    if name not in channels or channels[name].value is None:
        raise Mistake(
            f"{name.removeprefix('pipelinechannel--')}: no value to put into a text; "
            "give the parameter, or give it a default"
        )
    return text_of(channels[name].value)


def _status(name: str, states: Sequence[str], run: str) -> dict[str, Any]:
    found = {ENDS.get(state, "ended") for state in states}
    message = f"a task of {name} failed in {run}" if "failed" in found else ""
    return final_status(found, name=name, run=run, message=message)
