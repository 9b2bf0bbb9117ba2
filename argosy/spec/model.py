"""The typed plan: what the targets run, with every name of the spec resolved.

    Pipeline ── inputs: Parameter | ArtifactSlot
             ├─ loops: Loop ── items: Source
             └─ tasks: Task ── component: Component ── executor: Executor | Importer, declaration: Declaration
                            ├─ inputs: Source
                            ├─ loops: names of the loops around it, from the outside in
                            └─ conditions: Condition

Groups of the DSL (`dsl.If`, `dsl.ParallelFor`, `dsl.ExitHandler`, nested pipelines) are gone: their tasks carry
conditions, loops, what they wait for, and resolved sources. A task inside loops has an instance for each combination
of their items; `unrolling` makes them as the items become known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.step import Input

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


Slot: TypeAlias = Parameter | ArtifactSlot


@dataclass(frozen=True, slots=True)
class Executor:
    """The container of a component.

    `source`, `function` and `packages` are what kfp embedded in the argv of a lightweight Python component
    (None and empty for any other); `env` leaves out the `ARGOSY_*` entries, which became the declaration. `plan` is
    what runs where several tasks share a container, whose inputs and outputs are those of the plan.
    """

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    function: str | None = None
    packages: tuple[str, ...] = ()
    plan: Pipeline | None = None


@dataclass(frozen=True, slots=True)
class Importer:
    """A component that takes in what lies outside, under a URI that is given or comes by an input.

    `metadata` may hold placeholders for inputs in its texts.
    """

    uri: str
    uri_input: str | None = None
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
    reimport: bool = False
    download_to_workspace: bool = False


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
    """The signature of a step and what runs it."""

    name: str
    inputs: Mapping[str, Slot]
    outputs: Mapping[str, Slot]
    executor: Executor | Importer
    declaration: Declaration = Declaration()


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the spec gives."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class PipelineInput:
    """What the pipeline was given under a name."""

    name: str


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """An output of a task of the plan, a parameter or an artifact.

    Where the task stands in loops that its reader does not stand in, the outputs of all their rounds: values as a list
    (of lists, for loops in loops), artifacts as one flat list.
    """

    task: str
    output: str


@dataclass(frozen=True, slots=True)
class LoopItem:
    """The item of a loop in this round."""

    loop: str


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of an object, which may be given as JSON text."""

    source: Source
    name: str


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of several outputs whose task was not skipped (`dsl.OneOf`).

    It is chosen in each round of `loops`, the loops around the choice; outside of them it reads as the output of a task
    that stands there does.
    """

    sources: tuple[Source, ...]
    loops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FinalStatus:
    """How a group of tasks ended, as `dsl.PipelineTaskFinalStatus` tells it; `name` is the group's.

    `settled` says how those of its tasks ended that were over before the run: `ended`, `failed` or `skipped`.
    """

    name: str
    tasks: tuple[str, ...]
    settled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunValue:
    """What only a run knows: its name, its times, the step's own name (`{{$.pipeline_job_name}}` and its kin)."""

    name: str


@dataclass(frozen=True, slots=True)
class Template:
    """A value whose texts hold placeholders for channels.

    `templates.render_template` fills them in.
    """

    value: JsonValue
    channels: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before the run, with the identity that it has in keys; an entry of None is nothing at all."""

    entry: Input | None = field(hash=False)


@dataclass(frozen=True, slots=True)
class Collected:
    """What the rounds of a loop give that was unrolled before the run: a list, as `TaskOutput` gives of a loop."""

    sources: tuple[Source, ...]
    of_artifacts: bool = False


Source: TypeAlias = (
    Constant
    | Template
    | PipelineInput
    | TaskOutput
    | LoopItem
    | FieldOf
    | FirstOf
    | FinalStatus
    | RunValue
    | Known
    | Collected
)


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
class Start:
    """When a task or a loop may start: every task in `after` has ended well, and every condition holds.

    One that was skipped skips what comes after it, but for what names it in `tolerates` (a subset of `after`): that
    waited for a group, of which a part may be skipped. What names it in `survives` (a subset too) starts however it
    ended: an exit handler, or a task that ignores failures upstream. Of each group in `one_of` (tolerated, all of them)
    one has to have run: they are the choices of a `dsl.OneOf`.
    """

    after: tuple[str, ...] = ()
    tolerates: tuple[str, ...] = ()
    survives: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """A group of tasks that runs once for each item.

    Attributes:
        name: Its path, which is unique in a plan.
        items: A list, or a list of artifacts where `item` is an artifact.
        item: What one item is.
        loops: Names of the loops around it, from the outside in.
        limit: How many rounds may be under way at once; None for no limit.

    """

    name: str
    items: Source
    item: Slot
    loops: tuple[str, ...] = ()
    start: Start = Start()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A component with its inputs; an optional input that nobody gives is not in `inputs`."""

    name: str
    component: Component
    inputs: Mapping[str, Source] = field(default_factory=dict)
    start: Start = Start()
    loops: tuple[str, ...] = ()
    retry: Retry | None = None
    timeout_s: float | None = None
    cache: bool = True
    cache_salt: str = ""
    platform: Mapping[str, JsonValue] = field(default_factory=dict)
    """What only a cluster heeds, as it stands: `resources`, fields of the platform spec."""
    channels: Mapping[str, Source] = field(default_factory=dict)
    """Sources of the placeholders in `platform` and in the executor's image and environment."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A plan; `tasks` stand in topological order, ties by name."""

    name: str
    description: str
    inputs: Mapping[str, Slot]
    tasks: tuple[Task, ...]
    loops: Mapping[str, Loop] = field(default_factory=dict)
    outputs: Mapping[str, Source] = field(default_factory=dict)
    platform: Mapping[str, JsonValue] = field(default_factory=dict)
    """What only a cluster heeds, as it stands: time to live, deadline, root URI."""
