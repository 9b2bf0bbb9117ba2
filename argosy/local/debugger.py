"""Runs one step in this process, under Python's debugger."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.launcher.executor import call

if TYPE_CHECKING:
    from argosy.launcher.executor import Request


def debug(request: Request, *, log: Path, lock: int, timeout_s: float | None) -> int:
    """Run a request here: `breakpoint()` works in its code, and an exception opens the debugger where it was raised.

    Neither the log nor the time limit applies; the guard is off, since it could not be taken away again.
    """
    del log, lock, timeout_s
    if request.argv:
        raise Mistake(f"--debug: {request.argv[0]} is a program, not Python; debug it by its own means")
    import pdb

    folder = Path.cwd()
    os.environ.update(request.env)
    sys.path.insert(0, request.project)
    os.chdir(Path(request.scratch) / "work")
    try:
        call(request)
    except Exception:  # the debugger is for whatever the step's code raises
        traceback.print_exc()
        pdb.post_mortem(sys.exc_info()[2])
        return 1
    finally:
        os.chdir(folder)
    return 0
