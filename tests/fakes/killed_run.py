"""A run of flights that kills itself: `killed_run.py POINT NTH` dies when it reaches a point for the nth time."""

import os
import signal
import sys
from dataclasses import replace

from argosy.session import Request, execute, new_run, open_session

REQUEST = Request("flights-training", {"profile": "month"})


def main(point: str, nth: int) -> None:
    session = open_session()
    run, run_id = new_run(session, REQUEST)
    reached = 0

    def hook(at: str) -> None:
        nonlocal reached
        reached += at == point
        if reached == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    run.context = replace(run.context, hook=hook)
    execute(session, run, run_id, REQUEST)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
