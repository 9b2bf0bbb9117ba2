"""The names of a run in the arguments of programs, which the launcher fills in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.argo.expressions import Reader, as_argument, run_text
from argosy.argo.pod import literal
from argosy.spec.templates import run_values_in

if TYPE_CHECKING:
    from argosy.argo.scopes import Scopes
    from argosy.spec.model import Executor, Task


def run_words(task: Task, executor: Executor, scopes: Scopes) -> list[str]:
    """Return the words that tell a launcher what its program's arguments name of the run."""
    if executor.source is not None:
        return []
    reader = Reader(scopes, task.name, task.loops)
    names = run_values_in((*executor.command, *executor.args), f"tasks.{task.name}")
    texts = {name: as_argument(run_text(name, reader)) for name in names}
    return [word for name, text in texts.items() for word in ("--run", f"{name}={literal(text)}")]
