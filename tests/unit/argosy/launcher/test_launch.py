import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from argosy.launcher import effects
from argosy.launcher.launch import find_record
from argosy.launcher.refs import move_ref, read_ref, release_hold, roll_back
from argosy.launcher.step import Output
from tests.fakes.launching import a_step, execute
from tests.fakes.projects import ROOT, project_env

COUNT = "def step(place: str, wait: float = 0.0) -> int:\n    {}\n    return 1\n"
TALLY = "import os, time, uuid; open(os.path.join(place, uuid.uuid4().hex), 'w').close(); time.sleep(wait)"
NONDETERMINISTIC = "def step() -> str:\n    import uuid\n    return uuid.uuid4().hex\n"
UNRETURNED = "step: its process ended before its function returned, so nothing of it is kept"
KILLED = "the step's process was killed (signal 9), perhaps for lack of memory"
WRITE = "def step(text: str, out: Output[Model]):\n    open(out.path, 'w').write(text)\n"


@pytest.fixture
def tally(tmp_path):
    """Return a folder in which every execution of a counted step leaves a file."""
    place = tmp_path / "tally"
    place.mkdir()
    return place


def counted(place, *, wait=0.0, line="pass", **more):
    """Return a step that leaves a file in a folder each time that its code runs."""
    code = COUNT.format(f"{TALLY}; {line}")
    return a_step(code, inputs={"place": str(place), "wait": wait}, **more)


def executions(place):
    return len(list(place.iterdir()))


def damage(lab, output):
    """Flip a byte of an artifact's largest blob, keeping its size."""
    sha256 = max(output.value.blobs, key=lambda blob: (blob != output.value.digest[7:], output.value.blobs[blob]))
    path = lab.store.blob_file(sha256)
    path.chmod(0o644)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def model(lab, text="weights"):
    outcome = lab.launch(a_step(WRITE, name="train", inputs={"text": text}, outputs={"out": "system.Model"}))
    return outcome.outputs["out"], outcome.outputs["out"].as_input(outcome.key, "out")


# Plain steps


def test_a_second_run_reuses_the_first(lab, tally):
    first, second = lab.launch(counted(tally)), lab.launch(counted(tally, name="renamed"))

    assert (first.status, second.status) == ("ran", "reused")
    assert second.outputs == first.outputs
    assert second.log == first.log
    assert executions(tally) == 1


def test_looking_says_what_launching_would_reuse(lab, tally):
    assert lab.look(counted(tally)) is None
    lab.launch(counted(tally))

    assert lab.look(counted(tally)).status == "reused"


def test_a_twin_waits_and_takes_the_result(lab, tally):
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: lab.launch(counted(tally, wait=0.2)), range(4)))

    assert sorted(outcome.status for outcome in outcomes) == ["ran", "reused", "reused", "reused"]
    assert executions(tally) == 1


def test_twins_without_a_common_claim_commit_once(lab, tally, tmp_path):
    def elsewhere(number):
        return lab.launch(counted(tally, wait=0.2), state=tmp_path / f"machine-{number}")

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(elsewhere, range(3)))

    assert executions(tally) == 3
    assert len(lab.records(outcomes[0])) == 1
    assert lab.store.paths("audit") == []


def test_a_twin_with_another_result_adopts_the_first_and_is_put_on_record(lab, tmp_path):
    barrier = threading.Barrier(2)

    def together(request, **more):
        code = execute(request, **more)
        barrier.wait()
        return code

    with ThreadPoolExecutor(2) as pool:
        step = a_step(NONDETERMINISTIC, outputs={"Output": "STRING"})
        first, second = pool.map(
            lambda n: lab.launch(step, state=tmp_path / f"machine-{n}", execute=together), range(2)
        )

    assert first.outputs == second.outputs
    [path] = lab.store.paths("audit")
    event = lab.store.read_json(path)
    assert (event["step"], event["outputs"], len(set(event["runs"]))) == ("step", ["Output"], 2)


def test_differing_measurements_are_no_nondeterminism(lab, tmp_path):
    barrier = threading.Barrier(2)

    def together(request, **more):
        code = execute(request, **more)
        barrier.wait()
        return code

    step = a_step(NONDETERMINISTIC, outputs={"Output": "STRING"}, measurements=["Output"])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: lab.launch(step, state=tmp_path / f"machine-{n}", execute=together), range(2)))

    assert lab.store.paths("audit") == []


