import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from argosy.errors import Mistake
from argosy.launcher.claims import Cancelled
from argosy.local.runner import run_tasks
from argosy.spec.model import Retry
from tests.fakes.launching import Lab
from tests.fakes.plans import a_task, holds, run, start, statuses
from tests.fakes.processes import is_alive, pids, wait_for

ONE = "def step() -> int:\n    return 1\n"
PLUS = "def step(n: int) -> int:\n    return n + 1\n"
FAIL = "def step() -> int:\n    raise ValueError('no')\n"
TALLY = """
def step(place: str, n: int = 0) -> int:
    import os, time, uuid
    open(os.path.join(place, uuid.uuid4().hex), "w").close()
    time.sleep(0.2)
    return 1
"""
MEET = """
def step(place: str, me: str, other: str) -> int:
    import pathlib, time
    pathlib.Path(place, me).touch()
    until = time.monotonic() + 10
    while not pathlib.Path(place, other).exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    return 1
"""
FLAKY = """
def step(place: str, times: int) -> int:
    import argosy.errors, os, uuid
    if len(os.listdir(place)) < times:
        open(os.path.join(place, uuid.uuid4().hex), "w").close()
        {}
    return 1
"""
HANG = """
def step(place: str) -> int:
    import os, time
    open(os.path.join(place, str(os.getpid())), "w").close()
    time.sleep(60)
    return 1
"""


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def executions(place):
    return len(list(place.iterdir()))


def test_branches_run_at_the_same_time(lab, place):
    meeting = {"place": str(place)}
    left = a_task("left", MEET, inputs={**meeting, "me": "l", "other": "r"})
    right = a_task("right", MEET, inputs={**meeting, "me": "r", "other": "l"})

    assert statuses(run(lab, left, right)) == {"left": "ran", "right": "ran"}


def test_a_task_waits_for_what_it_depends_on_and_gets_its_output(lab):
    ended = run(lab, a_task("one", ONE), a_task("two", PLUS, inputs={"n": ("one", "Output")}))

    assert ended.outcomes["two"].values() == {"Output": 2}
    assert ended.started_s["two"] > ended.started_s["one"]


def test_an_unchanged_run_starts_nothing(lab):
    tasks = a_task("one", ONE), a_task("two", PLUS, inputs={"n": ("one", "Output")})
    first = run(lab, *tasks)

    second = run(lab, *tasks)

    assert statuses(second) == {"one": "reused", "two": "reused"}
    assert second.started_s == {}
    assert [each.outcomes["two"].values() for each in (first, second)] == [{"Output": 2}] * 2


def test_a_failed_task_stops_only_what_depends_on_it(lab):
    ended = run(
        lab,
        a_task("bad", FAIL),
        a_task("good", ONE),
        a_task("after bad", PLUS, inputs={"n": ("bad", "Output")}),
        a_task("after both", ONE, after=("after bad", "good")),
        a_task("after good", PLUS, inputs={"n": ("good", "Output")}),
    )

    assert statuses(ended) == {
        "bad": "failed",
        "good": "ran",
        "after bad": "skipped",
        "after both": "skipped",
        "after good": "ran",
    }
    assert ended.outcomes["after bad"].reason == "bad failed"


@pytest.mark.parametrize(("value", "fate"), [(1, "ran"), (2, "skipped")])
def test_a_condition_decides_whether_a_task_runs(lab, value, fate):
    asked = a_task("asked", PLUS, inputs={"n": 8}, after=("one",), conditions=(holds("one", "Output", value),))

    ended = run(lab, a_task("one", ONE), asked, a_task("then", PLUS, inputs={"n": 9}, after=("asked",)))

    assert statuses(ended) == {"one": "ran", "asked": fate, "then": fate}
    assert ended.outcomes["asked"].reason == ("" if fate == "ran" else "its condition does not hold")


