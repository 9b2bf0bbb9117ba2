"""Follow a run on Kubeflow to its end."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from argosy.errors import Outage
from argosy.kubeflow.submission import GOING_ON

if TYPE_CHECKING:
    from collections.abc import Callable

    from argosy.kubeflow.client import Kubeflow, RemoteRun

POLL_S: Final = 5.0
PATIENCE_S: Final = 300.0
ENDING: Final = frozenset({"CANCELING"})
ENDED_BY: Final = re.compile(r"exit (?:code|status):? (\d+)")
OWN_CODES: Final = frozenset({2, 3, 75})


def follow(
    kubeflow: Kubeflow, run: RemoteRun, tell: Callable[[str], None], *, sleep: Callable[[float], None] = time.sleep
) -> RemoteRun:
    """Tell every change of a run and its tasks, and return how it ended.

    Raises:
        Outage: The server did not answer for five minutes. The run goes on without us.

    """
    before: dict[str, str] = {}
    silent_s = 0.0
    while True:
        try:
            run = kubeflow.run(run.id)
        except Outage as error:
            if silent_s >= PATIENCE_S:
                raise Outage(f"{error}; the run goes on, submit again to follow it") from error
            tell(f"no answer, asking again: {error}")
            silent_s += POLL_S
        else:
            silent_s = 0.0
            now = {"": run.state, **run.tasks}
            for name, state in now.items():
                if before.get(name) != state:
                    tell(f"{name or run.name}: {state.lower()}")
            before = now
            if run.state not in GOING_ON | ENDING:
                return run
        sleep(POLL_S)


def exit_code(run: RemoteRun) -> int:
    """Return the exit code for a run that ended: 0, or that of a task where the server tells one of ours, or 1."""
    if run.state in {"SUCCEEDED", "SKIPPED"}:
        return 0
    codes = [int(match) for match in ENDED_BY.findall(run.error)]
    own = [code for code in codes if code in OWN_CODES]
    return own[0] if own and len(own) == len(codes) else 1
