import pytest

from argosy.argo.retry import LOST, WORTHWHILE, retry_strategy
from argosy.errors import Unsupported
from argosy.spec.model import Retry
from tests.fakes.argo_expressions import evaluate


def again(expression, *, status, code, message=""):
    return evaluate(expression, {"lastRetry": {"status": status, "exitCode": str(code), "message": message}})


def test_the_authors_retries_become_a_strategy():
    strategy = retry_strategy(Retry(3, 10.0, 2.0, 3600.0), "tasks.train")

    assert strategy == {
        "limit": "3",
        "retryPolicy": "Always",
        "expression": WORTHWHILE,
        "backoff": {"duration": "10s", "factor": "2", "cap": "3600s"},
    }


def test_a_mistake_and_a_verdict_are_not_tried_again():
    assert [again(WORTHWHILE, status="Failed", code=code) for code in (1, 2, 3, 75)] == [True, False, False, True]
    assert again(WORTHWHILE, status="Error", code=-1)


def test_without_retries_only_lost_pods_and_outages_are_tried_again():
    assert retry_strategy(None, "tasks.train") == {"limit": "2", "retryPolicy": "Always", "expression": LOST}
    assert [again(LOST, status="Failed", code=code) for code in (1, 2, 3, 75)] == [False, False, False, True]
    assert again(LOST, status="Error", code=-1)


def test_a_pod_that_was_asked_to_end_is_tried_again_but_not_one_whose_time_is_over():
    late = "Pod was active on the node longer than the specified deadline"

    assert again(LOST, status="Failed", code=143, message="main: Error (exit code 143)")
    assert not again(LOST, status="Failed", code=143, message=late)


def test_no_backoff_is_no_backoff():
    assert "backoff" not in retry_strategy(Retry(1, 0.0, 2.0, 3600.0), "tasks.train")


def test_a_part_of_a_second_is_told_in_milliseconds():
    assert retry_strategy(Retry(1, 0.5, 1.0, 2.0), "tasks.train")["backoff"]["duration"] == "500ms"


def test_a_fractional_backoff_factor_is_refused_with_its_place():
    with pytest.raises(
        Unsupported, match=r"^tasks\.train\.retryPolicy\.backoffFactor: backoff factor \(1\.5\): .*whole"
    ):
        retry_strategy(Retry(1, 10.0, 1.5, 60.0), "tasks.train")
