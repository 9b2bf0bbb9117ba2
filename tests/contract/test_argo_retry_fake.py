"""`argo retry` on the fake: what is kept, what runs again, and what Argo's rules leave as it failed."""

from collections import Counter

import pytest

from tests.fakes.argo_controller import Controller
from tests.fakes.argo_retry import RetryError
from tests.fakes.small_workflows import RETRIED, a_program, a_task, a_workflow

MENDED = """
if not os.path.exists(os.path.join(os.environ["WHERE"], f"mended-{number}")):
    sys.exit(7)
os.mkdir(folder)
open(f"{folder}/number", "w").write(str(2 * int(number)))
"""
FRAGILE = a_program("fragile", MENDED, **RETRIED)


@pytest.fixture
def controller(tmp_path):
    controller = Controller(tmp_path, image={"WHERE": str(tmp_path)})
    yield controller
    controller.close()


def run(controller, *tasks, templates=()):
    controller.create(a_workflow(*tasks, templates=[FRAGILE, *templates]))
    return controller.wait("small")


def retry(controller, *numbers):
    """Mend what fails with some numbers, and retry."""
    for number in numbers:
        (controller.folder / f"mended-{number}").touch()
    controller.retry("small")
    return controller.wait("small")


def pods(controller):
    """Return how often each task had a pod since the workflow was created or retried."""
    return Counter(path.removeprefix("main.") for path, _ in controller.held["small"].workflow.pods)


def phases(document):
    return {each["displayName"]: each["phase"] for each in document["status"]["nodes"].values()}


def node(document, name):
    return next(each for each in document["status"]["nodes"].values() if each["displayName"] == name)


def test_only_what_failed_and_what_came_after_it_runs_again(controller):
    tasks = [
        a_task("first", "double", number="1"),
        a_task("second", "fragile", "first.Succeeded", "{{tasks.first.outputs.parameters.number}}"),
        a_task("third", "double", "second.Succeeded", "{{tasks.second.outputs.parameters.number}}"),
        a_task("beside", "double", number="5"),
        a_task("last", "double", "third.Succeeded && beside.Succeeded"),
    ]
    failed = run(controller, *tasks)
    kept = node(failed, "beside")
    assert (failed["status"]["phase"], phases(failed)["last"]) == ("Failed", "Omitted")
    assert len(controller.pods()) == 2

    ended = retry(controller, 2)

    assert ended["status"]["phase"] == "Succeeded"
    assert pods(controller) == {"second": 1, "third": 1, "last": 1}
    assert node(ended, "beside") == kept
    assert "second(1)" not in phases(ended)
    assert controller.pods() == {}
    assert ended["metadata"]["uid"] == failed["metadata"]["uid"]
    assert node(ended, "third")["outputs"]["parameters"] == [{"name": "number", "value": "8"}]


def test_of_a_loop_only_the_rounds_that_failed_run_again(controller):
    loop = {
        "name": "loop",
        "dag": {
            "failFast": False,
            "tasks": [a_task("items", "round", number="{{item}}", withParam='["1", "2", "3"]')],
        },
    }
    a_round = {
        "name": "round",
        "inputs": {"parameters": [{"name": "number"}]},
        "dag": {
            "failFast": False,
            "tasks": [
                a_task("try", "fragile", number="{{inputs.parameters.number}}"),
                a_task("then", "double", "try.Succeeded", "{{tasks.try.outputs.parameters.number}}"),
            ],
        },
    }
    (controller.folder / "mended-2").touch()
    tasks = [
        a_task("before", "double"),
        a_task("loop", "loop", "before.Succeeded", None),
        a_task("after", "double", "loop.Succeeded"),
    ]
    assert run(controller, *tasks, templates=[loop, a_round])["status"]["phase"] == "Failed"

    half = retry(controller, 1)
    assert half["status"]["phase"] == "Failed"
    assert pods(controller) == {
        "loop.items(0:1).try": 1, "loop.items(0:1).then": 1, "loop.items(2:3).try": 2,
    }  # fmt: skip

    ended = retry(controller, 3)
    assert ended["status"]["phase"] == "Succeeded"
    assert pods(controller) == {"loop.items(2:3).try": 1, "loop.items(2:3).then": 1, "after": 1}


def test_what_failed_before_something_that_succeeded_stays_failed(controller):
    tasks = [a_task("first", "fragile"), a_task("report", "double", "first.Succeeded || first.Failed")]
    guard = a_program("guard", "sys.exit(1)")
    guarded = a_task("guard", "guard", "report.Succeeded && first.Failed")
    assert run(controller, *tasks, guarded, templates=[guard])["status"]["phase"] == "Failed"

    ended = retry(controller, 3)

    assert ended["status"]["phase"] == "Failed"
    assert pods(controller) == {"guard": 1}


def test_only_a_workflow_that_failed_is_retried(controller):
    run(controller, a_task("first", "double"))

    with pytest.raises(RetryError, match="Cannot retry a workflow in phase Succeeded"):
        controller.retry("small")
