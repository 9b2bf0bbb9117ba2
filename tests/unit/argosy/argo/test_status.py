import base64
import gzip
import json

import pytest

from argosy.argo.status import StepNode, step_nodes

NAMES = {"train": "train", "score": "score[1]", "each": "each"}


def a_node(name, kind, *, phase="Running", **more):
    display = name.rpartition(".")[2] or name
    return {"id": name, "name": f"w.{name}", "displayName": display, "type": kind, "phase": phase, **more}


def a_workflow(*nodes, packed=False):
    found = {node["id"]: node for node in nodes}
    if packed:
        return {"status": {"compressedNodes": base64.b64encode(gzip.compress(json.dumps(found).encode())).decode()}}
    return {"status": {"nodes": found}}


@pytest.mark.parametrize("packed", [False, True])
def test_a_step_is_told_of_once_however_often_it_was_tried(packed):
    workflow = a_workflow(
        a_node("main", "DAG"),
        a_node("main.train", "Retry", phase="Failed", children=["main.train(0)"], message="No more retries left"),
        a_node("main.train(0)", "Pod", phase="Failed", message="main: Error (exit code 1)"),
        packed=packed,
    )

    assert list(step_nodes(workflow, NAMES)) == [
        StepNode("train", "w.main.train", "failed", "main: Error (exit code 1)")
    ]


def test_a_step_in_loops_is_named_by_its_rounds_from_the_outside_in():
    workflow = a_workflow(
        a_node("main", "DAG"),
        a_node("loop", "DAG", boundaryID="main"),
        a_node('rounds(3:"a(1:b)")', "DAG", boundaryID="loop"),
        a_node("inner", "DAG", boundaryID='rounds(3:"a(1:b)")'),
        a_node("rounds(0:x)", "DAG", boundaryID="inner"),
        a_node("each", "Retry", boundaryID="rounds(0:x)", phase="Succeeded"),
        a_node("score", "Skipped", boundaryID="rounds(0:x)", phase="Omitted", message="depends condition not met"),
    )

    assert list(step_nodes(workflow, NAMES)) == [
        StepNode("each[3,0]", "w.each", "succeeded"),
        StepNode("score[1,3,0]", "w.score", "skipped", "depends condition not met"),
    ]


def test_a_workflow_that_the_controller_has_not_seen_has_no_steps():
    assert list(step_nodes({"metadata": {"name": "w"}}, NAMES)) == []
