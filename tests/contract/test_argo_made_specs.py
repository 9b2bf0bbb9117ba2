"""Workflows of specs that Hypothesis makes do what their plans do: the same steps, with the same inputs and values.

The simulator runs the manifests; in place of a pod stands a pure function between the launcher's own reading and
writing of parameters.
"""

import json
import random
from collections import Counter

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Mistake, Unsupported
from argosy.launcher.parameters import Texts
from argosy.launcher.step import shown
from argosy.spec.model import ArtifactSlot, FirstOf
from argosy.spec.read import read_pipeline
from argosy.spec.remaining import remaining
from argosy.spec.resolution import Place, resolve
from tests.fakes.argo_pure import Blobs, PureWorkflow
from tests.fakes.argo_simulator import BAD
from tests.fakes.made_specs import specs
from tests.fakes.spec_meaning import computed
from tests.fakes.spec_values import Wrong
from tests.fakes.unrolled import unroll

FEW = settings(max_examples=150, derandomize=True, database=None, deadline=None)
MANY = settings(FEW, max_examples=2000)


def without_message(inputs):
    """Leave out of a final status what is told to people, and whether all that did not fail was skipped."""
    if not isinstance(inputs.get("status"), dict) or "pipelineTaskName" not in inputs["status"]:
        return inputs
    state = "FAILED" if inputs["status"]["state"] == "FAILED" else "COMPLETE"
    return {**inputs, "status": {"state": state, "pipelineTaskName": inputs["status"]["pipelineTaskName"]}}


def exactly(value):
    return json.dumps(without_message(value) if isinstance(value, dict) else value, sort_keys=True)


def meaning_of(spec):
    def compute(task, inputs):
        try:
            return computed(spec, spec["components"][task.component.name], without_message(inputs))
        except Wrong as error:
            raise Mistake(str(error)) from error

    return compute


def run_plan(spec, pipeline, steps=None):
    meaning = meaning_of(spec)

    def compute(instance, inputs):
        return meaning(instance.task, inputs)

    arguments = {name: slot.default for name, slot in pipeline.inputs.items()}
    pick = random.Random(0).randrange
    return unroll(pipeline, arguments, compute=compute, pick=pick, run_values={"pipeline_job_name": "job"}, steps=steps)


def made_of(pipeline, store=None):
    try:
        return manifest(pipeline, Wanted(store=store))
    except Unsupported as error:
        event(f"refused: {str(error).split(': ')[1].partition(' (')[0]}")
        return assume(False)


def counted(given):
    return Counter((name.partition("[")[0], exactly(inputs)) for name, inputs in given)


def require_same_rest(spec, steps, tmp_path):
    """Run the first steps of a plan, and what is left of it as a workflow."""
    pipeline = read_pipeline(spec)
    part, whole = run_plan(spec, pipeline, steps), run_plan(spec, pipeline)
    left, store = remaining(part.so_far), Blobs()
    assume(left.tasks)
    workflow = PureWorkflow(made_of(left, store), {}, tmp_path, name="job").of(left, meaning_of(spec), store)
    root = workflow.run()
    given = counted(workflow.given) + counted(part.given.items())
    wanted = counted(whole.given.items())
    if "failed" in whole.statuses().values():
        event("failed")
        assert "failed" in part.statuses().values() or root.phase in BAD
        assert not given - wanted
        return
    assert root.phase == "Succeeded", [node.message for node in workflow.nodes.values() if node.phase in BAD]
    assert given == wanted
    assert outputs_of(workflow, root, left, pipeline) == outputs_of_plan(whole)


def require_same(spec, tmp_path):
    pipeline = read_pipeline(spec)
    workflow = PureWorkflow(made_of(pipeline), {}, tmp_path, name="job").of(pipeline, meaning_of(spec))
    root, ended = workflow.run(), run_plan(spec, pipeline)
    wanted = counted(ended.given.items())
    if "failed" in ended.statuses().values():
        event("failed")
        assert root.phase in BAD
        assert not counted(workflow.given) - wanted
        return
    assert root.phase == "Succeeded", [node.message for node in workflow.nodes.values() if node.phase in BAD]
    assert counted(workflow.given) == wanted
    assert outputs_of(workflow, root, pipeline, pipeline) == outputs_of_plan(ended)


def outputs_of_plan(ended):
    found = {
        name: resolve(source, Place("outputs"), ended.so_far) for name, source in ended.so_far.pipeline.outputs.items()
    }
    return {name: exactly(shown(entry.value)) for name, entry in found.items() if entry is not None}


def outputs_of(workflow, root, run, pipeline):
    """Return what the workflow of a plan, or of what was left of it, gave: as the whole plan declares it."""
    found = {}
    for name in run.outputs:
        source = pipeline.outputs[name]
        first = source.sources[0] if isinstance(source, FirstOf) else source
        task = next(task for task in pipeline.tasks if task.name == first.task)
        is_artifact = isinstance(task.component.outputs[first.output], ArtifactSlot)
        entry = Texts(workflow.store, name, of_artifacts=is_artifact).read(root.outputs[name])
        if entry is not None:
            found[name] = exactly(shown(entry.value))
    return found


@FEW
@given(spec=specs())
def test_a_workflow_does_what_its_plan_does(spec, tmp_path_factory):
    require_same(spec, tmp_path_factory.getbasetemp())


@FEW
@given(spec=specs(), steps=st.integers(0, 12))
def test_a_workflow_of_what_is_left_ends_as_the_plan_does(spec, steps, tmp_path_factory):
    require_same_rest(spec, steps, tmp_path_factory.getbasetemp())


@pytest.mark.slow
@MANY
@given(spec=specs(tasks=6), steps=st.integers(0, 30))
def test_many_workflows_of_what_is_left_end_as_their_plans_do(spec, steps, tmp_path_factory):
    require_same_rest(spec, steps, tmp_path_factory.getbasetemp())


@pytest.mark.slow
@MANY
@given(spec=specs(tasks=6))
def test_many_workflows_do_what_their_plans_do(spec, tmp_path_factory):
    require_same(spec, tmp_path_factory.getbasetemp())
