"""Sources of a plan as texts that Argo fills in: `{{...}}`, `{{=...}}` in expr-lang, and the literals around them.

The outputs of a task that was skipped are nil on Argo (4.0.7 and later), and those of one that failed are not there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from argosy.argo.schedule import INSTANT, scheduled_value, takes_schedule
from argosy.argo.workspace import FOLDER
from argosy.launcher.canonical import unsubstituted_json
from argosy.launcher.parameters import encode_input, encode_literal
from argosy.spec.model import (
    Collected,
    Constant,
    FieldOf,
    FinalStatus,
    FirstOf,
    Known,
    LoopItem,
    PipelineInput,
    RunValue,
    TaskOutput,
    Template,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from argosy.argo.scopes import Atom, Path, Produced, Scopes
    from argosy.launcher.store import Store
    from argosy.spec.model import Source

IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w*")
OF_THE_RUN: Final = {
    "pipeline_job_name": "workflow.name",
    "pipeline_job_resource_name": "workflow.name",
    "pipeline_job_uuid": "workflow.uid",
    "pipeline_job_create_time_utc": "workflow.creationTimestamp.RFC3339",
    "pipeline_job_schedule_time_utc": "workflow.creationTimestamp.RFC3339",
}

PHASES: Final = {"ended": "Succeeded", "failed": "Failed", "skipped": "Skipped"}
"""What Argo calls the ends of tasks."""


CALLED: Final = {Template: "a text made of values", FinalStatus: "how tasks ended", RunValue: "a name of the run"}


@dataclass(frozen=True)
class Expr:
    """An expression whose value is a text; `tag` is the same as a plain variable, where it is one."""

    text: str
    tag: str = ""


Pieces: TypeAlias = "list[str | Expr]"


@dataclass(frozen=True)
class Reader:
    """Where a source is read.

    Attributes:
        name: Of the task or loop that reads.
        path: The DAG.
        sure: Names of tasks of this DAG that have succeeded when it is read.

    """

    scopes: Scopes
    name: str
    path: Path
    sure: frozenset[str] = frozenset()


def called(source: Source) -> str:
    """Return what a source is, in words, where it is more than one value."""
    return CALLED.get(type(source), "what loops gave")


def as_argument(pieces: Pieces) -> str:
    """Return the value of an argument."""
    return "".join(each if isinstance(each, str) else _tag(each) for each in pieces)


def as_expression(pieces: Pieces) -> str:
    """Return one expression for all pieces."""
    return " + ".join(quoted(each) if isinstance(each, str) else each.text for each in pieces or [""])


def quoted(text: str) -> str:
    """Return a text as a literal of expr-lang, without braces, which would end the tag around it."""
    return json.dumps(text, ensure_ascii=False).replace("{", "\\u007b").replace("}", "\\u007d")


def member(name: str) -> str:
    """Return the access to a field of an object."""
    return f".{name}" if IDENTIFIER.fullmatch(name) else f"[{quoted(name)}]"


def pieces_of(source: Source, reader: Reader) -> Pieces:
    """Return the text of a source, as `argosy.launcher.parameters` reads it; empty where there is nothing."""
    match source:
        case Constant(value):
            return [encode_literal(value, f"tasks.{reader.name}")]
        case Known(entry):
            return [encode_input(entry, require_store(reader))] if entry else []
        case PipelineInput() | LoopItem():
            return [_given(source, reader)]
        case TaskOutput() | FirstOf():
            return _produced(source, reader)
        case RunValue(name):
            return _of_the_run(name, reader)
        case _:
            return _composed(source, reader)


def _given(source: PipelineInput | LoopItem, reader: Reader) -> Expr:
    if isinstance(source, LoopItem):
        return _input(reader.scopes.scopes[reader.path].inputs[source])
    if reader.scopes.scheduled and takes_schedule(reader.scopes.pipeline, source.name):
        return Expr(scheduled_value(reader.scopes.pipeline, source.name))
    return Expr(f"workflow.parameters{member(source.name)}", f"workflow.parameters.{source.name}")


def passed_on(atom: Atom, reader: Reader) -> Pieces:
    """Return what a DAG is given for what its tasks take from around it, as it is."""
    if isinstance(atom, TaskOutput | FirstOf):
        return [_whole(atom, reader)]
    return [_given(atom, reader)]


def require_store(reader: Reader) -> Store:
    """Return the store of values that are known ahead."""
    if reader.scopes.store is None:
        raise TypeError(f"{reader.name}: a plan that holds known values is translated with its store")
    return reader.scopes.store


def _composed(source: FieldOf | Template | FinalStatus | Collected, reader: Reader) -> Pieces:
    match source:
        case Collected():
            head = f'{{"argosy":"collected","depth":{collected_depth(source, reader)},"of":'
            return [head, Expr(f"toJson({gathered(source, reader)})"), "}"]
        case FieldOf(inner, name):
            head = f'{{"argosy":"field","name":{unsubstituted_json(name)},"of":'
            return [head, _as_json(pieces_of(inner, reader)), "}"]
        case Template(value, channels):
            pieces: Pieces = [f'{{"argosy":"text","value":{unsubstituted_json(value)},"channels":{{']
            for i, (name, channel) in enumerate(channels.items()):
                pieces += [f"{',' if i else ''}{unsubstituted_json(name)}:", _as_json(pieces_of(channel, reader))]
            return [*pieces, "}}"]
        case FinalStatus(name, tasks, settled):
            nodes = dict.fromkeys(reader.scopes.node(task, reader.path) or "" for task in tasks)
            states: list[Pieces] = [[Expr(f'tasks["{node}"].status', f"tasks.{node}.status")] for node in nodes]
            states += [[PHASES[state]] for state in settled]
            listed = [piece for i, state in enumerate(states) for piece in ('","' if i else '"', *state)]
            head = f'{{"argosy":"status","name":{unsubstituted_json(name)},"states":['
            return [head, *listed, '"],"run":"', Expr("workflow.name", "workflow.name"), '"}']


def _produced(source: Produced, reader: Reader) -> Pieces:
    depth = reader.scopes.depth(source, reader.path)
    text = _whole(source, reader)
    if not depth:
        return [text]
    return [f'{{"argosy":"collected","depth":{depth},"of":', Expr(f"toJson({text.text})"), "}"]


def gathered(source: Source, reader: Reader) -> str:
    """Return the expression of the JSON list that holds the text of each round; of anything else, of its text."""
    match source:
        case Collected(sources):
            return f"toJson([{', '.join(gathered(each, reader) for each in sources)}])"
        case TaskOutput() | FirstOf() if reader.scopes.depth(source, reader.path):
            return _whole(source, reader).text
    return as_expression(pieces_of(source, reader))


def collected_depth(source: Source, reader: Reader) -> int:
    """Return how many lists stand around the text of a round."""
    if isinstance(source, Collected):
        return 1 + max((collected_depth(each, reader) for each in source.sources), default=0)
    return reader.scopes.depth(source, reader.path) if isinstance(source, TaskOutput | FirstOf) else 0


def _whole(source: Produced, reader: Reader) -> Expr:
    """Return what stands for a source in this DAG: what is made here or by a loop here, or what came in."""
    scope, loops = reader.scopes.scopes[reader.path], reader.scopes.loops_of(source)
    if loops[: len(reader.path)] != reader.path:
        return _input(scope.inputs[source])
    if len(loops) > len(reader.path):
        below = loops[: len(reader.path) + 1]
        return _output(reader.scopes.loop_node(below[-1]), reader.scopes.scopes[below].outputs[source], reader)
    if isinstance(source, FirstOf):
        return _first([_if_there(each, reader) for each in source.sources])
    return _output(reader.scopes.node_names[source.task], source.output, reader)


def _output(node: str, name: str, reader: Reader) -> Expr:
    if node in reader.sure:
        return Expr(f'tasks["{node}"].outputs.parameters["{name}"]', f"tasks.{node}.outputs.parameters.{name}")
    return Expr(f'(tasks["{node}"].outputs?.parameters?.["{name}"] ?? "")')


def _if_there(source: Source, reader: Reader) -> str:
    """Return the expression of a source's text, which is empty where there is nothing, also of what is gathered."""
    text = as_expression(pieces_of(source, reader))
    if isinstance(source, TaskOutput | FirstOf) and reader.scopes.depth(source, reader.path):
        return f'({_whole(source, reader).text} != "" ? {text} : "")'
    return text


