"""Runs the launcher in a pod of Kubeflow, in front of the container's own command.

    python3 -m argosy.launcher.pod --step {...} --executor_input {...} -- COMMAND...

Kubeflow has brought the inputs to local paths and says where it will collect outputs. Between the two the step is
keyed, looked up, run and committed as on any other target. The pod's environment names the store (`ARGOSY_STORE`), and
the project's folder in the image (`ARGOSY_PROJECT`, else the working folder).
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn

from argosy.errors import ArgosyError, Mistake
from argosy.launcher.closure import Roots
from argosy.launcher.exchange import Pod, build_step, emit
from argosy.launcher.key import Project, step_key
from argosy.launcher.launch import Context, Job, launch
from argosy.launcher.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from argosy.launcher.executor import Request
    from argosy.launcher.step import Outcome, Step

TOLD: Final = ("ARGOSY_ONLINE", "ARGOSY_SERVING_URL", "MLFLOW_TRACKING_URI")
CHUNK: Final = 1 << 16
ASKED_TO_END: Final = threading.Event()


def run_pod(pod: Pod) -> int:
    """Bring the pod's step to its end, hand its outputs to Kubeflow, and return the exit code."""
    with open_context(pod.wrapping.lock, os.environ.get("KFP_POD_NAME", "kubeflow")) as context:
        outcome = launch_and_tell(job_of(build_step(pod, context.store), context))
        if outcome.status != "failed":
            emit(pod, outcome, context.store)
        return outcome.exit_code


def job_of(step: Step, context: Context) -> Job:
    """Return a step with its key."""
    return Job(step, step_key(step, context.project), context)


def launch_and_tell(job: Job) -> Outcome:
    """Bring the step of a pod to its end, and say in the pod's log how that was."""
    outcome = launch(job)
    tell(job.step.name, outcome)
    return outcome


def tell(name: str, outcome: Outcome) -> None:
    """Say in the pod's log how its step ended."""
    _say(f"{name}: {outcome.status} {outcome.key}{f' ({outcome.reason})' if outcome.reason else ''}")
    if outcome.error:
        _say(outcome.error)


@contextmanager
def open_context(lock: str | None, run: str) -> Iterator[Context]:
    """Open the store that the pod's environment names, for the one step of this pod.

    Args:
        lock: The file that pins third-party versions, relative to the project.
        run: What the records call this run.

    Raises:
        Mistake: The environment names no store.

    """
    url = os.environ.get("ARGOSY_STORE")
    if not url:
        raise Mistake(
            "ARGOSY_STORE: not set in this pod; set it in the image, on Argo in the config map `argosy`, "
            "or submit with --store s3://bucket/prefix"
        )
    with ExitStack() as stack:
        given = os.environ.get("ARGOSY_STATE")
        state = Path(given or stack.enter_context(tempfile.TemporaryDirectory(prefix="argosy-"))).absolute()
        root = Path(os.environ.get("ARGOSY_PROJECT") or Path.cwd()).absolute()
        os.environ.update({"ARGOSY_STATE": str(state), "ARGOSY_PROJECT": str(root)})
        store = open_store(url, state=state)
        names = ("ARGOSY_STORE", "ARGOSY_STATE", "ARGOSY_PROJECT", *TOLD)
        told = {name: os.environ[name] for name in names if name in os.environ}
        project = Project(Roots(root), root / lock if lock else None, store.stamps)
        yield Context(
            store,
            project,
            run,
            state,
            execute_in_child,
            env=told,
            cancelled=ASKED_TO_END.is_set,
            attempt=f"-{secrets.token_hex(4)}",
        )


def execute_in_child(request: Request, *, log: Path, lock: int, timeout_s: float | None) -> int:
    """Run a request in a child; what it prints goes to the log and on to the pod's output."""
    del timeout_s  # Kubeflow watches the time
    file = Path(request.scratch) / "request.json"
    file.write_text(request.to_json(), encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, "-m", "argosy.launcher.executor", str(file)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[lock],
        start_new_session=True,
    )
    copying = threading.Thread(target=_copy_log, args=(child.stdout, log), daemon=True)
    copying.start()
    try:
        return child.wait()
    finally:
        # What the child started and left behind ends with it, or with this process.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        copying.join()


def _copy_log(output: IO[bytes], log: Path) -> None:
    with output as stream, log.open("ab", buffering=0) as sink:
        while data := os.read(stream.fileno(), CHUNK):
            sink.write(data)
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()


def _end(number: int, _frame: object) -> NoReturn:
    ASKED_TO_END.set()
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    sys.stderr.write(f"argosy: {text}\n")


def exit_code_of(run: Callable[[], int]) -> int:
    """Run what a pod is there for; an ArgosyError becomes one message and its exit code."""
    signal.signal(signal.SIGTERM, _end)
    try:
        return run()
    except ArgosyError as error:
        _say(str(error))
        return error.exit_code


def main(words: Sequence[str]) -> int:
    """Run a pod's command line."""
    return exit_code_of(lambda: run_pod(Pod.from_words(words)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