def test_a_task_may_tolerate_that_a_group_was_skipped(lab):
    asked = a_task("asked", ONE, after=("one",), conditions=(holds("one", "Output", 2),))

    ended = run(
        lab, a_task("one", ONE), asked, a_task("end", PLUS, inputs={"n": 4}, after=("asked",), tolerates=("asked",))
    )

    assert statuses(ended) == {"one": "ran", "asked": "skipped", "end": "ran"}


def test_two_tasks_of_one_key_do_the_work_once(lab, place):
    twins = [a_task(name, TALLY, inputs={"place": str(place)}) for name in ("one", "two")]

    assert sorted(statuses(run(lab, *twins)).values()) == ["ran", "reused"]
    assert executions(place) == 1


def test_two_runs_at_once_do_the_work_once(lab, place):
    tasks = [a_task(f"task-{n}", TALLY, inputs={"place": str(place), "n": n}) for n in range(3)]

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda _: run(lab, *tasks), range(2)))

    assert executions(place) == 3
    assert sorted(status for each in ended for status in statuses(each).values()) == ["ran"] * 3 + ["reused"] * 3
    assert lab.store.paths("audit") == []


def test_an_edited_helper_re_runs_its_steps_and_an_equal_result_stops_there(lab):
    lab.write("pkg/__init__.py", "")
    lab.write("pkg/helper.py", "VALUE = 1\n")
    helped = "def step() -> int:\n    from pkg.helper import VALUE\n    return VALUE\n"
    tasks = a_task("helped", helped), a_task("next", PLUS, inputs={"n": ("helped", "Output")})
    run(lab, *tasks)

    lab.write("pkg/helper.py", "VALUE = 2 - 1\n")
    equal = run(lab, *tasks)
    lab.write("pkg/helper.py", "VALUE = 2\n")
    other = run(lab, *tasks)

    assert statuses(equal) == {"helped": "ran", "next": "reused"}
    assert statuses(other) == {"helped": "ran", "next": "ran"}


def test_a_result_that_is_gone_is_made_again_and_nothing_else(lab):
    write = "def step(out: Output[Dataset]):\n    open(out.path, 'w').write('x' * 99)\n"
    read = "def step(data: Input[Dataset]) -> int:\n    return len(open(data.path).read())\n"
    tasks = (
        a_task("write", write, outputs={"out": "system.Dataset"}),
        a_task("read", read, inputs={"data": ("write", "out")}),
    )
    artifact = run(lab, *tasks).outcomes["write"].outputs["out"].value

    for sha256 in artifact.blobs:
        lab.store.blob_file(sha256).unlink()

    assert statuses(run(lab, *tasks)) == {"write": "ran", "read": "reused"}


def test_why_a_task_had_to_run_is_told(lab):
    ended = run(lab, a_task("one", ONE))

    assert ended.reasons == {"one": "never ran here"}


def test_force_runs_the_named_task_and_reuses_what_gets_equal_results(lab):
    tasks = a_task("one", ONE), a_task("two", PLUS, inputs={"n": ("one", "Output")})
    run(lab, *tasks)

    assert statuses(run(lab, *tasks, forced=frozenset(["one"]))) == {"one": "ran", "two": "reused"}


RETRY = Retry(max_count=2, backoff_s=0.05, factor=2.0, max_backoff_s=0.1)


@pytest.mark.parametrize(
    ("times", "line", "fate", "attempts"),
    [
        (2, "raise ValueError('again')", "ran", 2),
        (9, "raise ValueError('again')", "failed", 3),
        (9, "raise argosy.errors.Outage('away')", "failed", 3),
        (9, "os._exit(4)", "failed", 3),
        (9, "raise argosy.errors.Mistake('wrong')", "failed", 1),
        (9, "raise argosy.errors.Refused('held')", "failed", 1),
    ],
)
def test_a_retry_repeats_failures_and_outages_but_no_mistake_and_no_verdict(lab, place, times, line, fate, attempts):
    flaky = a_task("flaky", FLAKY.format(line), inputs={"place": str(place), "times": times}, retry=RETRY)

    assert statuses(run(lab, flaky)) == {"flaky": fate}
    assert executions(place) == attempts