def test_damage_makes_the_step_run_and_equal_bytes_repair_it(lab):
    step = a_step(WRITE, inputs={"text": "weights"}, outputs={"out": "system.Model"})
    first = lab.launch(step)

    damage(lab, first.outputs["out"])
    second, third = lab.launch(step), lab.launch(step)

    assert [each.status for each in (first, second, third)] == ["ran", "ran", "reused"]
    assert second.outputs == first.outputs
    assert len(lab.records(first)) == 1


def test_damage_that_a_run_does_not_repair_makes_the_next_generation(lab):
    code = "def step(out: Output[Model]):\n    import uuid\n    open(out.path, 'w').write(uuid.uuid4().hex)\n"
    step = a_step(code, outputs={"out": "system.Model"})
    first = lab.launch(step)

    damage(lab, first.outputs["out"])
    second, third = lab.launch(step), lab.launch(step)

    assert [each.status for each in (first, second, third)] == ["ran", "ran", "reused"]
    assert third.outputs == second.outputs != first.outputs
    assert [path[-13:] for path in lab.records(first)] == ["00000001.json", "00000002.json"]


@pytest.mark.parametrize("torn", [b"", b'{"outputs": {}}'])
def test_a_damaged_record_is_a_miss(lab, torn):
    first = lab.launch(a_step())
    lab.store.write(lab.records(first)[0], torn)

    assert lab.launch(a_step()).status == "ran"
    assert find_record(lab.store, first.key)[0] == 2


def test_a_value_that_was_flipped_in_a_record_is_no_silent_hit(lab):
    step = a_step("def step() -> float:\n    return 0.83\n", outputs={"Output": "NUMBER_DOUBLE"})
    [path] = lab.records(lab.launch(step))
    lab.store.write(path, lab.store.read(path).replace(b"0.83", b"0.93"))

    again = lab.launch(step)

    assert (again.status, again.values()) == ("ran", {"Output": 0.83})


def test_force_makes_the_next_generation_and_others_reuse_it(lab):
    step = a_step(NONDETERMINISTIC, outputs={"Output": "STRING"})
    first = lab.launch(step)

    forced = lab.launch(step, forced=frozenset(["step"]))

    assert forced.status == "ran"
    assert forced.outputs != first.outputs
    assert lab.launch(step).outputs == forced.outputs
    assert len(lab.records(first)) == 2
    assert lab.store.paths("audit") == []


def test_a_step_without_a_cache_always_runs(lab, tally):
    for _ in range(2):
        assert lab.launch(counted(tally, cache=False)).status == "ran"

    assert executions(tally) == 2


def test_a_failed_step_leaves_nothing_but_its_log_and_runs_again(lab, tally):
    step = counted(tally, line="print('before'); raise ValueError('no')")

    first, second = lab.launch(step), lab.launch(step)

    assert (first.status, first.exit_code, first.error) == ("failed", 1, "ValueError: no")
    assert lab.log(first).startswith("before\nTraceback")
    assert (executions(tally), second.status) == (2, "failed")
    assert lab.store.paths("steps") == lab.store.paths("effects") == lab.scratch() == []


