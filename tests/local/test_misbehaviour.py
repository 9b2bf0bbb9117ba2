"""Steps whose code misbehaves, by the front door: the log is kept, the message says why, nothing else is left."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from argosy.launcher.store import open_store
from tests.fakes.misbehaving import FILE, Misbehaving, Pipeline
from tests.fakes.processes import wait_for
from tests.fakes.projects import argosy_command, git_init
from tests.fakes.specs import artifact_of

NO_RETURN = "its process ended before its function returned, so nothing of it is kept"
OUT_OF_MEMORY = r"was killed \(signal 9\), perhaps for lack of memory"
# What a Python component does; what its error says; what its last lines hold.
PYTHON = {
    "error-without-text": (
        "class Odd(Exception):\n    def __str__(self): raise RuntimeError('no text')\nraise Odd; return 1",
        r"^Odd: \(its message cannot be shown: that raises RuntimeError\)$", "raise Odd",
    ),
    "error-in-colour": (
        "raise ValueError('größe \\u2603 \\x1b[31mred\\x1b[0m \\udcff\\0 end'); return 1",
        r"^ValueError: größe ☃ red \\udcff end$", "größe ☃ red \\udcff end",
    ),
    "error-of-megabytes": (
        "raise ValueError('m' * 10_000_000); return 1", r"^ValueError: m{4000}… \(9,996,000 more characters\)$", "mmmm",
    ),
    "not-an-exception": ("class Base(BaseException): pass\nraise Base('b'); return 1", "^Base: b$", "Base: b"),
    "interrupt-of-its-own": ("raise KeyboardInterrupt; return 1", "^KeyboardInterrupt$", "raise KeyboardInterrupt"),
    "too-deep": ("def f(): return f()\nf(); return 1", "^RecursionError: maximum", "RecursionError"),
    "group": (
        "raise ExceptionGroup('both', [ValueError('a'), TypeError('b')]); return 1",
        r"^ExceptionGroup: both \(2 sub-exceptions\)$", "TypeError: b",
    ),
    "exits-with-0": ("import sys; print('so long'); sys.exit(0); return 1", NO_RETURN, "so long"),
    "exits-with-3": ("import sys; print('so long'); sys.exit(3); return 1", "the step's code exited with 3", "so long"),
    "exits-with-text": ("import sys; sys.exit('bye'); return 1", "the step's code exited with 'bye'", ""),
    "vanishes-with-0": ("import os; os.write(1, b'gone'); os._exit(0); return 1", NO_RETURN, "gone"),
    "vanishes-with-75": ("import os; os.write(1, b'gone'); os._exit(75); return 1", "process exited with 75$", "gone"),
    "vanishes-half-way": ("import os\nopen(data.path, 'w').write('half'); os._exit(0)", NO_RETURN, ""),
    "aborts": ("import os; os.abort(); return 1", r"crashed \(signal 6, SIGABRT\)", ""),
    "crashes": ("import os; os.kill(os.getpid(), 11); return 1", r"crashed \(signal 11, SIGSEGV\)", ""),
    "is-killed": ("import os; print('big', flush=True); os.kill(os.getpid(), 9); return 1", OUT_OF_MEMORY, "big"),
    "closes-its-streams": (
        "import sys; sys.stdout.close(); sys.stderr.close(); raise ValueError('unheard'); return 1",
        "^ValueError: unheard$", "",
    ),
    "clears-its-scratch-folder": (
        "import os, shutil; print('tidy'); os.chdir('/')\n"
        "shutil.rmtree(os.path.dirname(os.path.dirname(data.path))); raise ValueError('too tidy')",
        "^ValueError: too tidy$", "tidy",
    ),
    "replaces-its-output-folder": (
        "import os, shutil\nplace = os.path.dirname(data.path); shutil.rmtree(place); open(place, 'w'); os._exit(0)",
        NO_RETURN, "",
    ),
    "gives-a-pipe": ("import os; os.mkfifo(data.path)", "data is neither a file nor a folder", ""),
    "gives-a-socket": (
        "import os, socket; os.chdir(os.path.dirname(data.path)); socket.socket(socket.AF_UNIX).bind('data')",
        "data is neither a file nor a folder", "",
    ),
    "gives-a-circle": ("import os; os.symlink('data', data.path)", "data is neither a file nor a folder", ""),
    "gives-a-circle-inside": (
        "import os; os.mkdir(data.path); os.symlink('a', data.path + '/b'); os.symlink('b', data.path + '/a')",
        "[ab] in data is neither a file nor a folder", "",
    ),
    "gives-the-passwords": (
        "import os; os.symlink('/etc/passwd', data.path)", "'data' cannot be stored: data is a link to /etc/passwd", "",
    ),
    "gives-the-passwords-inside": (
        "import os; os.mkdir(data.path); os.symlink('/etc/passwd', data.path + '/p')", "p is a link to /etc/passwd", "",
    ),
    "gives-an-odd-name": (
        "import os; os.mkdir(data.path); open(os.fsencode(data.path) + b'/\\xff', 'w')", r"'\\udcff' in data: its", "",
    ),
    "loud": (
        "import sys\nfor i in range(30): print('line', i, 'x' * 100_000)\n"
        "sys.stdout.buffer.write(b'\\xff\\0\\x1b[31mred\\x1b[0m 10 %\\r20 %')\n"
        "sys.stdout.flush(); raise OSError; return 1",
        "^OSError$", "\n20 %Traceback",
    ),
}  # fmt: skip
# What a program does, the same way.
PROGRAMS = {
    f"ends-with-{code}": (f"echo heard; exit {code}", f"exited with {code}$", "heard") for code in (1, 2, 3, 75)
}
PROGRAMS |= {
    "ends-with-126": ("echo heard; exit 126", "exited with 126: a command is there but cannot be run", "heard"),
    "ends-with-127": ("it=no-such-command; $it", "exited with 127: a command was not found", "no-such-command"),
    "ends-with-137": ("sh -c 'kill -9 $$'; exit $?", f"exited with 137: a command of it {OUT_OF_MEMORY}", ""),
    "program-is-killed": ("echo heard; kill -9 $$", f"the step's process {OUT_OF_MEMORY}", "heard"),
    "program-crashes": ("kill -11 $$", r"crashed \(signal 11, SIGSEGV\)", ""),
    "program-is-loud": ("head -c 3000000 /dev/zero; printf '\\033[2Jthe end'; exit 1", "exited with 1$", "the end"),
    "program-clears-its-scratch-folder": ("echo tidy; rm -rf ../*; exit 1", "exited with 1$", "tidy"),
    "program-writes-nonsense": ("echo '[1' > ../out/executor_output.json", "wrote an executor_output.json that", ""),
    "program-writes-a-list": ("echo '[1]' > ../out/executor_output.json", "wrote an executor_output.json that", ""),
}
# What looks like trouble and is none.
HARMLESS = {
    "long-name": "import os; os.mkdir(data.path); open(data.path + '/' + 'n' * 255, 'w')",
    "many-lines-in-a-name": "import os; os.mkdir(data.path); open(data.path + '/a\\nb', 'w')",
    "a-thousand-files": "import os; os.mkdir(data.path)\nfor i in range(1000): open(f'{data.path}/{i}', 'w').close()",
    "another-folder": "import os; os.chdir('/'); return 1",
    "other-modes": "import os; os.chmod('..', 0); os.chmod('../out', 0); return 1",
    "no-environment": "import os; os.environ.clear(); return 1",
    "no-output": "import os, shutil; shutil.rmtree(os.path.dirname(data.path))",
}
DAEMONS = {
    "forks-twice": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(300)\n"
    "    os._exit(0)\nos.wait(); return 1",
    "leaves-a-pool": "import multiprocessing, time\npool = multiprocessing.get_context('fork').Pool(2)\n"
    "pool.apply_async(time.sleep, (300,)); return 1",
    "leaves-a-daemon-thread": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(300,), daemon=True).start(); return 1",
    "starts-a-session": "import subprocess; subprocess.Popen(['sleep', '300'], start_new_session=True); return 1",
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Return a world in which all of this happened in one run, the exit code and the steps by name."""
    pipeline = Pipeline()
    for name, (body, _, _) in PYTHON.items():
        pipeline.python(name, body)
    for name, (script, _, _) in PROGRAMS.items():
        pipeline.program(name, script)
    for name, body in (HARMLESS | DAEMONS).items():
        pipeline.python(name, body)
    pipeline.program("program-leaves-a-session", "setsid sleep 300 & nohup sleep 300 & echo here")
    pipeline.python("in-a-loop", "print('round', item); return 6 // item", takes="item: int", over=[3, 0, 2])
    world = Misbehaving(tmp_path_factory.mktemp("misbehaviour") / "project", pipeline)
    code, document = world.result()
    left = world.left_running()
    return world, code, {step["name"]: step for step in document["steps"]}, left


