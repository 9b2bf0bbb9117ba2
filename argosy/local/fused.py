"""Runs a plan in a pod of Argo: several steps, each keyed, looked up and committed as in a pod of its own.

    python3 -m argosy.local.fused --step {...} --source PLAN --outputs FOLDER --input NAME=TEXT ...

The words are those of `argosy.launcher.argo`; what stands for the source is the plan. What the plan gives is left in
the folder, where Argo collects it.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from argosy.launcher.argo import ITEMS, Pod, entry_of, require_planned, restore_source
from argosy.launcher.attempt import TYPES
from argosy.launcher.parameters import Texts, encode_input, encode_items_of
from argosy.launcher.pod import exit_code_of, open_context, tell
from argosy.launcher.registration import register_pod, write_pod
from argosy.local.runner import Run, run_tasks
from argosy.spec.fusing import TOLD
from argosy.spec.plan import code_key
from argosy.spec.plan_text import read_plan
from argosy.spec.resolution import Place, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from argosy.launcher.launch import Context
    from argosy.launcher.registration import PodEntry
    from argosy.launcher.step import Input, Outcome
    from argosy.launcher.store import Store
    from argosy.local.runner import Happening
    from argosy.spec.model import Pipeline


def run_pod(pod: Pod) -> int:
    """Bring the pod's plan to its end, leave what it gave where Argo collects it, and return the exit code."""
    with open_context(pod.told.lock, os.environ.get("ARGOSY_RUN", "argo")) as context:
        plan = read_plan(restore_source(pod.source.read_text(encoding="utf-8")) if pod.source else "")
        _require_planned(pod, plan, context)
        run = Run(
            plan,
            dict(_given(pod, context.store)),
            context,
            _Registering(pod, context),
            run_values=dict.fromkeys(TOLD, context.run),
        )
        run_tasks(run, concurrency=len(os.sched_getaffinity(0)))
        code = next((outcome.exit_code for outcome in run.outcomes.values() if outcome.exit_code), 0)
        if not code:
            _emit(pod, run, context.store)
        return code


class _Registering:
    """Says in the store and in the pod's log how each step stands."""

    def __init__(self, pod: Pod, context: Context) -> None:
        self._entry = entry_of(pod, context)
        self._store = context.store
        self._lock = threading.Lock()
        self._entries: dict[str, PodEntry] = {}
        register_pod(self._store, pod.told.pipeline, self._entry)

    def __call__(self, name: str, happening: Happening, outcome: Outcome | None) -> None:
        """Write the entry of a step."""
        del happening  # how it ended tells
        with self._lock:
            new = replace(self._entry, pod=f"{self._entry.pod}.{len(self._entries)}", step=name)
            entry = self._entries.setdefault(name, new)
        if outcome is not None:
            tell(name, outcome)
            entry = replace(entry, key=outcome.key, outcome=outcome)
        write_pod(self._store, entry)


def _require_planned(pod: Pod, plan: Pipeline, context: Context) -> None:
    for component in {task.component.name: task.component for task in plan.tasks}.values():
        planned = pod.told.codes.get(component.name, "")
        if planned and (key := code_key(component, context.project)):
            require_planned(component.name, planned, key, context.store)


def _given(pod: Pod, store: Store) -> Iterator[tuple[str, Input]]:
    """Yield what the plan is given; the steps themselves say what they cannot do without."""
    for name, kind in pod.told.inputs.items():
        place = f"{pod.told.component}: input {name!r}"
        entry = Texts(store, place, of_artifacts=kind not in TYPES).read(pod.texts.get(name, ""))
        if entry is not None:
            yield name, entry


def _emit(pod: Pod, run: Run, store: Store) -> None:
    pod.outputs.mkdir(parents=True, exist_ok=True)
    for name, source in run.pipeline.outputs.items():
        entry = resolve(source, Place("outputs"), run.so_far)
        (pod.outputs / name).write_text(encode_input(entry, store) if entry else "", encoding="utf-8")
        if name in pod.told.items:
            items = encode_items_of(entry, store) if entry else ""
            (pod.outputs / f"{name}{ITEMS}").write_text(items, encoding="utf-8")


def main(words: Sequence[str]) -> int:
    """Run a pod's command line."""
    return exit_code_of(lambda: run_pod(Pod.from_words(words)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
