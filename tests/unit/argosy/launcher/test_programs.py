"""Container components run as programs of this machine, keyed by image and arguments."""

import signal
import time
from pathlib import Path

from argosy.launcher.artifacts import Artifact, Artifacts
from argosy.launcher.step import Input, Output, Step
from tests.fakes.launching import slots


def a_program(*argv, image="alpine", inputs=None, outputs=None, **more):
    """Return a step that is a program."""
    given = {key: value if isinstance(value, Input) else Input(value, value) for key, value in (inputs or {}).items()}
    return Step(name="program", image=image, argv=argv, inputs=given, outputs=slots(outputs or {}), **more)


def ends(pid):
    """Say whether a process is gone, or is about to be: a kill is not over at once."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(") ", 1)[1][0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_a_program_writes_values_and_files_where_it_is_told(lab):
    script = 'echo 7 > "$0"; mkdir "$1"; echo "$2" > "$1/text"'
    outcome = lab.launch(
        a_program(
            "sh", "-c", script, "{{$.outputs.parameters['n'].output_file}}", "{{$.outputs.artifacts['data'].path}}",
            "{{$.inputs.parameters['word']}}",
            inputs={"word": "it's"}, outputs={"n": "NUMBER_INTEGER", "data": "system.Dataset"},
        )
    )  # fmt: skip
    assert (outcome.status, outcome.error, outcome.values()["n"]) == ("ran", "", 7)
    manifest = lab.store.read_blob(outcome.values()["data"].removeprefix("sha256:"))
    assert b'"text"' in manifest


def test_the_same_program_is_reused_and_another_image_or_argument_is_not(lab):
    assert lab.launch(a_program("echo", "a")).status == "ran"
    assert lab.launch(a_program("echo", "a")).status == "reused"
    assert lab.launch(a_program("echo", "b")).status == "ran"
    assert lab.launch(a_program("echo", "a", image="busybox")).status == "ran"


def test_a_program_that_fails_is_a_failed_step_with_its_log(lab):
    outcome = lab.launch(a_program("sh", "-c", "echo heard; exit 7"))
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert "exited with 7" in outcome.error
    assert lab.log(outcome) == "heard\n"


def test_a_program_that_is_not_here_says_so(lab):
    outcome = lab.launch(a_program("no-such-program"))
    assert outcome.status == "failed"
    assert "no-such-program: cannot be run here: No such file or directory" in outcome.error


def test_a_python_program_is_the_python_that_runs_argosy(lab):
    outcome = lab.launch(a_program("python", "-c", "import argosy, sys; print(sys.prefix)"))
    assert outcome.status == "ran"


def test_a_closed_pipe_ends_a_program_as_in_a_shell(lab):
    outcome = lab.launch(a_program("sh", "-c", "yes | head -n 1"), cancelled=lambda: False)
    assert (outcome.status, lab.log(outcome)) == ("ran", "y\n")
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN


def test_what_a_program_leaves_running_ends_with_it(lab):
    outcome = lab.launch(
        a_program("sh", "-c", 'sleep 600 & echo $! > "$0"', "{{$.outputs.parameters['pid'].output_file}}",
                  outputs={"pid": "NUMBER_INTEGER"})
    )  # fmt: skip
    assert ends(outcome.values()["pid"])


def test_a_list_of_artifacts_is_given_in_order_and_comes_back_as_one(lab):
    made = [
        lab.launch(a_program("sh", "-c", f"echo {word} > $0", "{{$.outputs.artifacts['data'].path}}",
                             outputs={"data": "system.Dataset"})).outputs["data"].value
        for word in ("b", "a")
    ]  # fmt: skip
    both = Output(Artifacts(tuple(made)))
    assert Output.from_json(both.to_json()) == both
    entry = both.as_input("key", "data")
    assert entry.identity == [artifact.digest for artifact in made]
    step = a_program(
        "python", "-c", "import json, sys; print(*(open(a['uri']).read().strip() for a in json.loads(sys.argv[1])))",
        "{{$.inputs.artifacts['many']}}", inputs={"many": entry},
    )  # fmt: skip
    outcome = lab.launch(step)
    assert (outcome.status, lab.log(outcome)) == ("ran", "b a\n")
    turned = Output(Artifacts(tuple(reversed(made)))).as_input("key", "data")
    assert lab.key(a_program(*step.argv, inputs={"many": turned})) != lab.key(step)
    assert isinstance(made[0], Artifact)