@pytest.mark.parametrize("name", [*PYTHON, *PROGRAMS])
def test_a_step_that_fails_says_why_and_shows_its_last_lines(ended, name):
    step, (_, error, tail) = ended[2][name], (PYTHON | PROGRAMS)[name]

    assert step["status"] == "failed"
    assert re.search(error, step["error"]), step["error"]
    assert tail in step["tail"], step["tail"]
    assert len(step["tail"]) < 6000
    assert "\x1b" not in step["tail"] + step["error"]


def test_an_undeclared_exit_code_of_a_step_is_1_for_the_run(ended):
    assert ended[1] == 1


@pytest.mark.parametrize("name", [*HARMLESS, *DAEMONS, "program-leaves-a-session"])
def test_what_only_looks_like_trouble_runs(ended, name):
    assert (ended[2][name]["status"], ended[2][name]["error"]) == ("ran", None)


def test_a_round_of_a_loop_fails_alone_and_shows_its_last_lines(ended):
    rounds = [ended[2][f"in-a-loop[{index}]"] for index in range(3)]

    assert [step["status"] for step in rounds] == ["ran", "failed", "ran"]
    assert rounds[1]["error"] == "ZeroDivisionError: integer division or modulo by zero"
    assert rounds[1]["tail"].startswith("round 0\nTraceback")


