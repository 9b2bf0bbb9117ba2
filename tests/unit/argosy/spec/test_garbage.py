import gc

import pytest

from argosy.spec.garbage import uncollected


def test_the_collector_pauses_and_goes_on():
    with uncollected():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_the_collector_goes_on_after_an_error():
    with pytest.raises(ValueError, match="no"), uncollected():
        raise ValueError("no")

    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
