"""What a person sees while a run goes on: a live tree on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from argosy.spec.starts import upstream

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.tree import Tree

    from argosy.launcher.step import Outcome
    from argosy.local.runner import Happening
    from argosy.spec.model import Pipeline

SIGNS = {"ran": "✔", "reused": "↺", "observed": "◉", "skipped": "-", "failed": "✘"}
WORSE = ("skipped", "reused", "observed", "ran", "failed")
"""Which of several rounds stands for them all: the last of these that there is."""
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
        order = {task.name: number for number, task in enumerate(pipeline.tasks)}
        self._above = {
            task.name: max(upstream(task, pipeline), key=order.__getitem__, default=None) for task in pipeline.tasks
        }
        self._is_looped = {task.name: bool(task.loops) for task in pipeline.tasks}
        self._followers = Counter(self._above.values())
        self._started: dict[str, dict[str, float]] = {name: {} for name in order}
        self._ended: dict[str, dict[str, Outcome]] = {name: {} for name in order}
        # Opened with the first step that runs: an unchanged run draws nothing.
        self._live = Live(get_renderable=self._render, console=Console(stderr=True), refresh_per_second=8)

    def __call__(self, name: str, happening: Happening, outcome: Outcome | None) -> None:
        """Note what happened; the tree is drawn by its own thread."""
        task = name.partition("[")[0]
        if happening == "started":
            self._started[task][name] = time.monotonic()
            self._live.start()
        elif outcome is not None:
            self._ended[task][name] = outcome

    def close(self) -> None:
        """Draw the last state and leave it on the screen."""
        if self._live.is_started:
            self._live.stop()

    def _render(self) -> RenderableType:
        from rich.tree import Tree

        root = Tree(f"[bold]{self._pipeline.name}[/bold]", guide_style="dim")
        branches: dict[str, Tree] = {}
        for task, above in self._above.items():
            # A chain stays at one level; only where it forks do its branches go deeper.
            forks = above is not None and self._followers[above] > 1
            place = root if above is None else branches[above]
            node = place.add(self._label(task))
            branches[task] = node if self._followers[task] > 1 or forks else place
        return root

    def _label(self, name: str) -> str:
        from rich.markup import escape

        ended = list(self._ended[name].values())
        running = self._started[name].keys() - self._ended[name].keys()
        if running:
            seconds = time.monotonic() - min(self._started[name][each] for each in running)
            rounds = f" [dim]{len(ended)} rounds done[/dim]" if self._is_looped[name] else ""
            return f"[yellow]●[/yellow] [bold]{name}[/bold] [yellow]{seconds:.1f} s[/yellow]{rounds}"
        if not ended:
            return f"[dim]○ {name}[/dim]"
        worst = max(ended, key=lambda outcome: WORSE.index(outcome.status))
        style = STYLES[worst.status]
        told = ending(worst)
        if self._is_looped[name]:
            done = replace(worst, seconds=sum(outcome.seconds for outcome in ended))
            told = f"{len(ended)} {'round' if len(ended) == 1 else 'rounds'}: {ending(done)}"
        return f"[{style}]{SIGNS[worst.status]}[/{style}] {name} [dim]{escape(told)}[/dim]"


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
