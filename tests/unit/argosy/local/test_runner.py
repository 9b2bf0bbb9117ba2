import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from argosy.errors import Mistake
from argosy.launcher.claims import Cancelled
from argosy.local.runner import Run, run_tasks
from argosy.spec.model import (
    ArtifactSlot,
    Constant,
    FinalStatus,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    Retry,
    RunValue,
    Start,
    TaskOutput,
)
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


ITEM = Parameter("item", "NUMBER_INTEGER")
ALL = "def step(numbers: list) -> list:\n    return numbers\n"


def a_loop(items, name="L", **more):
    source = TaskOutput(*items) if isinstance(items, tuple) else Constant(items)
    return Loop(name, source, more.pop("item", ITEM), **more)


def in_loop(name, code, *, item="n", loops=("L",), **more):
    """Return a task that is given the item of the innermost loop around it."""
    task = a_task(name, code, loops=loops, **more)
    return replace(task, inputs={**task.inputs, item: LoopItem(loops[-1])})


def collect(name="all", task="one"):
    return a_task(name, ALL, inputs={"numbers": (task, "Output")}, outputs={"Output": "LIST"})


def run_loops(lab, *tasks, loops, concurrency=2, run_values=None, **changes):
    plan = Pipeline("small", "", {}, tasks, {loop.name: loop for loop in loops})
    begun = Run(plan, {}, lab.context(**changes), run_values=run_values or {})
    run_tasks(begun, concurrency=concurrency)
    return begun


def test_each_round_of_a_loop_runs_with_its_item_and_all_are_collected(lab):
    ended = run_loops(lab, in_loop("one", PLUS), collect(), loops=[a_loop([5, 6, 7])])

    assert statuses(ended) == {"one[0]": "ran", "one[1]": "ran", "one[2]": "ran", "all": "ran"}
    assert ended.outcomes["all"].values() == {"Output": [6, 7, 8]}


def test_a_longer_loop_runs_its_new_rounds_only(lab):
    tasks = in_loop("one", PLUS), collect()
    run_loops(lab, *tasks, loops=[a_loop([5, 6])])

    ended = run_loops(lab, *tasks, loops=[a_loop([4, 5, 6])])

    assert statuses(ended) == {"one[0]": "ran", "one[1]": "reused", "one[2]": "reused", "all": "ran"}


def test_rounds_with_equal_items_do_the_work_once(lab, place):
    ended = run_loops(
        lab, in_loop("one", TALLY, inputs={"place": str(place)}), collect(), loops=[a_loop([7, 7])], concurrency=2
    )

    assert sorted(statuses(ended).values()) == ["ran", "ran", "reused"]
    assert executions(place) == 1
    assert ended.outcomes["all"].values() == {"Output": [1, 1]}


def test_a_loop_over_a_result_runs_as_many_rounds_as_the_result_has(lab):
    many = a_task("many", "def step() -> list:\n    return [1, 2]\n", outputs={"Output": "LIST"})
    loop = a_loop(("many", "Output"), start=Start(after=("many",)))

    ended = run_loops(lab, many, in_loop("one", PLUS), collect(), loops=[loop])

    assert ended.outcomes["all"].values() == {"Output": [2, 3]}


def test_loops_in_loops_run_every_combination(lab):
    add = "def step(n: int, m: int) -> int:\n    return 10 * m + n\n"
    task = in_loop("one", add, loops=("L", "M"))
    task = replace(task, inputs={**task.inputs, "m": LoopItem("L")})

    ended = run_loops(lab, task, collect(), loops=[a_loop([1, 2]), a_loop([3, 4], "M", loops=("L",))])

    assert ended.outcomes["all"].values() == {"Output": [[13, 14], [23, 24]]}


def test_a_loop_over_artifacts_gives_each_round_its_file(lab):
    one = "def step(out: Output[Dataset], text: str):\n    open(out.path, 'w').write(text)\n"
    read = "def step(data: Input[Dataset]) -> int:\n    return len(open(data.path).read())\n"
    first = a_task("first", one, inputs={"text": "a"}, outputs={"out": "system.Dataset"}, loops=("K",))
    first = replace(first, inputs={"text": LoopItem("K")})
    over = a_loop(("first", "out"), item=ArtifactSlot("f", "system.Dataset"), start=Start(after=("first",)))

    ended = run_loops(lab, first, in_loop("one", read, item="data"), collect(), loops=[a_loop(["a", "bb"], "K"), over])

    assert ended.outcomes["all"].values() == {"Output": [1, 2]}