def test_nothing_is_left_running_nor_half_done(ended):
    world, _, steps, left = ended
    ran = [step for step in steps.values() if step["status"] == "ran"]

    assert left == world.scratch() == world.problems() == []
    records = open_store(str(world.store)).paths("steps")
    assert {path.split("/")[1] for path in records} == {step["key"].removeprefix("sha256:") for step in ran}


def test_a_log_is_kept_to_the_byte_and_comes_back_so(ended):
    world, _, _, _ = ended
    lines = b"".join(b"line %d %s\n" % (i, b"x" * 100_000) for i in range(30))

    said = world.log("loud")

    assert said.startswith(lines + b"\xff\0\x1b[31mred\x1b[0m 10 %\r20 %Traceback")
    assert world.log("program-is-loud") == bytes(3_000_000) + b"\x1b[2Jthe end"


def test_the_reader_of_a_log_may_go_away(ended):
    world, _, _, _ = ended
    command = argosy_command("logs", "@latest", "program-is-loud")
    with subprocess.Popen(command, cwd=world.folder, env=world.env(), stdout=-1, stderr=-1) as logs:
        logs.stdout.close()
        said = logs.stderr.read()

    assert (logs.returncode, said) == (1, b"")


def test_the_summary_and_the_report_of_a_failed_run_show_the_last_lines(tmp_path):
    script = "for i in $(seq 50); do echo line $i; done; printf '<b>\\033[31mred'; exit 1"
    world = Misbehaving(tmp_path / "project", Pipeline().program("talk", script))

    answer = world.argosy("run", FILE)
    report = Path(re.search(r"report: (.*)", answer.stdout)[1]).read_text(encoding="utf-8")

    assert answer.returncode == 1
    assert "Failed at talk" in answer.stdout
    assert "  the last lines of talk (all of them: argosy logs @latest talk)\n" in answer.stdout
    shown = [line.strip() for line in answer.stdout.splitlines() if line.startswith("    ")]
    assert shown == [*(f"line {i}" for i in range(32, 51)), "<b>red"]
    assert "line 50\n&lt;b&gt;red</pre>" in report
    assert "line 31\n" not in report


