"""Looking at processes by the ids that they leave in files."""

import time
from pathlib import Path


def is_alive(pid):
    """Say whether a process is there and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition, timeout_s=20.0):
    """Wait until a condition holds; return what it returned."""
    until = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.01)
    return found


def pids(folder):
    """Return the process ids that are the names of a folder's files."""
    return [int(path.name) for path in Path(folder).iterdir() if path.name.isdecimal()]
