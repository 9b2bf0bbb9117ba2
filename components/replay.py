"""Check what was served against what training would see."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Output

from argosy.kubeflow.declare import step
from components.images import STEPS


@step(kind="observe")
@dsl.component(base_image=STEPS, install_kfp_package=False)
def observe_served(served: str, log: Output[Dataset]) -> None:
    """Lay out the log of what was served by key; that of this machine's server where no folder is named."""
    import os
    from pathlib import Path

    from argosy.features.replay.served import copy_served

    folder = Path(served) if served else Path(os.environ["ARGOSY_STATE"]) / "served"
    copy_served(folder, Path(log.path))


@dsl.component(base_image=STEPS, install_kfp_package=False)
def replay_served(
    log: Input[Dataset], events: Input[Dataset], features: Input[Artifact], threshold: float
) -> NamedTuple("Replayed", passed=bool, findings=list, verdict=dict, skew=dict):
    """Join the logged requests again as of when they were served, compare cell by cell, and name what differs."""
    from pathlib import Path

    from argosy.features.replay.replay import replay

    folders = {"served": Path(log.path), "events": Path(events.path), "features": Path(features.path)}
    found = replay(**folders, threshold=threshold)
    return found["verdict"]["ok"], found["findings"], found["verdict"], found


@step(reads=["argosy/report/templates"])
@dsl.component(base_image=STEPS, install_kfp_package=False)
def show_skew(skew: dict, summary: Output[Markdown], page: Output[HTML]):
    """Show what the replay found where Kubeflow's interface looks for it."""
    from pathlib import Path

    from argosy.features.replay.report import replay_markdown
    from argosy.report.typed import results_page

    Path(summary.path).write_text(replay_markdown(skew), encoding="utf-8")
    shown = results_page({"findings": skew["findings"]}, skew["verdict"], title="flights-skew")
    Path(page.path).write_text(shown, encoding="utf-8")
