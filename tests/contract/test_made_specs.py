"""Plans of specs that Hypothesis makes do what the specs mean, and specs with one field broken are refused."""

import json
import random
from collections import Counter

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from argosy.errors import Mistake
from argosy.launcher.artifacts import Artifact, Artifacts
from argosy.launcher.step import shown
from argosy.spec.fusing import fuse
from argosy.spec.model import ArtifactSlot
from argosy.spec.plan_text import plan_text, read_plan
from argosy.spec.read import read_pipeline
from argosy.spec.remaining import remaining
from argosy.spec.resolution import Place, instance_name, resolve
from tests.fakes.broken_specs import a_broken_spec, without_nulls
from tests.fakes.made_specs import shuffled, specs
from tests.fakes.spec_meaning import Meaning, computed
from tests.fakes.spec_values import Nothing, Wrong
from tests.fakes.unrolled import unroll

FEW = settings(max_examples=200, derandomize=True, database=None, deadline=None)
MANY = settings(FEW, max_examples=3000)


def run(spec, seed=0, *, pipeline=None, steps=None):
    """Bring a made spec to its end, with steps of pure functions that end in a random order."""
    pipeline = pipeline or read_pipeline(spec)
    components = spec["components"]

    def compute(instance, inputs):
        try:
            return computed(spec, components[instance.task.component.name], without_message(inputs))
        except Wrong as error:
            raise Mistake(str(error)) from error

    arguments = {name: slot.default for name, slot in pipeline.inputs.items()}
    values = {"pipeline_job_name": "job"}
    return unroll(
        pipeline, arguments, compute=compute, pick=random.Random(seed).randrange, run_values=values, steps=steps
    )


def without_message(inputs):
    """Leave out of a final status what is told to people, and whether all that did not fail was skipped."""
    if not isinstance(inputs.get("status"), dict) or "pipelineTaskName" not in inputs["status"]:
        return inputs
    state = "FAILED" if inputs["status"]["state"] == "FAILED" else "COMPLETE"
    return {**inputs, "status": {"state": state, "pipelineTaskName": inputs["status"]["pipelineTaskName"]}}


def require_meaning(spec, seed):
    meaning, ended = Meaning(spec), run(spec, seed)
    names = {path: meaning.name(path) for path in meaning.paths}
    pipeline = ended.so_far.pipeline

    assert sorted(names.values()) == sorted(task.name for task in pipeline.tasks)
    assert {name: meaning.retries(path) for path, name in names.items()} == {
        task.name: task.retry.max_count if task.retry else 0 for task in pipeline.tasks
    }
    assert ended.statuses() == {instance_name(names[path], at): how for (path, at), how in meaning.statuses.items()}
    given = {instance_name(names[path], at): inputs for (path, at), inputs in meaning.given.items()}
    assert text_of_all(ended.given) == text_of_all(given)
    require_order(meaning, ended, names)
    require_outputs(meaning, ended)


def text_of_all(given):
    """Return inputs as a text that tells 1, 1.0 and true apart."""
    told = {name: without_message(inputs) for name, inputs in given.items()}
    return json.dumps(told, sort_keys=True, default=repr)


def require_order(meaning, ended, names):
    position = {name: number for number, name in enumerate(ended.ends)}
    at = {key: position[name] for key in meaning.statuses if (name := instance_name(names[key[0]], key[1])) in position}
    for earlier, later, index in meaning.order:
        first = [at[key] for key in at if is_below(key, earlier, index)]
        then = [at[key] for key in at if is_below(key, later, index)]
        assert not first or not then or max(first) < min(then)


def is_below(key, path, index):
    return key[0][: len(path)] == path and key[1][: len(index)] == index


def require_outputs(meaning, ended):
    found = {
        name: resolve(source, Place("outputs"), ended.so_far) for name, source in ended.so_far.pipeline.outputs.items()
    }
    wanted = {name: value for name, value in meaning.outputs.items() if not isinstance(value, Nothing)}
    assert {name: shown(entry.value) for name, entry in found.items() if entry is not None} == wanted


@FEW
@given(specs(), st.integers(0, 9))
def test_a_plan_does_what_its_spec_means(spec, seed):
    require_meaning(spec, seed)


@pytest.mark.slow
@MANY
@given(specs(tasks=6), st.integers(0, 9))
def test_many_plans_do_what_their_specs_mean(spec, seed):
    require_meaning(spec, seed)


def require_remaining(spec, seed, steps):
    """Go some steps far, then run what is left: together that is one undisturbed run."""
    whole, part = run(spec, seed), run(spec, seed + 1, steps=steps)
    left = remaining(part.so_far)
    assert all(name not in part.so_far.outcomes for name in (task.name for task in left.tasks))

    rest = run(spec, seed + 2, pipeline=left)

    skipped = {name for name, status in whole.statuses().items() if status == "skipped"}
    statuses = part.statuses() | rest.statuses()
    assert dict.fromkeys(skipped, "skipped") | statuses == whole.statuses()
    assert text_of_all(part.given | rest.given) == text_of_all(whole.given)
    found, wanted = (
        {
            name: resolve(source, Place("outputs"), ended.so_far)
            for name, source in ended.so_far.pipeline.outputs.items()
        }
        for ended in (rest, whole)
    )
    assert found == wanted


