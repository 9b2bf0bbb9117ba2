"""What the launcher is given: one step with its inputs resolved, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from argosy.launcher.artifacts import Artifact

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["step", "observe", "fact", "move", "deployment"]
Status = Literal["ran", "reused", "observed", "skipped", "failed"]


@dataclass(frozen=True)
class Input:
    """A value or artifact that enters a step.

    Attributes:
        value: The JSON value of a parameter, or the Artifact.
        identity: What stands for it in the key: the value or digest, or (producer's key, output name) for a
            measurement.
        measured: Whether it is, or depends on, a measurement.

    """

    value: Any
    identity: Any
    measured: bool = False


@dataclass(frozen=True)
class OutputSlot:
    """A declared output: an artifact with its schema title, or a parameter with its type."""

    type: str
    is_artifact: bool


@dataclass(frozen=True)
class Step:
    """One step, ready to be keyed and run.

    Attributes:
        name: The task's name, for people; not part of the key.
        source: The embedded source of a Python component.
        function: The function in `source` to call.
        reads: Project files or folders that the step opens, relative to the project.
        declared_env: Names of environment variables that enter the key.
        natural_key: Names of inputs (or `$NAME` of the environment) that name an effect.

    """

    name: str
    source: str
    function: str
    kind: Kind = "step"
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    declared_env: tuple[str, ...] = ()
    measurements: frozenset[str] = frozenset()
    natural_key: tuple[str, ...] = ()
    inputs: Mapping[str, Input] = field(default_factory=dict)
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
    """A committed output: a JSON value or an artifact; `measured` if it must never enter a key by value."""

    value: Any
    measured: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the form that records hold."""
        if isinstance(self.value, Artifact):
            document = {"artifact": self.value.digest, "blobs": dict(self.value.blobs)}
            return document | {"metadata": dict(self.value.metadata), "measured": self.measured}
        return {"value": self.value, "measured": self.measured}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Output:
        """Read the form that records hold."""
        if "artifact" not in document:
            return Output(document["value"], document["measured"])
        artifact = Artifact(document["artifact"], document["blobs"], document["metadata"])
        return Output(artifact, document["measured"])

    def as_input(self, producer_key: str, name: str) -> Input:
        """Return this output as what enters a consumer."""
        if self.measured:
            return Input(self.value, [producer_key, name], measured=True)
        identity = self.value.digest if isinstance(self.value, Artifact) else self.value
        return Input(self.value, identity)


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    Attributes:
        key: The step's key, `sha256:...`.
        reason: Why it ran, was skipped or failed, for people.
        effect: What an effect is known by in the ledger or on a ref, for `show`.

    """

    status: Status
    key: str = ""
    outputs: Mapping[str, Output] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""
    error: str = ""
    exit_code: int = 0
    log: str = ""

    def values(self) -> dict[str, Any]:
        """Return outputs as people and programs read them: values as they are, artifacts as digests."""
        shown = {}
        for name, output in self.outputs.items():
            shown[name] = output.value.digest if isinstance(output.value, Artifact) else output.value
        return shown