def test_only_the_round_that_failed_is_retried(lab, place):
    code = """
    def step(place: str, n: int) -> int:
        import os, uuid
        made = os.path.join(place, str(n))
        os.makedirs(made, exist_ok=True)
        open(os.path.join(made, uuid.uuid4().hex), "w").close()
        assert n == 1 or len(os.listdir(made)) > 1
        return n
    """
    task = in_loop("one", code, inputs={"place": str(place)}, retry=RETRY)

    ended = run_loops(lab, task, loops=[a_loop([1, 2])])

    assert statuses(ended) == {"one[0]": "ran", "one[1]": "ran"}
    assert [executions(place / name) for name in ("1", "2")] == [1, 2]


def test_a_loops_limit_is_never_exceeded(lab, place):
    code = """
    def step(place: str, n: int) -> int:
        import os, time
        os.mkdir(os.path.join(place, "busy"))
        time.sleep(0.02)
        os.rmdir(os.path.join(place, "busy"))
        return n
    """
    task = in_loop("one", code, inputs={"place": str(place)})

    ended = run_loops(lab, task, loops=[a_loop([1, 2, 3, 4], limit=1)], concurrency=4)

    assert set(statuses(ended).values()) == {"ran"}


def test_rounds_run_at_the_same_time_where_no_limit_is_set(lab, place):
    code = MEET.replace("me: str, other: str", "n: dict").replace("me)", "n['me'])").replace("other)", "n['other'])")
    items = [{"me": "l", "other": "r"}, {"me": "r", "other": "l"}]

    ended = run_loops(lab, in_loop("one", code, inputs={"place": str(place)}), loops=[a_loop(items)])

    assert set(statuses(ended).values()) == {"ran"}


def test_a_failed_round_stops_only_what_depends_on_it(lab):
    picky = "def step(n: int) -> int:\n    assert n != 1\n    return n\n"
    after = a_task("after", PLUS, inputs={"n": ("one", "Output")}, loops=("L",))

    ended = run_loops(lab, in_loop("one", picky), a_task("aside", ONE), after, collect(), loops=[a_loop([1, 2])])

    assert statuses(ended) == {
        "one[0]": "failed",
        "one[1]": "ran",
        "aside": "ran",
        "after[0]": "skipped",
        "after[1]": "ran",
        "all": "skipped",
    }
    assert ended.outcomes["all"].reason == "one failed"


def test_a_loop_without_items_gives_an_empty_list(lab):
    ended = run_loops(lab, in_loop("one", PLUS), collect(), loops=[a_loop([])])

    assert statuses(ended) == {"one": "skipped", "all": "ran"}
    assert ended.outcomes["all"].values() == {"Output": []}


def test_a_skipped_loop_skips_what_takes_its_results(lab):
    loop = a_loop([1], start=Start(after=("ask",), conditions=(holds("ask", "Output", 9),)))

    ended = run_loops(lab, a_task("ask", ONE), in_loop("one", PLUS), collect(), loops=[loop])

    assert statuses(ended) == {"ask": "ran", "one": "skipped", "all": "skipped"}


@pytest.mark.parametrize(("forced", "ran"), [("one", ["one[0]", "one[1]"]), ("one[1]", ["one[1]"])])
def test_force_runs_a_task_in_all_rounds_or_in_the_one_that_is_named(lab, forced, ran):
    tasks, loops = (in_loop("one", PLUS), collect()), [a_loop([1, 2])]
    run_loops(lab, *tasks, loops=loops)

    ended = run_loops(lab, *tasks, loops=loops, forced=frozenset([forced]))

    assert [name for name, status in sorted(statuses(ended).items()) if status == "ran"] == ran


@pytest.mark.parametrize(("code", "state"), [(ONE, "COMPLETE"), (FAIL, "FAILED")])
def test_an_exit_handler_is_told_how_its_group_ended(lab, code, state):
    tell = a_task("tell", "def step(status: dict) -> str:\n    return status['state']\n", outputs={"Output": "STRING"})
    tell = replace(
        tell,
        inputs={"status": FinalStatus("group", ("one",))},
        start=Start(after=("one",), survives=("one",)),
        cache=False,
    )

    ended = run(lab, a_task("one", code), tell)

    assert ended.outcomes["tell"].values() == {"Output": state}


def test_what_only_the_run_knows_is_given_and_such_a_step_runs_in_each_run(lab):
    task = a_task("one", "def step(name: str) -> str:\n    return name\n", outputs={"Output": "STRING"}, cache=False)
    task = replace(task, inputs={"name": RunValue("pipeline_job_name")})

    ended = [run_loops(lab, task, loops=[], run_values={"pipeline_job_name": name}) for name in ("first", "second")]

    assert [each.outcomes["one"].values() for each in ended] == [{"Output": "first"}, {"Output": "second"}]
    assert [statuses(each) for each in ended] == [{"one": "ran"}] * 2
