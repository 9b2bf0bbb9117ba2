from argosy.local.reasons import last_keys, reason_to_run, remember_keys
from tests.fakes.launching import a_step
from tests.fakes.plans import a_task, run


def test_why_a_step_runs_is_told_from_its_last_key(lab):
    outcome = lab.launch(a_step(inputs={"n": 1}, code="def step(n: int) -> int:\n    return n\n"))
    again = lab.job(a_step(inputs={"n": 1}, code="def step(n: int) -> int:\n    return n\n"))
    changed = lab.job(a_step(inputs={"n": 2}, code="def step(n: int) -> int:\n    return n\n"))

    assert reason_to_run(changed, None) == "never ran here"
    assert reason_to_run(changed, outcome.key) == "input n changed"
    assert reason_to_run(again, outcome.key) == "its stored result is missing or damaged"
    assert reason_to_run(changed, "sha256:" + "0" * 64) == "its last record is gone"


def test_a_forced_step_is_said_to_be_forced(lab):
    assert reason_to_run(lab.job(a_step(), forced=frozenset(["step"])), None) == "forced"


def test_a_fact_that_runs_again_is_said_to_hold_no_longer(lab):
    job = lab.job(a_step(kind="fact"))

    assert reason_to_run(job, job.key.digest) == "what it did no longer holds"


def test_many_changes_are_counted_after_the_first_four(lab):
    code = "def step(**n: int) -> int:\n    return 1\n"
    before = lab.launch(a_step(code.replace("**n", "a"), inputs={"a": 1}))
    job = lab.job(a_step(code, inputs={name: 2 for name in "abcdef"}))

    assert reason_to_run(job, before.key).endswith(" and 3 more")


def test_keys_are_remembered_per_pipeline_and_those_of_steps_not_reached_stay(lab):
    ended = run(lab, a_task("one", "def step() -> int:\n    return 1\n"))

    remember_keys(lab.state, "small", ended.outcomes)
    remember_keys(lab.state, "small", {})

    assert last_keys(lab.state, "small") == {"one": ended.outcomes["one"].key}
    assert last_keys(lab.state, "other") == {}


def test_torn_keys_are_no_keys(lab):
    (lab.state / "keys").mkdir(parents=True, exist_ok=True)
    (lab.state / "keys" / "small.json").write_text('{"one": ')

    assert last_keys(lab.state, "small") == {}


def test_a_step_that_is_never_reused_says_so(lab):
    job = lab.job(a_step(cache=False))

    assert reason_to_run(job, job.key.digest).startswith("never reused: its caching is off")


def test_a_round_of_a_forced_task_is_said_to_be_forced(lab):
    assert reason_to_run(lab.job(a_step(name="step[1]"), forced=frozenset(["step"])), None) == "forced"
    assert reason_to_run(lab.job(a_step(name="step[1]"), forced=frozenset(["step[0]"])), None) == "never ran here"
