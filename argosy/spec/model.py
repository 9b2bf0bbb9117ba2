"""The typed plan: what the targets run, with every name of the spec resolved.

    Pipeline ── parameters: Parameter
             └─ tasks: Task ── component: Component ── executor: Executor, declaration: Declaration
                            ├─ inputs: Source  (Constant | Template | PipelineInput | TaskOutput)
                            └─ conditions: Condition

Groups of the DSL (`dsl.If` and its kin) are gone: their tasks carry conditions and resolved sources.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
ParameterType = Literal["NUMBER_INTEGER", "NUMBER_DOUBLE", "STRING", "BOOLEAN", "LIST", "STRUCT"]
Kind = Literal["step", "observe", "fact", "move", "deployment"]
Operator = Literal["==", "!=", "<", "<=", ">", ">="]
Cast = Literal["int", "double"]


class Absent(Enum):
    """The one value that says "nothing given", which None (JSON null) does not say."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed value that enters or leaves a component or a pipeline."""

    name: str
    type: ParameterType
    optional: bool = False
    default: JsonValue | Absent = ABSENT
    literals: tuple[JsonValue, ...] = ()
    """The values that are allowed; empty where any value of the type is."""


@dataclass(frozen=True, slots=True)
class ArtifactSlot:
    """A file or folder that enters or leaves a component.

    `schema_title` is the artifact type, like `system.Model`.
    """

    name: str
    schema_title: str
    is_list: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Executor:
    """The container of a component.

    `source`, `function` and `packages` are what kfp embedded in the argv of a lightweight Python component
    (None and empty for any other); `env` leaves out the `ARGOSY_*` entries, which became the declaration.
    """

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    function: str | None = None
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a component says of itself beyond its signature.

    `reads` are globs or folders of data files, `env` names of environment variables, `measurements` and
    `verdicts` names of outputs, `key` names of inputs (or `$NAME` of the environment) that form the natural
    key of an effect.
    """

    kind: Kind = "step"
    reads: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """The signature of a step and the container that runs it."""

    name: str
    inputs: Mapping[str, Parameter | ArtifactSlot]
    outputs: Mapping[str, Parameter | ArtifactSlot]
    executor: Executor
    declaration: Declaration = Declaration()


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the spec gives."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class PipelineInput:
    """The value of a pipeline parameter."""

    name: str


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """An output of a task of the plan, a parameter or an artifact."""

    task: str
    output: str


@dataclass(frozen=True, slots=True)
class Template:
    """A value whose texts hold placeholders for channels.

    `templates.render_template` fills them in.
    """

    value: JsonValue
    channels: Mapping[str, Source]


Source: TypeAlias = Constant | Template | PipelineInput | TaskOutput


@dataclass(frozen=True, slots=True)
class ChannelOperand:
    """The value of a channel, converted by `casts`, innermost first."""

    name: str
    casts: tuple[Cast, ...] = ()


@dataclass(frozen=True, slots=True)
class LiteralOperand:
    """A number, text or truth value written in the condition."""

    value: bool | int | float | str


Operand: TypeAlias = ChannelOperand | LiteralOperand


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`."""

    operator: Operator
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Negation:
    """`!( ... )`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Conjunction:
    """`a && b && ...`."""

    operands: tuple[Expression, ...]


Expression: TypeAlias = Comparison | Negation | Conjunction


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the values of channels; `conditions.evaluate` decides it."""

    text: str
    expression: Expression
    channels: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed attempt is repeated, and after how long."""

    max_count: int
    backoff_s: float
    factor: float
    max_backoff_s: float


@dataclass(frozen=True, slots=True)
class Task:
    """A component with its inputs.

    A task runs when every task in `after` has ended well and every condition holds. One that was skipped
    skips the tasks after it, but for those that name it in `tolerates` (a subset of `after`): they waited for
    a group, of which a part may be skipped. An optional input that nobody gives is not in `inputs`.
    """

    name: str
    component: Component
    inputs: Mapping[str, Source] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    tolerates: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    retry: Retry | None = None
    timeout_s: float | None = None
    cache: bool = True
    cache_salt: str = ""
    platform: Mapping[str, JsonValue] = field(default_factory=dict)
    """What only a cluster heeds, as it stands: `resources`, fields of the platform spec."""
    channels: Mapping[str, Source] = field(default_factory=dict)
    """Sources of the placeholders in `platform`."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A plan; `tasks` stand in topological order, ties by name."""

    name: str
    description: str
    parameters: Mapping[str, Parameter]
    tasks: tuple[Task, ...]
    outputs: Mapping[str, TaskOutput] = field(default_factory=dict)
    platform: Mapping[str, JsonValue] = field(default_factory=dict)
    """What only a cluster heeds, as it stands: time to live, deadline, root URI."""
