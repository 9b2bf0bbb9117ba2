"""What a person sees while a run goes on: a live tree on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.tree import Tree

    from argosy.launcher.step import Outcome
    from argosy.local.runner import Happening
    from argosy.spec.model import Pipeline

SIGNS = {"ran": "✔", "reused": "↺", "observed": "◉", "skipped": "-", "failed": "✘"}
STYLES = {"ran": "green", "reused": "cyan", "observed": "blue", "skipped": "dim", "failed": "bold red"}


class Progress(Protocol):
    """Shows what happens in a run."""

    def __call__(self, name: str, happening: Happening, outcome: Outcome | None) -> None:
        """Note that a task started or ended."""

    def close(self) -> None:
        """Stop showing."""


class Lines:
    """One line for each step that ran or failed: for logs and pipes."""

    def __call__(self, name: str, happening: Happening, outcome: Outcome | None) -> None:
        """Print what happened, but for what was reused or merely observed."""
        if happening == "started":
            sys.stderr.write(f"  … {name}\n")
        elif outcome is not None and outcome.status in {"ran", "failed", "skipped"}:
            sys.stderr.write(f"  {SIGNS[outcome.status]} {name} {ending(outcome)}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Do nothing: every line is out."""


class Silence:
    """Nothing at all: for `--quiet`."""

    def __call__(self, name: str, happening: Happening, outcome: Outcome | None) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing."""


class LiveTree:
    """The steps as a tree in the order of the plan, each under the last of the steps it waits for."""

    def __init__(self, pipeline: Pipeline) -> None:
        from rich.console import Console
        from rich.live import Live

        self._pipeline = pipeline
        self._started: dict[str, float] = {}
        self._ended: dict[str, Outcome] = {}
        # Opened with the first step that runs: an unchanged run draws nothing.
        self._live = Live(get_renderable=self._render, console=Console(stderr=True), refresh_per_second=8)

    def __call__(self, name: str, happening: Happening, outcome: Outcome | None) -> None:
        """Note what happened; the tree is drawn by its own thread."""
        if happening == "started":
            self._started[name] = time.monotonic()
            self._live.start()
        elif outcome is not None:
            self._ended[name] = outcome

    def close(self) -> None:
        """Draw the last state and leave it on the screen."""
        if self._live.is_started:
            self._live.stop()

    def _render(self) -> RenderableType:
        from rich.tree import Tree

        root = Tree(f"[bold]{self._pipeline.name}[/bold]", guide_style="dim")
        nodes: dict[str, Tree] = {}
        for task in self._pipeline.tasks:
            above = max(task.after, key=list(nodes).index, default=None)
            parent = nodes[above] if above and _depth(task.name, self._pipeline) < MAX_DEPTH else root
            nodes[task.name] = parent.add(self._label(task.name))
        return root

    def _label(self, name: str) -> str:
        outcome = self._ended.get(name)
        if outcome is not None:
            style = STYLES[outcome.status]
            return f"[{style}]{SIGNS[outcome.status]}[/{style}] {name} [dim]{ending(outcome)}[/dim]"
        if name in self._started:
            seconds = time.monotonic() - self._started[name]
            return f"[yellow]●[/yellow] [bold]{name}[/bold] [yellow]{seconds:.1f} s[/yellow]"
        return f"[dim]○ {name}[/dim]"


MAX_DEPTH = 12


def _depth(name: str, pipeline: Pipeline) -> int:
    after = {task.name: task.after for task in pipeline.tasks}
    depth = 0
    while after[name]:
        name, depth = after[name][-1], depth + 1
    return depth


def ending(outcome: Outcome) -> str:
    """Say in a few words how a step ended."""
    if outcome.status == "ran":
        return f"{outcome.seconds:.1f} s"
    if outcome.status == "failed":
        return outcome.error.splitlines()[0][:160] if outcome.error else "failed"
    return outcome.status if not outcome.reason else f"{outcome.status}: {outcome.reason}"


def progress_for(pipeline: Pipeline, *, quiet: bool = False) -> Progress:
    """Return what fits where stderr goes."""
    if quiet:
        return Silence()
    return LiveTree(pipeline) if sys.stderr.isatty() else Lines()
