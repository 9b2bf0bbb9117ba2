"""What goes between Kubeflow and the launcher in a pod: a step out of its executor input, outputs into its paths."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import Mistake, Outage, StepFailed
from argosy.launcher.artifacts import (
    Artifact,
    Artifacts,
    artifacts_in,
    is_sound,
    materialize,
    store_artifact,
    stored_artifact,
)
from argosy.launcher.attempt import TYPES, normal_value
from argosy.launcher.canonical import normal_json, text_of
from argosy.launcher.described import LIST, step_of
from argosy.launcher.step import Input
from argosy.launcher.wrapping import (
    CACHING,
    DIGEST_ENTRY,
    IDENTITY,
    IDENTITY_ENTRY,
    Wrapping,
    fill_in,
    names_aside,
    put_back,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from argosy.launcher.step import Outcome, Output, Step
    from argosy.launcher.store import Store

# Where Kubeflow's own launcher lays out what it has fetched.
MOUNTS: Final = (("gs://", "/gcs/"), ("s3://", "/s3/"), ("minio://", "/minio/"))


@dataclass(frozen=True)
class Pod:
    """What one pod was started with.

    Attributes:
        given: Kubeflow's executor input.
        command: The container's own command and arguments.

    """

    wrapping: Wrapping
    given: Mapping[str, Any]
    command: Sequence[str]

    @staticmethod
    def from_words(words: Sequence[str]) -> Pod:
        """Read a command line.

        Raises:
            Mistake: It has another form.

        """
        match list(words):
            case ["--step", step, "--executor_input", given, "--", *command]:
                return Pod(Wrapping.from_text(step), json.loads(given), command)
        raise Mistake("usage: python3 -m argosy.launcher.pod --step JSON --executor_input JSON -- COMMAND...")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The values of input parameters; what nobody gave is null or not there."""
        values: Mapping[str, Any] = self.given.get("inputs", {}).get("parameterValues", {})
        return values


def build_step(pod: Pod, store: Store) -> Step:
    """Rebuild the step from what Kubeflow tells and what stands in the command."""
    wrapping = pod.wrapping
    caching = json.loads(pod.parameters.get(CACHING) or '{"enableCache":true}') or {}
    return step_of(
        wrapping,
        source="" if wrapping.source_at is None else pod.command[wrapping.source_at],
        inputs=_inputs(pod, store),
        cache=caching.get("enableCache", False),
        salt=caching.get("cacheKey", ""),
    )


