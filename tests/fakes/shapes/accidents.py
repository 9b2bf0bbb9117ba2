"""Failures: exit handlers, steps that run in spite of one, retries."""

from kfp import dsl
from kfp.dsl import PipelineTaskFinalStatus

from tests.fakes.shapes.steps import add, break_down, component, note


@component
def note_status(folder: str, status: PipelineTaskFinalStatus):
    """Leave behind whether the body failed."""
    from pathlib import Path

    Path(folder, "status").write_text("failed" if status.state == "FAILED" else "done", encoding="utf-8")


@component
def fail_twice(folder: str, number: int) -> int:
    """Fail until the third attempt; a file counts them."""
    from pathlib import Path

    counter = Path(folder, "attempts")
    attempts = int(counter.read_text()) + 1 if counter.exists() else 1
    counter.write_text(str(attempts))
    if attempts < 3:
        raise RuntimeError(f"attempt {attempts}")
    return number


@component
def default_to(text: str = "by default") -> str:
    """Return a text."""
    return text


@dsl.pipeline
def exit_after_success(folder: str):
    with dsl.ExitHandler(note(folder=folder, name="exit")):
        note(folder=folder, name="body")


@dsl.pipeline
def exit_after_failure(folder: str):
    with dsl.ExitHandler(note(folder=folder, name="exit")):
        broken = break_down(message="on purpose")
        note(folder=folder, name="after").after(broken)


@dsl.pipeline
def exit_told_of_success(folder: str):
    with dsl.ExitHandler(note_status(folder=folder)):
        note(folder=folder, name="body")


@dsl.pipeline
def exit_told_of_failure(folder: str):
    with dsl.ExitHandler(note_status(folder=folder)):
        break_down(message="on purpose")


@dsl.pipeline
def in_spite_of_failure(folder: str):
    broken = break_down(message="on purpose")
    said = default_to(text=broken.output).ignore_upstream_failure()
    note(folder=folder, name="said", text=said.output)


@dsl.pipeline
def in_spite_of_nothing(folder: str) -> str:
    fine = note(folder=folder, name="fine", text="given")
    return default_to(text=fine.output).ignore_upstream_failure().output


@dsl.pipeline
def failure(folder: str) -> int:
    broken = break_down(message="on purpose")
    note(folder=folder, name="after").after(broken)
    return add(a=1).output


@dsl.pipeline
def retry(folder: str) -> int:
    return fail_twice(folder=folder, number=7).set_retry(num_retries=2, backoff_duration="0s").output


@dsl.pipeline
def retry_too_short(folder: str) -> int:
    return fail_twice(folder=folder, number=7).set_retry(num_retries=1, backoff_duration="0s").output


@dsl.pipeline
def failing(folder: str):
    broken = break_down(message="on purpose")
    note(folder=folder, name="inside").after(broken)


@dsl.pipeline
def failure_in_pipeline(folder: str):
    inner = failing(folder=folder)
    note(folder=folder, name="after").after(inner)


@dsl.pipeline
def failure_in_loop(folder: str):
    with dsl.ParallelFor(["a", "b"]) as letter:
        broken = break_down(message=letter)
        note(folder=folder, name=letter).after(broken)
    note(folder=folder, name="after").after(broken)


@dsl.pipeline
def exit_after_pipeline(folder: str):
    with dsl.ExitHandler(note(folder=folder, name="exit")):
        failing(folder=folder)


@dsl.pipeline
def exit_after_loop(folder: str):
    with dsl.ExitHandler(note(folder=folder, name="exit")), dsl.ParallelFor(["a", "b"]) as letter:
        note(folder=folder, name=letter)


@dsl.pipeline
def retry_in_loop(folder: str) -> list[int]:
    with dsl.ParallelFor([7]) as number:
        done = fail_twice(folder=folder, number=number).set_retry(num_retries=2, backoff_duration="0s")
    return dsl.Collected(done.output)
