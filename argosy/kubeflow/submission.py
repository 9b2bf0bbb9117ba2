"""Hand a plan to Kubeflow once: whoever submits it again is attached to the run that goes on.

Kubeflow lets any number of runs have one name. So a run is named by its plan, runs of that name are listed before one
is created, and listed again after it: of twins the oldest stays, and who made another takes it away. An answer that was
lost is found by the same listing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from argosy.errors import Mistake, Outage
from argosy.launcher.canonical import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from argosy.kubeflow.client import Kubeflow, Order, RemoteRun
    from argosy.spec.model import JsonValue

    class Create(Protocol):
        """Creates what an order asks for."""

        def __call__(self, order: Order) -> RemoteRun:
            """Create it."""


GOING_ON: Final = frozenset({"RUNTIME_STATE_UNSPECIFIED", "PENDING", "RUNNING", "PAUSED"})
CRON_FIELDS: Final = 6


@dataclass(frozen=True)
class Submitted:
    """What became of a submission.

    Attributes:
        attached: Whether a run that was there before is meant.
        others: Recurring runs of the same pipeline that go on beside this one.

    """

    run: RemoteRun
    attached: bool
    others: tuple[RemoteRun, ...] = ()


def plan_name(pipeline: str, spec: Mapping[str, JsonValue], arguments: Mapping[str, JsonValue], cron: str = "") -> str:
    """Name a plan: the pipeline, and a short digest of all that is run."""
    digest = digest_of([dict(spec), dict(arguments), cron]).removeprefix("sha256:")
    return f"{pipeline}-{digest[:10]}"


def submit_run(kubeflow: Kubeflow, order: Order) -> Submitted:
    """Start a run of a plan, or find the one that goes on.

    Args:
        kubeflow: The server.
        order: Its name is the plan's; a plan that has run before gets `-2`, `-3` and so on behind it.

    """
    earlier = [run for run in kubeflow.runs(order.experiment, order.name) if _number(run, order.name)]
    going_on = [run for run in earlier if run.state in GOING_ON]
    if going_on:
        return Submitted(going_on[0], attached=True)
    number = max((_number(run, order.name) for run in earlier), default=0) + 1
    named = replace(order, name=order.name if number == 1 else f"{order.name}-{number}")

    def twins() -> list[RemoteRun]:
        return [run for run in kubeflow.runs(order.experiment, named.name) if run.name == named.name]

    return _create_once(named, kubeflow.create_run, twins, kubeflow.delete_run)


def submit_recurring_run(kubeflow: Kubeflow, order: Order, cron: str, *, pipeline: str) -> Submitted:
    """Schedule a plan, or find that it is scheduled already."""

    def twins() -> list[RemoteRun]:
        found = kubeflow.recurring_runs(order.experiment, order.name)
        return [run for run in found if run.name == order.name and run.state != "DISABLED"]

    def create(order: Order) -> RemoteRun:
        return kubeflow.create_recurring_run(order, cron)

    there = twins()
    if there:
        submitted = Submitted(there[0], attached=True)
    else:
        submitted = _create_once(order, create, twins, kubeflow.delete_recurring_run)
    beside = [run for run in kubeflow.recurring_runs(order.experiment, f"{pipeline}-") if _goes_on_beside(run, order)]
    return replace(submitted, others=tuple(run for run in beside if _plan_of(run.name) == pipeline))


def cron_of(text: str) -> str:
    """Return a cron expression as Kubeflow wants it: six fields, of which the first is seconds.

    Raises:
        Mistake: It has neither five fields, as everywhere, nor six.

    """
    fields = text.split()
    if text.startswith("@") and len(fields) in {1, 2}:
        return " ".join(fields)
    if len(fields) == CRON_FIELDS - 1:
        fields = ["0", *fields]
    if len(fields) != CRON_FIELDS or not all(re.fullmatch(r"[\w*/,?#-]+", field) for field in fields):
        raise Mistake(
            f"--cron {text!r}: five fields are needed (minute hour day month weekday), or six with seconds in front; "
            "write --cron '0 6 * * *' for every day at six"
        )
    return " ".join(fields)


def _create_once(
    order: Order, create: Create, twins: Callable[[], list[RemoteRun]], delete: Callable[[str], None]
) -> Submitted:
    try:
        ours = create(order)
    except Outage:
        # It may have been made, and only the answer lost.
        made = twins()
        if not made:
            raise
        return Submitted(made[0], attached=False)
    first = next(iter(twins()), ours)
    if first.id == ours.id:
        return Submitted(ours, attached=False)
    delete(ours.id)
    return Submitted(first, attached=True)


def _number(run: RemoteRun, name: str) -> int:
    """Return which run of a plan this is, from 1; 0 where it is none."""
    match = re.fullmatch(rf"{re.escape(name)}(?:-([1-9]\d*))?", run.name)
    return int(match[1] or 1) if match else 0


def _goes_on_beside(run: RemoteRun, order: Order) -> bool:
    return run.state != "DISABLED" and run.name != order.name


def _plan_of(name: str) -> str:
    return re.sub(r"-[0-9a-f]{10}$", "", name)
