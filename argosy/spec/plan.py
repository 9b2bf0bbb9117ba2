"""What an instance of a task comes to: a step, given how far the plan has come.

The same rules serve `argosy plan`, the local runner and the planner in front of a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.launcher.artifacts import Artifact, Artifacts
from argosy.launcher.key import step_key
from argosy.launcher.step import Input, OutputSlot, Step, shown
from argosy.spec.model import ABSENT, ArtifactSlot, Executor, Template
from argosy.spec.resolution import Place, resolve
from argosy.spec.templates import RUN_VALUES, channel_text, fill_run_values, render_template
from argosy.spec.values import typed_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.key import Key, Project
    from argosy.spec.model import Component, Slot, Source
    from argosy.spec.unrolling import Instance, Unrolling


def place_of(instance: Instance) -> Place:
    """Return where the sources of an instance are read."""
    return Place(instance.name, instance.task.loops, instance.index)


def build_step(instance: Instance, so_far: Unrolling) -> Step:
    """Resolve a ready instance, whose component is a container, into a step.

    Raises:
        Mistake: An input has no value, or one of another type.

    """
    task, executor = instance.task, instance.task.component.executor
    if not isinstance(executor, Executor):
        raise TypeError(f"{instance.name} is an importer, which is no step")
    declared = task.component.declaration
    place = place_of(instance)
    texts = _Texts(_values(task.channels, place, so_far), place, so_far)
    step = Step(
        name=instance.name,
        kind=declared.kind,
        env={name: texts.fill(value) for name, value in executor.env.items()},
        reads=declared.reads,
        declared_env=declared.env,
        measurements=frozenset(declared.measurements),
        natural_key=declared.key,
        inputs=resolve_inputs(instance, so_far),
        types={
            name: slot.schema_title for name, slot in task.component.inputs.items() if isinstance(slot, ArtifactSlot)
        },
        outputs={name: _output_slot(slot) for name, slot in task.component.outputs.items()},
        cache=task.cache,
        salt=task.cache_salt,
        timeout_s=task.timeout_s,
    )
    if executor.source is not None and executor.function is not None:
        return replace(step, source=executor.source, function=executor.function, packages=executor.packages)
    argv = tuple(texts.fill_own(word) for word in (*executor.command, *executor.args))
    return replace(step, image=texts.fill(executor.image), argv=argv)


def code_key(component: Component, project: Project) -> Key | None:
    """Return the key of a component's steps without what they are given; None for what is no Python component."""
    executor = component.executor
    if not isinstance(executor, Executor) or executor.source is None:
        return None
    function, reads = executor.function or "", component.declaration.reads
    return step_key(Step(component.name, executor.source, function, executor.packages, reads=reads), project)


def resolve_inputs(instance: Instance, so_far: Unrolling) -> dict[str, Input]:
    """Return the inputs of an instance: those that were given, and defaults for the rest.

    Raises:
        Mistake: An input that is not optional has no value, or one of another type.

    """
    task, place = instance.task, place_of(instance)
    inputs: dict[str, Input] = {}
    for name, source in task.inputs.items():
        found = resolve(source, place, so_far)
        slot = task.component.inputs.get(name)
        if found is not None:
            inputs[name] = found if slot is None else _fitted(found, slot, f"tasks.{instance.name}.inputs.{name}")
        elif slot is not None and not slot.optional:
            raise Mistake(
                f"tasks.{instance.name}.inputs.{name}: its task gave no value, because it was skipped or failed; "
                "make the input optional, or give it a default"
            )
    for name, slot in task.component.inputs.items():
        if name not in inputs and not isinstance(slot, ArtifactSlot) and slot.default is not ABSENT:
            inputs[name] = Input(slot.default, slot.default)
    return inputs


@dataclass(frozen=True, slots=True)
class _Texts:
    """Fills in the texts of an executor."""

    values: Mapping[str, object]
    place: Place
    so_far: Unrolling

    def fill(self, text: str) -> str:
        """Return a text with channels and the run's values filled in."""
        return str(render_template(Template(text, {}), self.values))  # type: ignore[arg-type]  # JSON values

    def fill_own(self, word: str) -> str:
        """Return an argument with the run's values filled in; the launcher fills in the rest."""
        run = {name: self.so_far.run_values.get(name, self.place.name) for name in RUN_VALUES}
        return fill_run_values(word, run)


def _values(channels: Mapping[str, Source], place: Place, so_far: Unrolling) -> dict[str, object]:
    found = {name: resolve(source, place, so_far) for name, source in channels.items()}
    return {name: shown(entry.value) for name, entry in found.items() if entry is not None}


def _fitted(found: Input, slot: Slot, place: str) -> Input:
    """Return an input as its slot has it: a number whole or not, one artifact or a list."""
    value = found.value
    if isinstance(slot, ArtifactSlot):
        if slot.is_list and isinstance(value, Artifact):
            return replace(found, value=Artifacts((value,)), identity=[found.identity])
        if not slot.is_list and not isinstance(value, Artifact):
            raise Mistake(f"{place}: got {len(getattr(value, 'items', ()))} artifacts; one is needed here")
        return found
    if slot.type == "STRING" and value is not None and not isinstance(value, str):
        # As in Kubeflow, anything can be read as a text: its JSON.
        value = channel_text(slot.name, {slot.name: value})
    fitted = typed_for(slot, value, place)
    return replace(found, value=fitted, identity=found.identity if found.measured else fitted)


def _output_slot(slot: Slot) -> OutputSlot:
    if isinstance(slot, ArtifactSlot):
        return OutputSlot(slot.schema_title, is_artifact=True, is_list=slot.is_list)
    return OutputSlot(slot.type, is_artifact=False)