@pytest.mark.parametrize(
    ("line", "exit_code", "error"),
    [
        ("import argosy.errors as e; raise e.Mistake('asked wrong')", 2, "asked wrong"),
        ("import argosy.errors as e; raise e.BadInput('bad file')", 2, "bad file"),
        ("import argosy.errors as e; raise e.Refused('held')", 3, "held"),
        ("import argosy.errors as e; raise e.Outage('no answer')", 75, "no answer"),
        ("import sys; sys.exit(7)", 1, "the step's code exited with 7"),
        ("import sys; sys.exit('why')", 1, "the step's code exited with 'why'"),
        ("import sys; sys.exit(0)", 1, UNRETURNED),
        ("import os; os._exit(9)", 1, "the step's process exited with 9"),
        ("import os; os._exit(0)", 1, UNRETURNED),
        ("import os; os.kill(os.getpid(), 9)", 1, KILLED),
        ("import os; os.kill(os.getpid(), 11)", 1, "the step's process crashed (signal 11, SIGSEGV)"),
        ("raise KeyboardInterrupt", 1, "KeyboardInterrupt"),
        ("import no_such_module", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_how_a_step_ends_is_its_exit_code_and_its_error(lab, line, exit_code, error):
    outcome = lab.launch(a_step(f"def step() -> int:\n    {line}\n"))

    assert (outcome.status, outcome.exit_code, outcome.error) == ("failed", exit_code, error)
    assert lab.records(outcome) == []


@pytest.mark.parametrize(
    "handler", ["pass", "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))"]
)
def test_a_step_that_takes_too_long_is_ended_and_told_so(lab, handler):
    code = f"def step() -> int:\n    import time; {handler}\n    time.sleep(60)\n    return 1\n"
    began = time.monotonic()

    outcome = lab.launch(a_step(code, timeout_s=0.2))

    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert outcome.error == "the step's process took longer than its 0.2 s and was ended"
    assert outcome.seconds >= 0.2
    assert time.monotonic() - began < 4


def test_a_lot_of_output_is_kept(lab):
    outcome = lab.launch(a_step("def step() -> int:\n    import os\n    os.system('seq 100000')\n    return 1\n"))

    assert outcome.status == "ran"
    assert len(lab.log(outcome)) > 500_000


# Observed steps run in the planner's own process: here in one that may import kfp as steps do.

OBSERVING = """
import json, os, sys
from pathlib import Path
from tests.fakes.launching import Lab, a_step
lab = Lab(Path(sys.argv[1]))
lab.write("pkg/__init__.py", "")
lab.write("pkg/world.py", "def look(): return 5")
os.environ["LEVEL"], path = "before", list(sys.path)
lines = {
    "twice": "from pkg.world import look; print('seen'); return look()",
    "value error": "raise ValueError('no')",
    "exit": "raise SystemExit(4)",
    "outage": "from argosy.errors import Outage; raise Outage('no answer')",
    "nothing": "pass",
    "environment": "from os import environ as e; assert [e['LEVEL'], e['ARGOSY_INPUTS']] == ['inside', '{}']; return 1",
}
found = {}
for name in ["twice", *lines]:
    step = a_step(f"def step() -> int:\\n    {lines[name]}\\n", kind="observe", env={"LEVEL": "inside"})
    outcome = lab.launch(step)
    found[name] = [outcome.status, outcome.exit_code, outcome.error, outcome.values()]
left = [os.environ["LEVEL"], "ARGOSY_INPUTS" in os.environ, sys.path == path]
print(json.dumps({"found": found, "left": left, "stored": lab.store.paths("steps"), "scratch": len(lab.scratch())}))
"""


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """Return how a few observing steps ended, and what they left."""
    folder = tmp_path_factory.mktemp("observed") / "project"
    command = [sys.executable, "-c", OBSERVING, str(folder)]
    answer = subprocess.run(command, cwd=ROOT, env=project_env(ROOT), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_an_observed_step_always_runs_and_leaves_no_record(observed):
    assert observed["found"]["twice"] == ["observed", 0, "", {"Output": 5}]
    assert (observed["stored"], observed["scratch"]) == ([], 0)


@pytest.mark.parametrize(
    ("name", "exit_code", "error"),
    [
        ("value error", 1, "ValueError: no"),
        ("exit", 1, "the step's code exited with 4"),
        ("outage", 75, "no answer"),
        ("nothing", 1, "step: returned no value for its output 'Output'"),
    ],
)
def test_an_observed_step_that_fails_is_an_outcome_not_an_end_of_the_planner(observed, name, exit_code, error):
    assert observed["found"][name] == ["failed", exit_code, error, {}]


def test_an_observed_step_leaves_the_process_as_it_was(observed):
    assert observed["found"]["environment"][0] == "observed"
    assert observed["left"] == ["before", False, True]


# Facts


def fact(lab, tally, digest, *, line="pass", **more):
    return counted(
        tally,
        line=line,
        kind="fact",
        name="register",
        natural_key=("place",),
        measurements=["Output"],
        salt=digest,
        **more,
    )


def test_a_fact_is_done_once_even_if_its_code_changes(lab, tally):
    first = lab.launch(fact(lab, tally, "one"))
    second = lab.launch(fact(lab, tally, "two", line="changed = 1"))

    assert (first.status, second.status) == ("ran", "reused")
    assert first.key != second.key
    assert second.outputs == first.outputs == {"Output": Output(1, measured=True)}
    assert executions(tally) == 1
    assert lab.store.paths("steps") == []


def test_a_fact_that_failed_is_tried_again(lab, tally):
    failed = lab.launch(fact(lab, tally, "one", line="raise OSError('registry')"))
    path = effects.effect_path("step", {"place": str(tally)})
    intent = lab.store.read_json(path)

    done = lab.launch(fact(lab, tally, "two"))

    assert (failed.status, intent["state"], intent["key"]) == ("failed", "intent", {"place": str(tally)})
    assert (done.status, lab.store.read_json(path)["state"]) == ("ran", "done")


def test_a_fact_is_told_its_place_in_the_ledger(lab, tally):
    line = "assert os.environ['ARGOSY_EFFECT'].startswith('effects/step/')"

    assert lab.launch(fact(lab, tally, "one", line=line)).status == "ran"


def test_force_looks_outside_again(lab, tally):
    lab.launch(fact(lab, tally, "one"))

    assert lab.launch(fact(lab, tally, "one"), forced=frozenset(["register"])).status == "ran"
    assert executions(tally) == 2


def test_two_facts_of_one_key_at_once_act_once(lab, tally):
    with ThreadPoolExecutor(3) as pool:
        statuses = list(pool.map(lambda n: lab.launch(fact(lab, tally, str(n))).status, range(3)))

    assert sorted(statuses) == ["ran", "reused", "reused"]
    assert executions(tally) == 1


def test_a_fact_whose_artifact_is_damaged_is_no_silent_hit(lab):
    step = a_step(WRITE, inputs={"text": "x" * 99}, outputs={"out": "system.Model"}, kind="fact", natural_key=("text",))
    first = lab.launch(step)

    damage(lab, first.outputs["out"])

    assert lab.launch(step).status == "ran"
    assert lab.launch(step).status == "reused"


# Moves

REF = "flights/champion"
MOVE = """
def step(model: Input[Model], champion: Input[Model], ref: str) -> NamedTuple('Promoted', verdict=dict):
    import json, os
    {}
    return ({{'verdict': 'promoted', 'ok': True, 'reasons': [], 'told': json.loads(os.environ['ARGOSY_REF'])}},)
"""
NONE = "def step(out: Output[Model]):\n    import os; os.mkdir(out.path)\n"


def no_model(lab):
    outcome = lab.launch(a_step(NONE, name="observe", outputs={"out": "system.Model"}))
    return outcome.outputs["out"].as_input(outcome.key, "out")


def move(candidate, champion, line="pass"):
    return a_step(
        MOVE.format(line),
        name="promote",
        kind="move",
        inputs={"model": candidate, "champion": champion, "ref": REF},
        outputs={"verdict": "STRUCT"},
        natural_key=("ref", "model", "champion"),
    )


def verdict(outcome):
    return outcome.outputs["verdict"].value["verdict"]


@pytest.fixture
def models(lab):
    """Return two models as outputs and inputs, and the input that says there is none."""
    return {"none": no_model(lab), "a": model(lab, "a")[1], "b": model(lab, "b")[1], "c": model(lab, "c")[1]}


def test_a_move_promotes_and_is_told_the_generation_that_it_made(lab, models):
    outcome = lab.launch(move(models["a"], models["none"]))

    told = outcome.outputs["verdict"].value["told"]
    assert (outcome.status, verdict(outcome)) == ("ran", "promoted")
    assert (told["name"], told["generation"], told["target"]) == (REF, 1, models["a"].identity)
    assert read_ref(lab.store, REF).target == models["a"].identity


def test_an_unchanged_move_is_reused(lab, models):
    first = lab.launch(move(models["a"], models["none"]))
    second = lab.launch(move(models["a"], models["none"]))

    assert (second.status, second.outputs) == ("reused", first.outputs)
    assert read_ref(lab.store, REF).generation == 1


def test_a_move_whose_projection_failed_is_finished_by_the_next_run_without_another_generation(lab, models):
    failed = lab.launch(move(models["a"], models["none"], line="raise OSError('registry')"))
    assert (failed.status, read_ref(lab.store, REF).generation) == ("failed", 1)

    finished = lab.launch(move(models["a"], models["none"]))

    assert (finished.status, read_ref(lab.store, REF).generation) == ("ran", 1)
    assert lab.launch(move(models["a"], models["none"])).status == "reused"


def test_a_move_against_an_older_champion_is_superseded(lab, models):
    lab.launch(move(models["a"], models["none"]))
    lab.launch(move(models["b"], models["a"]))

    outcome = lab.launch(move(models["c"], models["a"]))

    assert (outcome.status, outcome.exit_code, verdict(outcome)) == ("skipped", 3, "superseded")
    assert "run again" in outcome.reason
    assert read_ref(lab.store, REF).target == models["b"].identity


def test_a_move_that_is_overtaken_between_look_and_claim_is_superseded(lab, models):
    def overtake(point):
        if point == "before move":
            move_ref(lab.store, REF, models["b"].identity, expected=None, cause={})

    outcome = lab.launch(move(models["a"], models["none"]), hook=overtake)

    assert (outcome.status, outcome.exit_code, verdict(outcome)) == ("skipped", 3, "superseded")
    assert lab.store.paths("effects") == []


def test_after_a_rollback_an_unchanged_run_keeps_what_was_brought_back(lab, models):
    lab.launch(move(models["a"], models["none"]))
    lab.launch(move(models["b"], models["a"]))
    roll_back(lab.store, REF, cause={})

    outcome = lab.launch(move(models["b"], models["a"]))

    assert (outcome.status, outcome.exit_code, verdict(outcome)) == ("skipped", 3, "held")
    assert "`argosy release` lifts the hold" in outcome.reason
    assert read_ref(lab.store, REF).target == models["a"].identity

    release_hold(lab.store, REF, models["b"].identity, cause={})
    assert verdict(lab.launch(move(models["b"], models["a"]))) == "promoted"
    assert read_ref(lab.store, REF).target == models["b"].identity


def test_force_does_not_move_what_is_held(lab, models):
    lab.launch(move(models["a"], models["none"]))
    lab.launch(move(models["b"], models["a"]))
    roll_back(lab.store, REF, cause={})

    assert verdict(lab.launch(move(models["b"], models["a"]), forced=frozenset(["promote"]))) == "held"


def test_of_two_moves_at_once_one_is_superseded(lab, models):
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda name: lab.launch(move(models[name], models["none"])), "ab"))

    assert sorted(verdict(outcome) for outcome in outcomes) == ["promoted", "superseded"]
    assert read_ref(lab.store, REF).generation == 1


# Deployments


def deployment(digest):
    return a_step(kind="deployment", natural_key=("model",), inputs={"model": digest}, measurements=["Output"])


def test_without_a_server_a_deployment_is_skipped(lab):
    outcome = lab.launch(deployment("sha256:m"))

    assert (outcome.status, outcome.exit_code) == ("skipped", 0)
    assert "`argosy serve` starts one" in outcome.reason


def test_a_deployment_is_reused_while_the_server_serves_the_digest(lab, answering):
    lab.env = {"ARGOSY_SERVING_URL": answering(b'{"model": "sha256:m"}')}

    assert lab.launch(deployment("sha256:m")).status == "reused"
    assert lab.look(deployment("sha256:other")) is None


# Points where kill tests stop the process


def test_every_effect_has_a_point_before_and_after_it(lab, models, tally):
    points = []
    lab.launch(a_step(), hook=points.append)
    lab.launch(fact(lab, tally, "one"), hook=points.append)
    lab.launch(move(models["a"], models["none"]), hook=points.append)

    assert points == [
        "before work", "before commit", "after commit", "before work", "before done", "after done",
        "before move", "after move", "before work", "before done", "after done",
    ]  # fmt: skip


def test_a_record_says_what_was_keyed_and_who_made_it(lab):
    outcome = lab.launch(replace(a_step(), name="make"))

    _, record = find_record(lab.store, outcome.key)
    assert (record["step"], record["run"], record["log"]) == ("make", f"run-{lab.runs}", outcome.log)
    assert json.loads(json.dumps(record["key"]))["outputs"] == {"Output": "NUMBER_INTEGER"}
