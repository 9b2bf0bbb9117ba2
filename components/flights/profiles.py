"""The two sizes in which the flights pipeline runs: the whole year, and January for a quick one."""

from __future__ import annotations

from dataclasses import dataclass

from argosy.training.plan import SearchBudget, TrainingPlan, Window


@dataclass(frozen=True)
class Profile:
    """What a run of the flights pipeline covers.

    Args:
        data: Local days of scheduled departure to ingest.
        training: Windows and budgets of search and training.
        test: Days on which the candidate is judged.

    """

    data: Window
    training: TrainingPlan
    test: Window


PROFILES = {
    "year": Profile(
        data=Window("2013-01-01", "2014-01-01"),
        training=TrainingPlan(
            name="flights-delay",
            predicts="arrives 15+ minutes late",
            train=Window("2013-01-01", "2013-07-01"),
            calibrate=Window("2013-07-01", "2013-08-01"),
            search=SearchBudget(batch=3, folds=2, every=3, tree_share=0.5),
            seeds=2,
        ),
        test=Window("2013-08-01", "2014-01-01"),
    ),
    "month": Profile(
        data=Window("2013-01-01", "2013-02-01"),
        training=TrainingPlan(
            name="flights-delay",
            predicts="arrives 15+ minutes late",
            train=Window("2013-01-01", "2013-01-21"),
            calibrate=Window("2013-01-21", "2013-01-24"),
            search=SearchBudget(batch=2, folds=2, tree_share=0.5),
            total_step=6.0,
            seeds=1,
        ),
        test=Window("2013-01-24", "2013-02-01"),
    ),
}
