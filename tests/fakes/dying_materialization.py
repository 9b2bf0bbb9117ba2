"""Materialise, and die by SIGKILL right before or after the nth call of the online store.

    python -m tests.fakes.dying_materialization FOLDER URL AT_US CALL

The last word of a process that is not to die is 0. What it prints is how many calls it made.
"""

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from argosy.features.online import materialize as materializing
from argosy.features.online.connect import open_online
from argosy.features.online.marks import Work

ACTS = ("write", "drop_before", "mark")


class Dying:
    """An online store that ends its process around a call that changes it; each act counts twice."""

    def __init__(self, store, call):
        self._store = store
        self._left = call
        self.calls = 0

    def __getattr__(self, name):
        act = getattr(self._store, name)
        if name not in ACTS:
            return act

        def acting(*given, **named):
            self._count()
            done = act(*given, **named)
            self._count()
            return done

        return acting

    def _count(self):
        self.calls += 1
        if self.calls == self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder, url, at_us, call):
    place = Path(folder)
    with closing(open_online(url)) as store:
        dying = Dying(store, int(call))
        work = Work(int(at_us), "events")
        materializing.BATCH_ROWS = 500  # several batches of few rows
        materializing.materialize(events=place / "events", features=place / "features.json", online=dying, work=work)
        sys.stdout.write(f"{dying.calls}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
