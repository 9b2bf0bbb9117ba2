"""Runs the code of one step in this process; the one place that imports kfp's executor.

The request is plain JSON, so that the same code serves a forked child on this machine and a container elsewhere:
`python -m argosy.launcher.executor REQUEST.json`.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import os
import signal
import sys
import threading
import traceback
from contextlib import redirect_stdout, suppress
from dataclasses import asdict, dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.errors import ArgosyError
from argosy.launcher.guard import Allowed, install_guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

# Without it `import kfp` pulls the authoring SDK and a Kubernetes client: 1.7 s instead of 0.05 s.
RUNTIME_SWITCH = ("_KFP_RUNTIME", "true")
LONGEST_MESSAGE = 4000
END_S = 30.0
"""How long threads and exit hooks of a step's code may go on after it."""


@dataclass(frozen=True)
class Request:
    """One attempt at one step, as its process needs to know it; paths are absolute text.

    `argv` is a program to become; where it is empty, `function` of `source_file` is called.
    """

    source_file: str
    function: str
    executor_input: Mapping[str, Any]
    scratch: str
    project: str
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    store: str = ""

    def to_json(self) -> str:
        """Return the form that travels to another process."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Request:
        """Read the form that travels."""
        return Request(**json.loads(text))

    @property
    def error_file(self) -> Path:
        """Where an error of the step's code is written for the launcher."""
        return Path(self.scratch) / "error.json"


def run_request(request: Request) -> int:
    """Run a step in this process, which is its own, and return the process's exit code.

    Any exception of the step's code but our own is printed with its traceback (the log); all are summed up in the
    error file.
    """
    # A log is read in the order in which its lines were written, tracebacks on stderr among them.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    os.chdir(Path(request.scratch) / "work")
    os.environ.update(request.env)
    if request.argv:
        return _become_program(request)
    if request.project not in sys.path:
        sys.path.insert(0, request.project)
    try:
        call(request, guard=True)
    except SystemExit as error:
        return _report(request, describe(error), 1) if error.code else 0
    except ArgosyError as error:
        # Its message says all: where, what was got, what is allowed, what to do.
        return _report(request, describe(error), error.exit_code)
    except BaseException as error:  # the border between a user's code and the launcher
        # Its stderr may be closed or its disk full; that must not hide what it raised.
        with suppress(Exception):
            traceback.print_exception(error.with_traceback(_of_the_step(request, error)))
        return _report(request, describe(error), 1)
    return 0


def _of_the_step(request: Request, error: BaseException) -> TracebackType | None:
    """Return a traceback from the step's own code on: how it came to be called is no news to its author."""
    below = error.__traceback__
    while below is not None and below.tb_frame.f_code.co_filename != request.source_file:
        below = below.tb_next
    return below or error.__traceback__


def describe(error: BaseException) -> str:
    """Sum up what a step's code raised in bounded text; an exception's own text may raise in turn."""
    try:
        said = f"the step's code exited with {error.code!r}" if isinstance(error, SystemExit) else str(error)
    except Exception as failure:  # a user's `__str__` or `__repr__`
        said = f"(its message cannot be shown: that raises {type(failure).__name__})"
    if len(said) > LONGEST_MESSAGE:
        said = f"{said[:LONGEST_MESSAGE]}… ({len(said) - LONGEST_MESSAGE:,} more characters)"
    if isinstance(error, SystemExit | ArgosyError):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def limit_the_end(request: Request, code: int) -> None:
    """End this process soon after a step's code, which Python would let wait for its threads for ever."""

    def give_up() -> None:
        faulthandler.dump_traceback(file=2)
        if code == 0:
            _report(request, f"returned, but a thread or exit hook of it still ran {END_S:g} s later; join it", 1)
        os._exit(code or 1)

    timer = threading.Timer(END_S, give_up)
    timer.daemon = True
    timer.start()


def search_path() -> str:
    """Return where programs are looked for: beside this Python first, which may not be the one of the shell."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _become_program(request: Request) -> int:
    """Replace this process by the program of a container component; return only if that fails."""
    os.environ["PATH"] = search_path()
    # Python ignores them, and an ignored signal stays so in a program: `yes | head` would not end.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(request.argv[0], request.argv)  # noqa: S606 - a shell would read the arguments
    except OSError as error:
        return _report(request, f"{request.argv[0]}: cannot be run here: {error.strerror}", 1)


def call(request: Request, *, guard: bool = False) -> None:
    """Call the step's function through kfp's executor, in this process.

    Args:
        request: What to call.
        guard: Watch imports and opens from here on, for the rest of the process.

    """
    os.environ.setdefault(*RUNTIME_SWITCH)
    from kfp.dsl.executor import Executor

    violations = install_guard(_allowed(request)) if guard else []
    Executor(executor_input=dict(request.executor_input), function_to_execute=_load(request)).execute()
    # The step's code may have caught what the guard raised.
    for violation in violations[:1]:
        raise violation


def call_quietly(request: Request) -> None:
    """Call an observing step in the planner's own process, which it leaves as it was; it prints to stderr."""
    before = {name: os.environ.get(name) for name in request.env}
    os.environ.update(request.env)
    sys.path.insert(0, request.project)
    try:
        with redirect_stdout(sys.stderr):
            call(request)
    finally:
        sys.path.remove(request.project)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _load(request: Request) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location("argosy_step", request.source_file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(request.source_file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[..., Any] = getattr(module, request.function)
    return function


def _allowed(request: Request) -> Allowed:
    return Allowed(
        project=Path(request.project),
        modules=frozenset(request.modules),
        files=frozenset(Path(name) for name in request.files),
        reads=tuple(Path(name) for name in request.reads),
        outside=tuple(Path(name) for name in request.outside),
        store=Path(request.store) if request.store else None,
    )


def _report(request: Request, message: str, exit_code: int) -> int:
    staged = request.error_file.with_suffix(".tmp")
    staged.parent.mkdir(parents=True, exist_ok=True)
    staged.write_text(json.dumps({"message": message, "exit_code": exit_code}), encoding="utf-8")
    staged.replace(request.error_file)
    return exit_code


if __name__ == "__main__":
    asked = Request.from_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    exit_code = run_request(asked)
    limit_the_end(asked, exit_code)
    sys.exit(exit_code)
