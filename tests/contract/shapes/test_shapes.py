"""The same PipelineSpecs on every engine, with the same end."""

import json

import pytest

from tests.fakes.argo_cluster import lacking
from tests.fakes.engines import ENGINES
from tests.fakes.shapes.cases import ALWAYS, CASES, KNOWN_FAULTS, NEVER_WRAPPED, SOUND_WRAPPED


def engines_and_cases():
    for engine in ENGINES:
        for name in CASES:
            fault = KNOWN_FAULTS.get((engine, name))
            marks = [] if name in ALWAYS.get(engine, ()) else [pytest.mark.slow]
            marks += [pytest.mark.xfail(strict=True, reason=fault)] if fault else []
            yield pytest.param(engine, name, id=f"{engine}: {name}", marks=marks)


def exactly(value):
    """Return a value as a text: 1, 1.0 and true are equal in Python, and are three things to a step."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1)


@pytest.mark.parametrize(("engine", "name"), list(engines_and_cases()))
def test_an_engine_gives_what_the_shape_says(ran, engine, name):
    case = CASES[name]
    if missing := lacking(engine, case):
        pytest.skip(missing)

    ended, left = ran(engine, name)

    assert ended.status == case.status, ended.why
    assert exactly(ended.outputs) == exactly(case.outputs)
    assert left == (case.left or {})


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_all_engines_agree(ran, name):
    here = [engine for engine in ENGINES if not lacking(engine, CASES[name])]
    sound = [engine for engine in here if (engine, name) not in KNOWN_FAULTS]
    found = {engine: ran(engine, name) for engine in sound}

    texts = {engine: exactly([ended.status, ended.outputs, left]) for engine, (ended, left) in found.items()}

    assert len(set(texts.values())) <= 1, texts


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["wrapped kfp.local", "argosy"])
@pytest.mark.parametrize("name", SOUND_WRAPPED)
def test_what_ran_in_pods_is_reused_in_pods_and_here(ran, run, place, name, engine):
    first, _ = ran("wrapped kfp.local", name)

    again, left = run(place("wrapped kfp.local", name), engine, name)

    assert again.status == "succeeded", again.why
    executed = {key for key, status in again.steps.items() if status != "reused"}
    assert left == NEVER_WRAPPED.get(name, {})
    assert len(executed) <= len(left)
    assert again.steps.keys() - executed == first.steps.keys()


def test_a_known_fault_names_an_engine_and_a_shape():
    assert [fault for fault in KNOWN_FAULTS if fault[0] not in ENGINES or fault[1] not in CASES] == []
    assert set(CASES) >= set().union(*ALWAYS.values())
    assert set(ENGINES) >= set(ALWAYS)
