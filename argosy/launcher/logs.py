"""What a step wrote: kept whole in the store, shown by its last lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from argosy.launcher.store import Store

LAST_LINES: Final = 20
LAST_BYTES: Final = 1 << 14
LONGEST_LINE: Final = 240
# Colours, cursor movements and titles; then what else a terminal would act on, but for line ends and tabs.
ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def log_beside(scratch: Path) -> Path:
    """Return the log of the step that works in a scratch folder: beside it, where it outlives a step that clears it."""
    return scratch.with_name(f"{scratch.name}.log")


def keep_log(store: Store, log: Path) -> str:
    """Store a log and return its digest; empty where the step's code removed it."""
    return f"sha256:{store.put_file(log)[0]}" if log.is_file() else ""


def last_lines(log: Path) -> str:
    """Return the last lines of a log as plain text, bounded however long its lines are."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - LAST_BYTES))
        lines = plain(file.read().decode(errors="replace")).rstrip().split("\n")
    return "\n".join(_bounded(line) for line in lines[-LAST_LINES:])


def plain(text: str) -> str:
    """Leave out of a text what a terminal would act on and what UTF-8 cannot carry."""
    readable = text.encode(errors="backslashreplace").decode()
    return CONTROLS.sub("", ESCAPES.sub("", readable).replace("\r\n", "\n"))


def _bounded(line: str) -> str:
    # A progress bar rewrites its line again and again; its last state is what is left on a screen.
    shown = line.rstrip("\r").rpartition("\r")[2]
    return shown if len(shown) <= LONGEST_LINE else f"…{shown[-LONGEST_LINE:]}"