def emit(pod: Pod, outcome: Outcome, store: Store) -> None:
    """Lay outputs out where Kubeflow collects them, and write its executor output."""
    asked = pod.given["outputs"]
    values = {name: output.value for name, output in outcome.outputs.items() if not artifacts_in(output.value)}
    written: dict[str, Any] = {"parameterValues": {}, "artifacts": {}}
    for name in asked.get("parameters", {}):
        if name.startswith(IDENTITY):
            written["parameterValues"][name] = _identity(outcome, name.removeprefix(IDENTITY))
        elif name in values:
            written["parameterValues"][name] = values[name]
    for name, entry in asked.get("artifacts", {}).items():
        if name in outcome.outputs:
            place = entry["artifacts"][0]
            entries = _lay_out(outcome.outputs[name], place, _identity(outcome, name), store)
            written["artifacts"][name] = {"artifacts": entries}
    file = Path(asked["outputFile"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")


def local_path(uri: str) -> Path:
    """Return where the bytes behind a URI lie in a pod."""
    for scheme, mount in MOUNTS:
        if uri.startswith(scheme):
            return Path(mount + uri.removeprefix(scheme))
    if "://" in uri:
        raise Mistake(f"{uri}: only {', '.join(scheme for scheme, _ in MOUNTS)} and paths are laid out in pods")
    return Path(uri)


def _inputs(pod: Pod, store: Store) -> Iterator[tuple[str, Input]]:
    artifacts = pod.given.get("inputs", {}).get("artifacts", {})
    for name, kind in pod.wrapping.inputs.items():
        if kind in TYPES:
            # kfp calls a function without what is null.
            if pod.parameters.get(name) is not None:
                yield name, _parameter(pod, name, kind)
        elif kind.endswith(LIST):
            entries = [_artifact(entry, store) for entry in artifacts.get(name, {}).get("artifacts", [])]
            identities = [entry.identity for entry in entries]
            value = Artifacts(tuple(entry.value for entry in entries))
            yield name, Input(value, identities, measured=any(entry.measured for entry in entries))
        elif artifacts.get(name, {}).get("artifacts"):
            yield name, _artifact(artifacts[name]["artifacts"][0], store)


def _parameter(pod: Pod, name: str, kind: str) -> Input:
    given = pod.parameters[name]
    place = f"{pod.wrapping.component}: input {name!r}"
    channels = names_aside(given)
    if not channels:
        value = _typed(given, kind, place)
        return _known_as(value, value, pod.parameters.get(IDENTITY + name))
    inner = {each: _channel(pod, each, place) for each in channels}
    value = _typed(fill_in(given, {each: text_of(entry.value) for each, entry in inner.items()}), kind, place)
    if not any(entry.measured for entry in inner.values()):
        return Input(value, value)
    identities = {each: entry.identity for each, entry in inner.items()}
    return Input(value, [put_back(given), identities], measured=True)


def _channel(pod: Pod, name: str, place: str) -> Input:
    value = normal_json(pod.parameters.get(name))
    if value is None:
        raise Mistake(f"{place}: no value for {name.removeprefix('pipelinechannel--')} to put into a text; give one")
    return _known_as(value, value, pod.parameters.get(IDENTITY + name))


def _typed(value: Any, kind: str, place: str) -> Any:
    # Anything can be read as a text: its JSON. Kubeflow's back end turns it into one, kfp.local does not.
    given = text_of(value) if kind == "STRING" else value
    try:
        return normal_value(given, kind, place)
    except StepFailed as error:
        raise Mistake(str(error)) from error


def _artifact(entry: Mapping[str, Any], store: Store) -> Input:
    metadata = dict(entry.get("metadata") or {})
    digest, identity = metadata.pop(DIGEST_ENTRY, None), metadata.pop(IDENTITY_ENTRY, None)
    artifact = _stored(digest, store) if digest else None
    if artifact is None:
        artifact = store_artifact(store, local_path(entry["uri"]), normal_json(metadata))
    return _known_as(artifact, artifact.digest, identity)


def _stored(digest: str, store: Store) -> Artifact | None:
    """Return what a launcher committed under a digest; None where that is gone or damaged."""
    try:
        artifact = stored_artifact(store, digest)
    except Outage:
        return None
    return artifact if is_sound(store, artifact) else None


def _known_as(value: Any, own: Any, identity: str | None) -> Input:
    return Input(value, json.loads(identity), measured=True) if identity else Input(value, own)


def _identity(outcome: Outcome, name: str) -> str:
    """Return what stands for a measurement in keys; empty for a value, which stands for itself."""
    output = outcome.outputs.get(name)
    return json.dumps([outcome.key, name]) if output is not None and output.measured else ""


def _lay_out(output: Output, place: Mapping[str, Any], identity: str, store: Store) -> list[dict[str, Any]]:
    several = isinstance(output.value, Artifacts)
    entries = []
    for index, artifact in enumerate(artifacts_in(output.value)):
        uri = f"{place['uri']}/{index}" if several else place["uri"]
        _copy_out(store, artifact, local_path(uri))
        known = {DIGEST_ENTRY: artifact.digest} | ({IDENTITY_ENTRY: identity} if identity else {})
        entries.append({"name": place.get("name", ""), "uri": uri, "metadata": {**artifact.metadata, **known}})
    return entries


def _copy_out(store: Store, artifact: Artifact, target: Path) -> None:
    """Copy an artifact to a path: what Kubeflow collects must not be links into the store."""
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder) / "artifact"
        materialize(store, artifact.digest, staged)
        target.parent.mkdir(parents=True, exist_ok=True)
        if staged.is_dir():
            shutil.copytree(staged, target, copy_function=shutil.copyfile, dirs_exist_ok=True)
        elif staged.exists():
            shutil.copyfile(staged, target)
