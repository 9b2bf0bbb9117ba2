"""Values that quoting, substitution and readers of numbers trip over arrive as they were, or are refused by name.

The whole way: a pipeline's parameter or a constant, the manifest as YAML, what Argo puts where a tag stands, a pod, its
output, the items of a loop, what its rounds gave.
"""

import json
import math

import pytest
import yaml
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from argosy.argo.arguments import argument_text
from argosy.argo.emit import emit
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Mistake, Unsupported
from argosy.launcher.canonical import fault_of, normal_json
from argosy.launcher.parameters import Texts
from argosy.spec.arguments import bind_arguments
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pure import PureWorkflow
from tests.fakes.argo_specs import ITEM, a_dag, a_loop
from tests.fakes.hostile_values import ENVELOPES, JSON, NASTY, TEXTS
from tests.fakes.specs import a_component, a_lightweight, a_parameter, a_spec, a_task, constant, outer, output_of

FEW = settings(max_examples=30, derandomize=True, database=None, deadline=None)
MANY = settings(FEW, max_examples=500)
ITEMS = {
    "STRING": TEXTS,
    "LIST": st.lists(JSON, max_size=3),
    "STRUCT": st.dictionaries(TEXTS | st.just("argosy"), JSON, max_size=3) | ENVELOPES,
    "NUMBER_INTEGER": st.integers() | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1]),
    "NUMBER_DOUBLE": st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([-0.0, 1e20, 1e22, 5e-324]),
    "BOOLEAN": st.booleans(),
}
LISTS = st.sampled_from(sorted(ITEMS)).flatmap(lambda kind: st.tuples(st.just(kind), st.lists(ITEMS[kind], max_size=3)))


def echo(name, kind):
    """Return a component that returns what it is given, and its executor."""
    slot = a_parameter(kind)
    component = a_component(f"exec-{name}", inputs={"v": slot}, outputs={"Output": slot})
    return component, a_lightweight(f"def {name}(v):\n    return v\n", name)


def a_way(number, kind, first):
    """Return tasks: a list through one, each of its items through another, and all of them through a third."""
    whole, loop = f"whole-{number}", f"loop-{number}"
    return {
        whole: a_task("comp-whole", v=first),
        loop: a_loop("comp-round", {"inputParameter": "items"}, items=output_of(whole)),
        f"all-{number}": a_task("comp-whole", v=output_of(loop, "gathered")),
    }


def the_whole_way(kind, ways, default=None):
    """Return a spec that brings lists along.

    Args:
        kind: The type of the items.
        ways: The source of each list.
        default: Of the pipeline's parameter `defaulted`.

    """
    made = {"whole": echo("whole", "LIST"), "each": echo("each", kind)}
    components = {f"comp-{name}": component for name, (component, _) in made.items()}
    components["comp-round"] = a_dag(
        {"each": a_task("comp-each", v=outer(ITEM))},
        inputs={ITEM: a_parameter(kind), "items": a_parameter("LIST")},
        outputs={"gathered": ("each", "Output", a_parameter("LIST"))},
    )
    tasks = {name: task for number, first in enumerate(ways) for name, task in a_way(number, kind, first).items()}
    parameters = {
        "given": a_parameter("LIST", isOptional=True),
        "defaulted": a_parameter("LIST", defaultValue=[] if default is None else default, isOptional=True),
    }
    executors = {f"exec-{name}": executor for name, (_, executor) in made.items()}
    spec = a_spec(tasks, components, parameters=parameters, executors=executors)
    ends = {name: (name, "Output", a_parameter("LIST")) for name in tasks if not name.startswith("loop")}
    root = a_dag(tasks, outputs=ends)
    spec["root"] |= {"dag": root["dag"], "outputDefinitions": root["outputDefinitions"]}
    return spec