def _input(name: str) -> Expr:
    return Expr(f'inputs.parameters["{name}"]', f"inputs.parameters.{name}")


def _first(texts: Sequence[str]) -> Expr:
    *others, last = texts
    found = last
    for text in reversed(others):
        found = f'({text} != "" ? {text} : {found})'
    return Expr(found)


def _as_json(pieces: Pieces) -> Expr | str:
    """Return a text as a JSON text in an object around it."""
    if all(isinstance(each, str) for each in pieces):
        return unsubstituted_json("".join(map(str, pieces)))
    return Expr(f"toJson({as_expression(pieces)})")


def _of_the_run(name: str, reader: Reader) -> Pieces:
    pieces = run_text(name, reader)
    return ['"', *(unsubstituted_json(each)[1:-1] if isinstance(each, str) else each for each in pieces), '"']


def run_text(name: str, reader: Reader) -> Pieces:
    """Return the plain text of what only a run knows."""
    match name:
        case "pipeline_task_name":
            return [reader.name]
        case "pipeline_root":
            return [str(reader.scopes.pipeline.platform.get("defaultPipelineRoot", ""))]
        case "pipeline_task_uuid":
            return [Expr("workflow.uid", "workflow.uid"), f"-{reader.scopes.node_names.get(reader.name, '')}"]
        case "workspace_path":
            return [f"{FOLDER}/", Expr("workflow.name", "workflow.name")]
        case "pipeline_job_schedule_time_utc" if reader.scopes.scheduled:
            return [Expr(INSTANT)]
    return [Expr(OF_THE_RUN[name], OF_THE_RUN[name])]


def _tag(piece: Expr) -> str:
    return f"{{{{{piece.tag}}}}}" if piece.tag else f"{{{{={piece.text}}}}}"
