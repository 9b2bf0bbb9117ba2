"""Runs a program in the container beside this one, whose image need hold a shell and nothing else.

Both containers share a folder. The other one runs `KEEPER`, which beats as long as its container lives, waits for a
script, runs it and says how it ended:

    beat    changes every two seconds
    go      the script, whole; only to end, where there is nothing to run
    log     what the program prints
    code    its exit code, in a line
"""

from __future__ import annotations

import re
import shlex
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from argosy.errors import Mistake, Outage

if TYPE_CHECKING:
    from argosy.launcher.executor import Request
    from argosy.launcher.launch import Execute

NAME: Final = "program"
"""The other container."""
KEEPER: Final = """\
mkdir -p "$0"
while :; do echo >"$0/beat"; sleep 2; done >/dev/null 2>&1 &
beats=$!
while [ ! -e "$0/go" ]; do sleep 0.2 2>/dev/null || sleep 1; done
sh "$0/go" >"$0/log" 2>&1 </dev/null
echo $? >"$0/code"
kill $beats 2>/dev/null
exit 0
"""
"""What the other container runs, in `sh -c KEEPER FOLDER`: POSIX, and two programs, sleep and mkdir. It never fails:
Argo would fail the pod, whatever the launcher said."""
STARTS_WITHIN_S: Final = 1800.0
"""An image may be large; nobody tells this container that it cannot be pulled."""
BEATS_WITHIN_S: Final = 60.0
LOOK_S: Final = 0.2
CHUNK: Final = 1 << 16
ENDED: Final = Path(f"/var/run/argo/ctr/{NAME}/exitcode")
"""Where Argo's executor says how the other container ended, one without a shell too."""
VARIABLE: Final = re.compile(r"[A-Za-z_]\w*")


def execute_beside(folder: Path, *, ended: Path = ENDED) -> Execute:
    """Return what runs a request in the other container.

    Args:
        folder: The folder that both share.
        ended: The file that is there once the other container has ended.

    """

    def execute(request: Request, *, log: Path, lock: int, timeout_s: float | None) -> int:
        del lock, timeout_s  # the claim is this process's own, and Argo watches the time
        folder.mkdir(parents=True, exist_ok=True)
        _give(folder, script_of(request))
        with log.open("ab", buffering=0) as sink:
            return _await_end(folder, ended, sink, request.argv[0])

    return execute


def release(folder: Path) -> None:
    """Let the other container end, if nothing was run there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "go").exists():
        _give(folder, "exit 0\n")


def script_of(request: Request) -> str:
    """Return what the other container's shell is to run."""
    exported = {name: value for name, value in request.env.items() if VARIABLE.fullmatch(name)}
    lines = [f"cd {shlex.quote(f'{request.scratch}/work')} || exit 1"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(exported.items())]
    return "\n".join([*lines, f"exec {shlex.join(request.argv)}"]) + "\n"


def _give(folder: Path, script: str) -> None:
    staged = folder / "staged"
    staged.write_text(script, encoding="utf-8")
    staged.replace(folder / "go")


def _await_end(folder: Path, ended: Path, sink: IO[bytes], program: str) -> int:
    beat, since, read = 0, time.monotonic(), 0
    while True:
        # In this order: a code that is written last is there once the container has ended.
        is_over = ended.exists()
        code = _code(folder / "code")
        read += _copy(folder / "log", read, sink)
        if code is not None:
            return code
        if is_over:
            raise Mistake(
                f"{program}: the container of its image ended without running it; the image has to hold sh, mkdir and "
                "sleep, or run the program in an image that holds Argosy"
            )
        now = _beat(folder / "beat")
        beat, since = (now, time.monotonic()) if now != beat else (beat, since)
        _require_life(time.monotonic() - since, program, started=beat != 0)
        time.sleep(LOOK_S)


def _require_life(silent_s: float, program: str, *, started: bool) -> None:
    if started and silent_s > BEATS_WITHIN_S:
        raise Outage(f"{program}: its container is gone, perhaps for lack of memory")
    if silent_s > STARTS_WITHIN_S:
        raise Outage(f"{program}: its container did not start within {STARTS_WITHIN_S:g} s; can its image be pulled?")


def _code(file: Path) -> int | None:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return int(text) if text.endswith("\n") else None


def _beat(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _copy(file: Path, start: int, sink: IO[bytes]) -> int:
    """Hand on what a log has more by now, to the step's log and to that of this container."""
    try:
        log = file.open("rb")
    except FileNotFoundError:
        return 0
    with log:
        log.seek(start)
        while data := log.read(CHUNK):
            sink.write(data)
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        return log.tell() - start
