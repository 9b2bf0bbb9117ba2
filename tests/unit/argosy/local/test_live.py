from dataclasses import replace

from argosy.launcher.step import Outcome
from argosy.local.live import Lines, LiveTree, Silence, ending, progress_for
from argosy.spec.model import Constant, Loop, Parameter, Pipeline
from tests.fakes.plans import a_plan, a_task

A_LOOP = Loop("l", Constant([1, 2, 3]), Parameter("item", "NUMBER_INTEGER"))
ONE = "def step() -> int:\n    return 1\n"


def show(progress):
    progress("make", "started", None)
    progress("make", "ended", Outcome("ran", seconds=1.26))
    progress("count", "ended", Outcome("reused"))
    progress("look", "ended", Outcome("observed"))
    progress("train", "ended", Outcome("failed", error="ValueError: no\nmore"))
    progress("gate", "ended", Outcome("skipped", reason="train failed"))
    progress.close()


def test_lines_tell_what_ran_failed_or_was_skipped(capsys):
    show(Lines())

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "  … make",
        "  ✔ make 1.3 s",
        "  ✘ train ValueError: no",
        "  - gate skipped: train failed",
    ]


def test_silence_tells_nothing(capsys):
    show(Silence())

    assert capsys.readouterr().err == ""


def test_without_a_terminal_lines_are_printed():
    assert isinstance(progress_for(a_plan(a_task("one", ONE))), Lines)
    assert isinstance(progress_for(a_plan(a_task("one", ONE)), quiet=True), Silence)


def test_the_tree_shows_every_task_with_its_state(capsys):
    tasks = a_task("make", ONE), a_task("train", ONE, after=("make",)), a_task("gate", ONE, after=("train",))
    tree = LiveTree(a_plan(*tasks))

    tree("make", "ended", Outcome("reused"))
    tree("train", "started", None)
    tree("train", "ended", Outcome("failed", error="ValueError: no"))
    tree.close()

    shown = capsys.readouterr().err
    assert all(text in shown for text in ("small", "↺ make reused", "✘ train ValueError: no", "○ gate"))


def test_a_tree_in_which_nothing_ran_is_not_drawn(capsys):
    tree = LiveTree(a_plan(a_task("make", ONE)))

    tree("make", "ended", Outcome("reused"))
    tree.close()

    assert capsys.readouterr().err == ""


def test_a_failure_without_words_is_a_failure():
    assert ending(Outcome("failed")) == "failed"


def test_the_rounds_of_a_loop_are_one_line_with_their_worst_end(capsys):
    pipeline = Pipeline("small", "", {}, (replace(a_task("make", ONE), loops=("l",)),), loops={"l": A_LOOP})
    tree = LiveTree(pipeline)

    tree("make[0]", "started", None)
    tree("make[0]", "ended", Outcome("ran", seconds=1.0))
    tree("make[1]", "ended", Outcome("ran", seconds=0.5))
    ended = tree._label("make")
    tree("make[2]", "started", None)
    running = tree._label("make")
    tree("make[2]", "ended", Outcome("failed", error="[odd] words"))
    tree.close()

    assert "✔" in ended
    assert "make [dim]2 rounds: 1.5 s" in ended
    assert "2 rounds done" in running
    assert "✘ make 3 rounds: [odd] words" in capsys.readouterr().err
