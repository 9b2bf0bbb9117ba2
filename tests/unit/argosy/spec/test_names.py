import pytest

from argosy.errors import Mistake
from argosy.spec.components import Step, read_group
from argosy.spec.fields import Fields
from argosy.spec.model import Component, Executor
from argosy.spec.names import plan_names
from tests.fakes.specs import a_group, a_task

STEP = Step(Component("comp-step", {}, {}, Executor("python:3.11")), None, {})


def group(**tasks):
    return read_group(Fields(a_group({name: a_task(f"comp-{component}") for name, component in tasks.items()}), "c"))


def test_a_name_takes_as_much_of_its_path_as_tells_it_apart():
    components = {"comp-step": STEP, "comp-in": group(train="step", own="step"), "comp-out": group(x="in")}

    assert plan_names(group(a="out", b="out", y="in", train="step").graph, components) == {
        ("a", "x", "own"): "a-x-own",
        ("a", "x", "train"): "a-x-train",
        ("b", "x", "own"): "b-x-own",
        ("b", "x", "train"): "b-x-train",
        ("train",): "train",
        ("y", "own"): "y-own",
        ("y", "train"): "y-train",
    }


def test_a_component_inside_itself_is_a_mistake():
    components = {"comp-out": group(x="in"), "comp-in": group(y="out")}

    with pytest.raises(Mistake, match=r"^c\.dag\.tasks\.y\.componentRef\.name: 'comp-out' would be part of itself"):
        plan_names(group(a="out").graph, components)


def test_an_unknown_component_hints_at_a_known_one():
    with pytest.raises(Mistake, match=r"'comp-stp' is not among components \(did you mean 'comp-step'\?\)"):
        plan_names(group(a="stp").graph, {"comp-step": STEP})