# Hangs


def test_a_step_that_takes_too_long_is_ended_with_its_children(tmp_path):
    pipeline = Pipeline()
    hang = "import subprocess, time\nsubprocess.Popen(['sleep', '300']); print('on'); time.sleep(300); return 1"
    pipeline.python("hang", hang, deadline_s=0.5)
    pipeline.program("program", "echo on; setsid sleep 300 & sleep 300", deadline_s=0.5)
    pipeline.python("rounds", "import time\ntime.sleep(300 * (item == 2)); return 1", takes="item: int", over=[1, 2],
                    deadline_s=0.5)  # fmt: skip
    world = Misbehaving(tmp_path / "project", pipeline)

    code, document = world.result()

    steps = {step["name"]: step for step in document["steps"]}
    late = "the step's process took longer than its 0.5 s and was ended"
    assert code == 1
    assert {name: step["error"] for name, step in steps.items()} == {
        "hang": late, "program": late, "rounds[0]": None, "rounds[1]": late,
    }  # fmt: skip
    assert steps["hang"]["tail"] == steps["program"]["tail"] == "on"
    assert world.left_running() == world.scratch() == world.problems() == []


DEAF = {
    "python": "import signal, time, subprocess\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "subprocess.Popen(['sleep', '300'])\nprint('on', flush=True); time.sleep(300); return 1",
    # A call into C that holds the interpreter: no handler of Python's would ever run.
    "call": "import ctypes, signal\nsignal.signal(signal.SIGTERM, lambda *_: None)\n"
    "print('on', flush=True); ctypes.PyDLL(None).sleep(300); return 1",
    "stopped": "import os, signal\nprint('on', flush=True); os.kill(os.getpid(), signal.SIGSTOP); return 1",
}


@pytest.mark.slow
@pytest.mark.parametrize("interrupted", [False, True])
def test_steps_that_ignore_that_they_should_end_are_killed_after_a_grace_period(tmp_path, interrupted):
    pipeline = Pipeline()
    for name, body in DEAF.items():
        pipeline.python(name, body, deadline_s=None if interrupted else 1)
    pipeline.program("program", "trap '' TERM; echo on; setsid sleep 300 & sleep 300; sleep 300", deadline_s=None if
                     interrupted else 1)  # fmt: skip
    world = Misbehaving(tmp_path / "project", pipeline)

    with world.start("--output", "json", "--jobs", "4") as run:
        if interrupted:
            logs = (world.folder / ".argosy" / "scratch").rglob
            wait_for(lambda: sum(log.read_bytes() == b"on\n" for log in logs("*.log")) == 4)
            run.send_signal(signal.SIGINT)
        began = time.monotonic()
        run.communicate(timeout=30)

    assert run.returncode == (130 if interrupted else 1)
    assert 4 < time.monotonic() - began < 12
    assert world.left_running() == world.scratch() == world.problems() == []


@pytest.mark.slow
def test_a_thread_that_does_not_end_ends_the_step_after_a_while_and_is_named(tmp_path):
    body = "import threading, time\ndef linger(): time.sleep(300)\nthreading.Thread(target=linger).start(); return 1"
    world = Misbehaving(tmp_path / "project", Pipeline().python("linger", body))

    code, document = world.result()

    [step] = document["steps"]
    assert (code, step["status"]) == (1, "failed")
    assert step["error"] == "returned, but a thread or exit hook of it still ran 30 s later; join it"
    assert "in linger" in step["tail"]
    assert world.left_running() == world.scratch() == world.problems() == []


