"""A run that kills itself: `dying_run.py SPEC POINT NTH` dies when it reaches a point for the nth time.

With the point `-` it goes on to its end and prints every point that it reached.
"""

import json
import os
import signal
import sys
from dataclasses import replace

from argosy.session import Request, execute, new_run, open_session


def main(spec: str, point: str, nth: int) -> None:
    session = open_session()
    request = Request(spec)
    run, run_id = new_run(session, request)
    reached: list[str] = []

    def hook(at: str) -> None:
        reached.append(at)
        if at == point and reached.count(point) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    run.context = replace(run.context, hook=hook)
    execute(session, run, run_id, request)
    sys.stdout.write(json.dumps(reached))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
