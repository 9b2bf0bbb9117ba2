"""What is to be made of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.store import Store

Kind = Literal["Workflow", "WorkflowTemplate", "CronWorkflow"]


@dataclass(frozen=True)
class Wanted:
    """What is to be made of a pipeline.

    Attributes:
        schedule: When a CronWorkflow runs, like `0 6 * * *`; its runs are given that time as `as_of`.
        lock: The file that pins third-party versions, relative to the project.
        store: Where the values lie of a plan of which a part is done; None for a whole plan.
        planned: By the name of a component, the digest of the code that it was planned with; a pod that holds other
            code refuses to run.
        env: Variables that every pod is given.
        fuse: Whether alike tasks share a pod.
        image: One that holds the launcher, for pods of importers and programs where no Python component names one.
        timezone: The zone that the schedule is read in.

    """

    kind: Kind = "Workflow"
    schedule: str | None = None
    lock: str | None = None
    store: Store | None = None
    planned: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    fuse: bool = False
    timezone: str = "UTC"
