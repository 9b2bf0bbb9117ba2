"""What the launcher is given: one step with its inputs resolved, and what it gives back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from argosy.launcher.artifacts import Artifact, Artifacts

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["step", "observe", "fact", "move", "deployment"]
Status = Literal["ran", "reused", "observed", "skipped", "failed"]


@dataclass(frozen=True)
class Input:
    """A value or artifact that enters a step.

    Attributes:
        value: The JSON value of a parameter, an Artifact, or Artifacts.
        identity: What stands for it in the key: the value or digest, or (producer's key, output name) for a
            measurement.
        measured: Whether it is, or depends on, a measurement.

    """

    value: Any
    identity: Any
    measured: bool = False


@dataclass(frozen=True)
class OutputSlot:
    """A declared output: an artifact (or a list of them) with its schema title, or a parameter with its type."""

    type: str
    is_artifact: bool
    is_list: bool = False


@dataclass(frozen=True)
class Step:
    """One step, ready to be keyed and run: a Python function, or a program.

    Attributes:
        name: The task's name, for people; not part of the key.
        source: The embedded source of a Python component; empty for a program.
        function: The function in `source` to call.
        packages: The requirements that the source names beside its imports.
        image: The container image of a program.
        argv: A program with its arguments, in which placeholders for inputs and outputs stand.
        reads: Project files or folders that the step opens, relative to the project.
        declared_env: Names of environment variables that enter the key.
        types: Schema titles of the artifacts that are given, by input; the function's annotation decides elsewhere.
        natural_key: Names of inputs (or `$NAME` of the environment) that name an effect.

    """

    name: str
    source: str = ""
    function: str = ""
    packages: tuple[str, ...] = ()
    image: str = ""
    argv: tuple[str, ...] = ()
    kind: Kind = "step"
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    declared_env: tuple[str, ...] = ()
    measurements: frozenset[str] = frozenset()
    natural_key: tuple[str, ...] = ()
    inputs: Mapping[str, Input] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, OutputSlot] = field(default_factory=dict)
    cache: bool = True
    salt: str = ""
    timeout_s: float | None = None

    @property
    def is_measured(self) -> bool:
        """Whether any input is, or depends on, a measurement."""
        return any(entry.measured for entry in self.inputs.values())


@dataclass(frozen=True)
class Output:
    """A committed output: a JSON value, an artifact or a list of them; `measured` if it never enters a key by value."""

    value: Any
    measured: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the form that records hold."""
        if isinstance(self.value, Artifact):
            return _artifact_document(self.value) | {"measured": self.measured}
        if isinstance(self.value, Artifacts):
            return {"artifacts": [_artifact_document(item) for item in self.value.items], "measured": self.measured}
        return {"value": self.value, "measured": self.measured}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Output:
        """Read the form that records hold."""
        if "artifacts" in document:
            items = tuple(_artifact_from(item) for item in document["artifacts"])
            return Output(Artifacts(items), document["measured"])
        if "artifact" in document:
            return Output(_artifact_from(document), document["measured"])
        return Output(document["value"], document["measured"])

    def as_input(self, producer_key: str, name: str) -> Input:
        """Return this output as what enters a consumer."""
        if self.measured:
            return Input(self.value, [producer_key, name], measured=True)
        return Input(self.value, shown(self.value))


def shown(value: Any) -> Any:
    """Return a value as keys, people and programs read it: artifacts as their digests."""
    if isinstance(value, Artifact):
        return value.digest
    return value.digests if isinstance(value, Artifacts) else value


def _artifact_document(artifact: Artifact) -> dict[str, Any]:
    return {"artifact": artifact.digest, "blobs": dict(artifact.blobs), "metadata": dict(artifact.metadata)}


def _artifact_from(document: Mapping[str, Any]) -> Artifact:
    return Artifact(document["artifact"], document["blobs"], document["metadata"])


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    Attributes:
        key: The step's key, `sha256:...`.
        reason: Why it ran, was skipped or failed, for people.
        tail: The last lines of a failed step's log.

    """

    status: Status
    key: str = ""
    outputs: Mapping[str, Output] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""
    error: str = ""
    exit_code: int = 0
    log: str = ""
    tail: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the form that documents hold."""
        plain = {name: value for name, value in asdict(replace(self, outputs={})).items() if name != "outputs"}
        return plain | {"outputs": {name: output.to_json() for name, output in self.outputs.items()}}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Outcome:
        """Read the form that documents hold."""
        outputs = {name: Output.from_json(each) for name, each in document["outputs"].items()}
        return Outcome(**{**document, "outputs": outputs})

    def values(self) -> dict[str, Any]:
        """Return outputs as people and programs read them: values as they are, artifacts as digests."""
        return {name: shown(output.value) for name, output in self.outputs.items()}