def outcome(spec, arguments, folder):
    """Return the outputs of a workflow, read from the YAML that a person would submit."""
    pipeline = read_pipeline(spec)
    bound = bind_arguments(pipeline, arguments)
    made = yaml.load(emit(manifest(pipeline, Wanted())), Loader=yaml.CSafeLoader)
    texts = {name: argument_text(name, bound[name], pipeline) for name in arguments}
    workflow = PureWorkflow(made, texts, folder).of(pipeline, lambda _task, inputs: {"Output": inputs["v"]})
    root = workflow.run()
    assert root.phase == "Succeeded", [node.message for node in workflow.nodes.values() if node.message]
    return {name: Texts(workflow.store, name).read(text).value for name, text in root.outputs.items()}


def exactly(value):
    return json.dumps(normal_json(value), sort_keys=True)


def require_unchanged(kind, items, folder):
    spec = the_whole_way(kind, [outer("given"), outer("defaulted"), constant(items)], default=items)

    found = outcome(spec, {"given": items}, folder)

    assert {name: exactly(value) for name, value in found.items()} == dict.fromkeys(found, exactly(items))
    assert len(found) == 6


@FEW
@given(given_items=LISTS)
@example(given_items=("STRING", list(NASTY)))
@example(given_items=("STRUCT", [{"argosy": "value", "value": {"argosy": 1}}, {"{{": {"}}": ["{{=x}}"]}}]))
@example(given_items=("NUMBER_INTEGER", [2**53 + 1, -(2**63), 10**30]))
@example(given_items=("STRING", ["x" * 100_000]))
def test_values_come_the_whole_way_unchanged(given_items, tmp_path_factory):
    require_unchanged(*given_items, tmp_path_factory.getbasetemp())


def over_a_parameter(kind):
    """Return a spec of a loop over what the pipeline is given, which Argo itself has to read."""
    spec = the_whole_way(kind, [constant([])])
    tasks = {
        "loop": a_loop("comp-round", {"inputParameter": "items"}, items=outer("given")),
        "all": a_task("comp-whole", v=output_of("loop", "gathered")),
    }
    root = a_dag(tasks, outputs={"all": ("all", "Output", a_parameter("LIST"))})
    spec["root"] |= {"dag": root["dag"], "outputDefinitions": root["outputDefinitions"]}
    return spec


def require_unchanged_or_refused(kind, items, folder):
    try:
        found = outcome(over_a_parameter(kind), {"given": items}, folder)
    except Unsupported as error:
        event("refused")
        assert str(error).startswith("parameter 'given': value that Argo would change (")  # noqa: PT017  # else unchanged
        return
    event("unchanged")
    assert exactly(found["all"]) == exactly(items)


@FEW
@given(given_items=LISTS)
@example(given_items=("STRUCT", [{"argosy": "value", "value": {"argosy": 1}}, {"{{": {"}}": ["{{=x}}"]}}]))
@example(given_items=("STRING", ["😀"]))
def test_items_that_argo_itself_reads_arrive_unchanged_or_are_refused(given_items, tmp_path_factory):
    require_unchanged_or_refused(*given_items, tmp_path_factory.getbasetemp())


@pytest.mark.slow
@MANY
@given(given_items=LISTS)
def test_many_values_come_the_whole_way_unchanged(given_items, tmp_path_factory):
    require_unchanged(*given_items, tmp_path_factory.getbasetemp())
    require_unchanged_or_refused(*given_items, tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", {"\udc00": 1}, json.loads("[" * 200 + "]" * 200)])
@pytest.mark.parametrize("way", ["an argument", "a default", "a constant"])
def test_what_json_cannot_carry_is_refused_by_its_place(value, way):
    source, default = {"a default": (outer("defaulted"), [value]), "a constant": (constant([value]), None)}.get(
        way, (outer("given"), None)
    )

    with pytest.raises(Mistake) as caught:
        bind_arguments(read_pipeline(the_whole_way("LIST", [source], default)), {"given": [value]})

    place = {
        "an argument": "parameter 'given'",
        "a default": "root.inputDefinitions.parameters.defaulted.defaultValue",
        "a constant": "root.dag.tasks.whole-0.inputs.parameters.v.runtimeValue.constant",
    }
    assert str(caught.value) == place[way] + fault_of([value])
