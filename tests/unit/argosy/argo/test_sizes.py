import pytest

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.spec.read import read_pipeline
from tests.fakes.argo_specs import ITEM, a_dag, a_loop, a_parameter, a_task, constant, outer, pipeline
from tests.fakes.specs import a_lightweight, with_field

LARGE = "x" * 100_000


def made(spec):
    return manifest(read_pipeline(spec), Wanted())


def saying(source, **parameters):
    return pipeline({"say": a_task("comp-say", text=source)}, parameters=parameters)


@pytest.mark.parametrize("text", [LARGE, '"' * 29_000, "é" * 59_000])
def test_what_a_pod_can_be_handed_is_compiled(text):
    assert made(saying(constant(text)))


@pytest.mark.parametrize("text", [LARGE + LARGE[:20_000], '"' * 31_000, "<" * 20_000, "é" * 61_000])
def test_a_constant_that_no_pod_can_be_handed_is_refused_with_its_task(text):
    with pytest.raises(Unsupported, match=r"^tasks\.say: size of a pod \(\d+ KB of at most 120\): .*; return large"):
        made(saying(constant(text)))


def test_a_default_counts_for_the_tasks_that_take_it():
    default = LARGE[:80_000]
    assert made(saying(outer("text"), text=a_parameter(defaultValue=default, isOptional=True)))
    spec = pipeline(
        {"say": a_task("comp-say", text=outer("text"), note=outer("text"))},
        parameters={"text": a_parameter(defaultValue=default, isOptional=True)},
    )

    with pytest.raises(Unsupported, match=r"^tasks\.say: size of a pod \(16\d KB"):
        made(spec)


def test_a_default_that_no_pod_can_be_handed_is_refused_by_its_name():
    with pytest.raises(Unsupported, match=r"^parameter 'text': size of a pod \(150 KB of at most 120\)"):
        made(saying(outer("text"), text=a_parameter(defaultValue=LARGE + LARGE[:50_000], isOptional=True)))


def test_a_default_counts_where_it_is_part_of_a_text():
    text = constant("{{$.inputs.parameters['pipelinechannel--text']}}!")
    parameters = {"text": a_parameter(defaultValue=LARGE, isOptional=True)}
    task = a_task("comp-say", text=text, note=constant(LARGE[:20_000]), **{"pipelinechannel--text": outer("text")})

    with pytest.raises(Unsupported, match=r"^tasks\.say: size of a pod \(12\d KB"):
        made(pipeline({"say": task}, parameters=parameters))


def test_a_source_counts():
    source = f"def say(text: str, note: str = '') -> str:\n    return {LARGE!r} + {LARGE!r}\n"

    with pytest.raises(Unsupported, match=r"^tasks\.say: size of a pod \(20\d KB"):
        made(with_field(saying(constant("x")), "deploymentSpec.executors.exec-say", a_lightweight(source, "say")))


def test_of_the_items_of_a_loop_the_longest_counts():
    inner = a_dag({"say": a_task("comp-say", text=outer(ITEM))}, inputs={ITEM: a_parameter()})
    items = '["{}"]'.format('","'.join([LARGE[:1000]] * 500))
    assert made(pipeline({"loop": a_loop("comp-round", {"raw": items})}, round=inner))

    with pytest.raises(Unsupported, match=r"^loop loop\.items: size of a pod \(200 KB of at most 120\)"):
        made(pipeline({"loop": a_loop("comp-round", {"raw": f'["{LARGE}{LARGE}"]'})}, round=inner))
