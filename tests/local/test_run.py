"""`argosy run` as a process: interrupted, killed, stopped, twice at once, and with unruly steps."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from argosy.launcher.store import open_store
from tests.fakes.processes import is_alive, pids, wait_for
from tests.fakes.projects import a_project, argosy, argosy_command, write_files
from tests.fakes.small_world import SmallWorld, python_spec
from tests.fakes.specs import a_parameter, a_task, output_of

NUMBER = {"Output": a_parameter("NUMBER_INTEGER")}
# Leaves its own process id and those of two children, one that it forks and one that it starts, in the world.
HANG = """
def hang() -> int:
    import os, subprocess, time
    place = os.environ["WORLD"]
    forked = os.fork()
    if forked == 0:
        time.sleep(60)
        os._exit(0)
    for pid in (forked, subprocess.Popen(["sleep", "60"]).pid, os.getpid()):
        open(os.path.join(place, str(pid)), "w").close()
    time.sleep(60)
    return 1
"""
WORK = """
def work() -> int:
    import time
    from components.world import note
    note("work")
    return 1
"""
UNRULY = {
    "loud": "print('x' * 200_000 + 'the end'); return 1",
    "raising": "print('about to'); raise ValueError('no such thing')",
    "exiting": "import sys; print('leaving'); sys.exit(7)",
    "vanishing": "import os; os.write(1, b'gone\\n'); os._exit(0)",
    "writing": "import os; open(os.environ['WORLD'] + '/elsewhere', 'w').write('x'); return 1",
    "orphaning": "import os, subprocess; p = subprocess.Popen(['sleep', '60'], start_new_session=True); "
    "open(os.path.join(os.environ['WORLD'], str(p.pid)), 'w').close(); return 1",
    "mistaken": "from argosy.errors import Mistake; raise Mistake('wrongly asked')",
}


def one_step_spec(name, code):
    return python_spec({name: code}, {name: ({}, NUMBER)}, {name: a_task(f"comp-{name}")})


def unruly_spec():
    codes = {name: f"def {name}() -> int:\n    {line}\n" for name, line in UNRULY.items()}
    tasks = {name: a_task(f"comp-{name}") for name in codes}
    return python_spec(codes, {name: ({}, NUMBER) for name in codes}, tasks)


def start(world, **env):
    """Start a run of a world's pipeline."""
    command = argosy_command("run", "spec.json")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=world.folder, env=world.env(**env), start_new_session=True, **pipes)


def last_status(world):
    [run] = json.loads(world.argosy("runs", "--output", "json").stdout)
    return run["status"]


@pytest.fixture
def hanging(tmp_path):
    """Return a world whose only step starts children and hangs."""
    return SmallWorld(tmp_path / "project", one_step_spec("hang", HANG))


def three_processes(world):
    return wait_for(lambda: len(found := pids(world.world)) == 3 and found)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_ends_its_steps_and_says_so(hanging, number, code):
    with start(hanging) as run:
        below = three_processes(hanging)
        run.send_signal(number)
        said = run.communicate(timeout=20)[0]

    assert run.returncode == code
    assert "ending the running steps" in said
    assert not [pid for pid in below if is_alive(pid)]
    assert last_status(hanging) == "interrupted"
    assert open_store(str(hanging.store)).paths("steps") == []
    assert not list((hanging.folder / ".argosy" / "scratch").iterdir())


@pytest.mark.slow
def test_a_second_interruption_ends_the_run_at_once_and_its_steps_with_it(tmp_path):
    deaf = HANG.replace("import os,", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); import os,")
    world = SmallWorld(tmp_path / "project", one_step_spec("hang", deaf))
    with start(world) as run:
        below = three_processes(world)
        run.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        began = time.monotonic()
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=20)

    assert run.returncode == -signal.SIGTERM
    assert time.monotonic() - began < 2
    wait_for(lambda: not [pid for pid in below if is_alive(pid)], 5)


def test_killing_only_the_run_ends_everything_below_it(hanging):
    with start(hanging) as run:
        below = three_processes(hanging)
        run.kill()

    wait_for(lambda: not [pid for pid in below if is_alive(pid)], 5)
    assert last_status(hanging) == "unfinished"


def test_after_a_kill_the_next_run_does_not_overlap_and_clears_what_was_left(tmp_path):
    world = SmallWorld(tmp_path / "project", one_step_spec("work", WORK))
    scratch = world.folder / ".argosy" / "scratch"
    with start(world, PAUSE="30") as run:
        wait_for(lambda: (world.world / "log").exists() and world.executions("work"))
        run.kill()

        code, document = world.run(PAUSE="0")

    assert (code, document["status"]) == (0, "succeeded")
    assert world.executions("work") == 2
    assert not world.outside()["overlap"]
    assert list(scratch.iterdir()) == []