@FEW
@given(specs(), st.integers(0, 9), st.integers(0, 12))
def test_what_remains_of_a_plan_ends_as_the_whole_would(spec, seed, steps):
    require_remaining(spec, seed, steps)


@pytest.mark.slow
@MANY
@given(specs(tasks=6), st.integers(0, 9), st.integers(0, 30))
def test_what_remains_of_many_plans_ends_as_the_whole_would(spec, seed, steps):
    require_remaining(spec, seed, steps)


def require_fused(spec, seed):
    """Put tasks together that chance calls alike, and require that they are given what they were given before."""
    pipeline = read_pipeline(spec)
    chance = random.Random(seed)
    kinds = {task.name: chance.choice(["a", "a", "b", None]) for task in pipeline.tasks}
    fused = fuse(pipeline, lambda task: kinds[task.name], lambda _source: False)
    whole = run(spec, seed)
    rest = Fused(spec, seed)
    found = rest.run(read_plan(plan_text(fused)))

    event(f"{len(pipeline.tasks) - len(fused.tasks)} tasks fewer")
    assert rest.names <= {task.name for task in pipeline.tasks}
    given, wanted = counted(rest.given), counted(whole.given.items())
    if "failed" in whole.statuses().values():
        # What was not reached, since another task of its pod failed, cannot have failed: a status may tell less.
        assert not {each for each in given - wanted if "pipelineTaskName" not in each[1]}
        assert "failed" in found.statuses().values()
        return
    assert given == wanted
    assert outputs(found) == outputs(whole)


def counted(given):
    return Counter((name, text_of_all({"": inputs})) for name, inputs in given)


def outputs(ended):
    found = {
        name: resolve(source, Place("outputs"), ended.so_far) for name, source in ended.so_far.pipeline.outputs.items()
    }
    return {name: shown(entry.value) for name, entry in found.items() if entry is not None}


class Fused:
    """Runs plans of which some tasks run plans of their own."""

    def __init__(self, spec, seed):
        self.spec, self.given, self.names = spec, [], set()
        self.pick = random.Random(seed).randrange

    def run(self, pipeline, arguments=None):
        given = arguments if arguments is not None else {name: slot.default for name, slot in pipeline.inputs.items()}
        return unroll(pipeline, given, compute=self.compute, pick=self.pick, run_values={"pipeline_job_name": "job"})

    def compute(self, instance, inputs):
        component = instance.task.component
        if component.executor.plan is None:
            self.names.add(instance.task.name)
            self.given.append((instance.name, inputs))
            try:
                return computed(self.spec, self.spec["components"][component.name], without_message(inputs))
            except Wrong as error:
                raise Mistake(str(error)) from error
        slots = component.inputs
        ended = self.run(component.executor.plan, {name: entered(slots[name], value) for name, value in inputs.items()})
        if "failed" in ended.statuses().values():
            raise Mistake("a task in it failed")
        return outputs(ended)


def entered(slot, value):
    if not isinstance(slot, ArtifactSlot):
        return value
    return Artifacts(tuple(Artifact(each, {}) for each in value)) if slot.is_list else Artifact(value, {})


@FEW
@given(specs(), st.integers(0, 9))
def test_tasks_that_share_a_pod_are_given_what_they_would_be(spec, seed):
    require_fused(spec, seed)


@pytest.mark.slow
@MANY
@given(specs(tasks=6), st.integers(0, 9))
def test_many_tasks_that_share_a_pod_are_given_what_they_would_be(spec, seed):
    require_fused(spec, seed)


@FEW
@given(specs(), st.integers(0, 9))
def test_a_plan_does_not_depend_on_the_order_of_fields(spec, seed):
    assert read_pipeline(shuffled(spec, seed)) == read_pipeline(spec)


def require_refusal(spec, seed):
    """Break one field, and require a refusal that tells of it, unless the plan rightly does not or is another one."""
    broken = a_broken_spec(spec, seed)
    found = plan_or_message(broken.spec)
    if isinstance(found, str):
        assert broken.is_named_in(found)
    else:
        assert found != read_pipeline(spec) or broken.has_no_meaning(lambda: means_the_same(spec, broken.spec))


def plan_or_message(spec):
    try:
        return read_pipeline(spec)
    except Mistake as error:
        return str(error)


def means_the_same(spec, broken):
    return Meaning(spec).told() == Meaning(without_nulls(broken)).told()


@FEW
@given(specs(tasks=3), st.integers(0, 2**32))
def test_a_spec_with_one_field_broken_is_refused_with_its_place(spec, seed):
    require_refusal(spec, seed)


@pytest.mark.slow
@MANY
@given(specs(tasks=3), st.integers(0, 2**32))
def test_many_specs_with_one_field_broken_are_refused_with_its_place(spec, seed):
    require_refusal(spec, seed)