@pytest.mark.slow
def test_a_log_of_100_megabytes_takes_no_memory(tmp_path):
    body = "for _ in range(1000): print('x' * 100_000)\nraise ValueError('enough'); return 1"
    world = Misbehaving(tmp_path / "project", Pipeline().python("loud", body))
    measure = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=-3);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )

    def peak_mb(*arguments):
        command = [sys.executable, "-c", measure, *argosy_command(*arguments)]
        return int(subprocess.run(command, cwd=world.folder, env=world.env(), capture_output=True).stdout) / 1000

    assert peak_mb("run", FILE) < 150
    assert peak_mb("logs", "@latest", "loud") < 150
    assert len(world.log("loud")) > 100_000_000


# Writes elsewhere

RAW = {"inputs": {"raw": artifact_of("make", "data")}, "dependentTasks": ["make"]}


@pytest.fixture
def intruded(tmp_path):
    """Return a world in a git repository whose steps write where they should not, and the steps' errors."""
    pipeline = Pipeline().python("make", "import os\nos.mkdir(data.path); open(data.path + '/rows', 'w').write('rows')")
    project, store = "os.environ['ARGOSY_PROJECT'] + ", "os.environ['ARGOSY_STORE'] + "
    taken = {"takes": "raw: Input[Dataset]"} | RAW
    pipeline.python("input", "open(raw.path + '/rows', 'w').write('spoilt'); return 1", **taken)
    script = "chmod u+w $0/rows; echo spoilt > $0/rows"
    pipeline.program("program", script, words=["{{$.inputs.artifacts['raw'].path}}"], **RAW)
    pipeline.python("tracked", f"import os\nopen({project}'/tracked', 'w').write('x'); return 1")
    pipeline.python("source", "from components import world\nopen(world.__file__, 'a').write('x'); return 1")
    pipeline.python("store", f"import os\nopen({store}'/steps/00000001.json', 'w').write('x'); return 1")
    pipeline.python("read", "return len(open(raw.path + '/rows').read())", **taken)
    world = Misbehaving(tmp_path / "project", pipeline)
    (world.folder / "tracked").write_text("tracked")
    git_init(world.folder)
    subprocess.run(["git", "add", "."], cwd=world.folder, check=True)
    _, document = world.result("--jobs", "1")
    return world, {step["name"]: step["error"] for step in document["steps"]}


def test_a_step_that_writes_elsewhere_fails_and_what_it_aimed_at_is_as_it_was(intruded):
    world, errors = intruded
    changed = subprocess.run(["git", "diff", "--stat"], cwd=world.folder, capture_output=True, check=True).stdout

    assert (errors["make"], errors["read"]) == (None, None)
    assert errors["input"] == "input: wrote into its inputs (rows); copy what has to change"
    assert errors["program"] == "program: wrote into its inputs (rows); copy what has to change"
    assert errors["tracked"].startswith("open of tracked: it is not in the step's source closure")
    assert "components/world.py for writing: it is the step's source" in errors["source"]
    assert "for writing: the store is written by the launcher alone" in errors["store"]
    assert changed == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="a file's owner may make it writable, but for root inputs are copies")
def test_after_writes_into_inputs_the_store_is_sound(intruded):
    assert intruded[0].problems() == []


# Full disks

FILL = "open(data.path, 'wb').write(b'x' * 12_000_000)"
FINE = "print('fine'); return 1"


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 8 MB for one test."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True)
    if mount.returncode:
        pytest.skip("no file system can be mounted here; it takes root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("python", FILL),
        pytest.param("python", "print('y' * 12_000_000); return 1", marks=pytest.mark.slow),
        pytest.param("program", "head -c 12000000 /dev/zero > big", marks=pytest.mark.slow),
        ("program", "yes | head -c 12000000"),
    ],
    ids=["output", "log", "work", "log-of-a-program"],
)
def test_a_step_that_fills_the_disk_of_its_scratch_folder_says_so(tmp_path, small_disk, kind, what):
    pipeline = getattr(Pipeline(), kind)("fill", what)
    world = Misbehaving(tmp_path / "project", pipeline)
    env = {"ARGOSY_STATE": str(small_disk), "ARGOSY_STORE": str(world.store)}

    code, document = world.result(**env)

    [step] = document["steps"]
    assert (code, step["status"]) == (1, "failed")
    assert re.search(rf"; its disk is full: free some space, .*\({small_disk}/\S* has no room\)", step["error"])
    assert step["log"]
    assert world.problems(**env) == []
    world.write(Pipeline().python("fine", FINE))
    assert world.result(**env)[0] == 0


