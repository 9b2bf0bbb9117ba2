import pytest

from argosy.kubeflow.wrap import wrap
from argosy.spec.read import read_pipeline
from argosy.spec.wrapped import unwrap
from tests.fakes.wrapped_pipelines import measured_spec, program_spec, small_spec

SPECS = {"small": small_spec, "measured": measured_spec, "program": program_spec}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_unwrapping_undoes_wrapping(spec):
    assert unwrap(wrap(spec(), lock="requirements.lock", env={}).spec) == spec()


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_wrapped_spec_is_read_as_the_one_that_was_wrapped(spec):
    assert read_pipeline(wrap(spec()).spec) == read_pipeline(spec())


def test_what_was_not_wrapped_comes_back_as_it_is():
    assert unwrap(small_spec()) == small_spec()