def test_a_retry_waits_longer_each_time(lab, place):
    slow = Retry(max_count=3, backoff_s=0.1, factor=5.0, max_backoff_s=0.5)
    task = a_task("flaky", FLAKY.format("raise ValueError"), inputs={"place": str(place), "times": 9}, retry=slow)

    run(lab, task)

    first, second, third, fourth = sorted(path.stat().st_mtime for path in place.iterdir())
    assert second - first >= 0.1
    assert third - second >= 0.5
    assert 0.5 <= fourth - third < 2


def test_a_task_that_takes_too_long_fails(lab, place):
    ended = run(lab, a_task("hang", HANG, inputs={"place": str(place)}, timeout_s=0.3), a_task("one", ONE))

    assert statuses(ended) == {"hang": "failed", "one": "ran"}
    assert "took longer than its 0.3 s" in ended.outcomes["hang"].error
    assert not any(is_alive(pid) for pid in pids(place))


def test_a_cancelled_run_ends_its_steps_and_leaves_no_record(lab, place):
    flag = threading.Event()
    hanging = start(
        lab, *(a_task(f"hang-{n}", HANG, inputs={"place": str(place)}) for n in range(1)), cancelled=flag.is_set
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_tasks, hanging, concurrency=2)
        wait_for(lambda: pids(place))
        flag.set()
        with pytest.raises(Cancelled):
            running.result()

    assert not any(is_alive(pid) for pid in pids(place))
    assert lab.store.paths("steps") == lab.scratch() == []


def test_a_cancelled_run_does_not_wait_for_a_claim_or_a_retry(lab, place):
    flag = threading.Event()
    waiting = Retry(max_count=9, backoff_s=60, factor=1.0, max_backoff_s=60)
    flaky = a_task("flaky", FLAKY.format("raise ValueError"), inputs={"place": str(place), "times": 9}, retry=waiting)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, lab, flaky, cancelled=flag.is_set)
        wait_for(lambda: executions(place))
        time.sleep(0.2)
        flag.set()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            running.result()

    assert time.monotonic() - began < 5


def test_a_task_that_cannot_be_keyed_is_a_mistake(lab):
    with pytest.raises(Mistake, match="reads: nowhere is not in"):
        run(lab, a_task("one", ONE, declared={"reads": ("nowhere",)}))


def test_one_at_a_time_runs_in_the_order_of_the_plan(lab):
    tasks = [a_task(f"task-{n}", f"def step() -> int:\n    return {n}\n") for n in (2, 0, 1)]

    assert list(run(lab, *tasks, concurrency=1).outcomes) == ["task-2", "task-0", "task-1"]


def test_a_measurement_is_passed_on_and_does_not_re_run_its_consumer(lab):
    timed = "def step() -> float:\n    import time\n    return time.time()\n"
    tasks = (
        a_task(
            "timed", timed, outputs={"Output": "NUMBER_DOUBLE"}, declared={"measurements": ("Output",)}, cache=False
        ),
        a_task(
            "shown",
            "def step(t: float) -> str:\n    return str(t)\n",
            inputs={"t": ("timed", "Output")},
            outputs={"Output": "STRING"},
        ),
    )
    first, second = run(lab, *tasks), run(lab, *tasks)

    assert [statuses(each)["timed"] for each in (first, second)] == ["ran", "ran"]
    assert [statuses(each)["shown"] for each in (first, second)] == ["ran", "reused"]
    assert second.outcomes["shown"].outputs["Output"].measured


def test_a_run_in_another_folder_gives_the_same_keys_and_digests(lab, tmp_path):
    write = "def step(out: Output[Dataset]):\n    open(out.path, 'w').write('x')\n"
    task = a_task("write", write, outputs={"out": "system.Dataset"})

    elsewhere = run(Lab(tmp_path / "elsewhere"), task)

    assert elsewhere.outcomes["write"].key == run(lab, task).outcomes["write"].key
    assert elsewhere.outcomes["write"].values() == run(lab, task).outcomes["write"].values()