@pytest.mark.parametrize(
    "what", [FILL, pytest.param("print('y' * 12_000_000); return 1", marks=pytest.mark.slow)], ids=["output", "log"]
)
def test_a_store_without_room_is_an_outage_that_leaves_nothing_half_done(tmp_path, small_disk, what):
    world = Misbehaving(tmp_path / "project", Pipeline().python("fill", what))
    env = {"ARGOSY_STATE": str(world.folder / ".argosy"), "ARGOSY_STORE": str(small_disk / "store")}

    code, document = world.result(**env)
    staged = list((small_disk / "store" / "staging").iterdir())
    problems = world.problems(**env)
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)

    [step] = document["steps"]
    assert (code, step["status"]) == (75, "failed")
    assert re.search(
        f"store {small_disk}/store: no room is left: free some space .*No space left on device", step["error"]
    )
    assert staged == problems == []
    assert world.result(**env)[0] == 0
    assert world.problems(**env) == []


@pytest.mark.parametrize("where", ["ARGOSY_STORE", "ARGOSY_STATE"])
def test_a_disk_that_was_full_before_is_an_outage_until_there_is_room(tmp_path, small_disk, where):
    world = Misbehaving(tmp_path / "project", Pipeline().python("fine", FINE))
    env = {"ARGOSY_STATE": str(world.folder / ".argosy"), "ARGOSY_STORE": str(world.store)} | {where: str(small_disk)}
    fill(small_disk)

    with world.start(**env) as run:
        said = run.communicate(timeout=30)[1].decode()
    (small_disk / "ballast").unlink()

    assert run.returncode == 75
    assert said.count("\n") == 1, said
    assert str(small_disk) in said
    assert "free some space and run again" in said
    assert world.result(**env)[0] == 0
    assert world.problems(**env) == []


@pytest.mark.parametrize(
    ("where", "code", "said_why"),
    [
        ("ARGOSY_STORE", 75, "fill store .*: no room is left: free some space"),
        (
            "ARGOSY_STATE",
            1,
            r"(?s)fill the step's process exited with 1; its disk is full: .*Failed at fill.*report: not",
        ),
    ],
)
def test_a_disk_that_fills_up_behind_a_step_is_named_and_what_is_done_is_kept(
    tmp_path, small_disk, where, code, said_why
):
    # The step itself fills the disk and goes away; what the launcher still has to write finds no room.
    ballast = f"import os\nos.system('head -c 12000000 /dev/zero > {small_disk}/ballast 2>/dev/null'); return 1"
    world = Misbehaving(tmp_path / "project", Pipeline().python("fill", ballast))
    env = {"ARGOSY_STATE": str(world.folder / ".argosy"), "ARGOSY_STORE": str(world.store)} | {where: str(small_disk)}

    with world.start(**env) as run:
        said = b"".join(reversed(run.communicate(timeout=30))).decode()
    (small_disk / "ballast").unlink()

    assert run.returncode == code
    assert re.search(said_why, said), said
    assert "Traceback" not in said
    assert world.problems(**env) == []
    world.write(Pipeline().python("fine", FINE))
    assert world.result(**env)[0] == 0


def test_a_limit_on_the_size_of_files_is_named(tmp_path):
    pipeline = Pipeline().python("python", FILL).program("program", "exec head -c 12000000 /dev/zero > big")
    world = Misbehaving(tmp_path / "project", pipeline)
    limited = ["bash", "-c", 'ulimit -f 4000; exec "$@"', "limited", *argosy_command("run", FILE)]

    answer = subprocess.run(limited, cwd=world.folder, env=world.env(), capture_output=True, text=True)

    assert answer.returncode == 1
    assert "OSError: [Errno 27] File too large" in answer.stderr
    assert "was ended by signal 25 (SIGXFSZ)" in answer.stderr
    assert world.problems() == []


def fill(disk):
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return