def test_two_runs_at_once_execute_each_step_once(tmp_path):
    world = SmallWorld(tmp_path / "project")
    with start(world, PAUSE="0.1") as first, start(world, PAUSE="0.1") as second:
        assert [first.wait(60), second.wait(60)] == [0, 0], first.stdout.read() + second.stdout.read()

    assert [world.executions(event) for event in ("make", "count", "train", "register", "promote")] == [1] * 5
    assert len(world.outside()["versions"]) == 1


@pytest.mark.slow
def test_a_run_that_was_stopped_and_continued_ends_as_if_nothing_had_been(tmp_path):
    world = SmallWorld(tmp_path / "project", one_step_spec("work", WORK))
    with start(world, PAUSE="0.4") as run:
        wait_for(lambda: (world.world / "log").exists() and world.executions("work"))
        run.send_signal(signal.SIGSTOP)
        time.sleep(0.8)
        run.send_signal(signal.SIGCONT)
        assert run.wait(20) == 0

    assert world.executions("work") == 1


def test_a_run_whose_fork_server_is_killed_is_an_outage_and_leaves_no_process(hanging):
    with start(hanging) as run:
        below = three_processes(hanging)
        [server] = {parent(pid) for pid in below} - set(below)
        os.kill(server, signal.SIGKILL)
        said = run.communicate(timeout=20)[0]

    assert run.returncode == 75
    assert "ended while a step ran; run again" in " ".join(said.split())
    wait_for(lambda: not [pid for pid in below if is_alive(pid)], 5)


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


@pytest.fixture(scope="module")
def unruly(tmp_path_factory):
    """Return a world in which every step misbehaved in its own way, and the result of its run."""
    world = SmallWorld(tmp_path_factory.mktemp("unruly") / "project", unruly_spec())
    code, document = world.run()
    return world, code, document


def test_unruly_steps_fail_one_by_one_and_the_others_run(unruly):
    _, code, document = unruly

    assert code in {1, 2}
    assert {step["name"]: (step["status"], step["error"]) for step in document["steps"]} == {
        "loud": ("ran", None),
        "writing": ("ran", None),
        "orphaning": ("ran", None),
        "raising": ("failed", "ValueError: no such thing"),
        "exiting": ("failed", "the step's code exited with 7"),
        "vanishing": ("failed", "vanishing: its process ended before its function returned, so nothing of it is kept"),
        "mistaken": ("failed", "wrongly asked"),
    }


def test_no_process_of_unruly_steps_is_left(unruly):
    world, _, _ = unruly

    assert not [pid for pid in pids(world.world) if is_alive(pid)]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("loud", "xthe end\n"),
        ("raising", "ValueError: no such thing\n"),
        ("exiting", "leaving\n"),
        ("vanishing", "gone\n"),
    ],
)
def test_what_a_step_said_is_shown(unruly, step, said):
    world, _, document = unruly

    answer = world.argosy("logs", document["run"], step)

    assert answer.returncode == 0
    assert answer.stdout.endswith(said)
    assert len(answer.stdout) > 200_000 or step != "loud"


def test_a_log_that_is_not_there_is_a_mistake(unruly):
    world, _, document = unruly

    answer = world.argosy("logs", document["run"], "nothing")

    assert answer.returncode == 2
    assert f"step 'nothing' is not in {document['run']}" in answer.stderr


@pytest.mark.slow
def test_the_log_of_a_reused_step_is_shown(unruly):
    world, _, _ = unruly

    world.run("--only", "loud")

    assert world.argosy("logs", "@latest", "loud").stdout.endswith("xthe end\n")


def test_a_small_project_runs_from_its_source_and_an_unchanged_run_executes_nothing(tmp_path):
    folder = a_project(tmp_path / "project")

    first = argosy(folder, "run", "small", "--output", "json")
    second = argosy(folder, "run", "small", "-p", "n=3")
    write_files(folder, {"components/arithmetic.py": "def twice(n):\n    return 3 * n\n"})
    third = json.loads(argosy(folder, "run", "small", "--output", "json").stdout)

    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["steps"][1]["outputs"] == {"Output": 12}
    assert second.stdout.startswith("nothing executed: 2 steps stand as they were")
    assert [(step["status"], step["outputs"]["Output"]) for step in third["steps"]] == [("ran", 9), ("ran", 27)]
    assert "source components/arithmetic.py changed" in third["steps"][0]["reason"]


def test_a_chain_of_outputs_reaches_the_last_step(tmp_path):
    codes = {"one": "def one() -> int:\n    return 1\n", "two": "def two(n: int) -> int:\n    return n + 1\n"}
    slots = {"one": ({}, NUMBER), "two": ({"n": a_parameter("NUMBER_INTEGER")}, NUMBER)}
    tasks = {"one": a_task("comp-one"), "two": a_task("comp-two", n=output_of("one"))}
    world = SmallWorld(tmp_path / "project", python_spec(codes, slots, tasks, waits={"two": ["one"]}))

    code, document = world.run("--only", "two")

    assert code == 0
    assert document["steps"][-1]["outputs"] == {"Output": 2}
