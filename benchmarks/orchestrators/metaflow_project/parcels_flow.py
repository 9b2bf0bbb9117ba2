"""The seven steps as a Metaflow flow; its first and its last have the names that Metaflow wants.

Run as `python parcels_flow.py run` with the project on PYTHONPATH. Each step imports what it needs and nothing else.
"""

from __future__ import annotations

from metaflow import FlowSpec, Parameter, step


class ParcelsFlow(FlowSpec):
    """Train and judge a model of late parcels."""

    rows = Parameter("rows", type=int, default=20_000)
    seed = Parameter("seed", type=int, default=7)

    @step
    def start(self) -> None:
        """Make the raw table."""
        from components.parcels import tables

        self.raw = tables.load(self.rows, self.seed)
        self.next(self.clean)

    @step
    def clean(self) -> None:
        """Drop the rows that cannot be."""
        from components.parcels import tables

        self.cleaned = tables.clean(self.raw)
        self.next(self.features)

    @step
    def features(self) -> None:
        """Derive the columns that the model sees."""
        from components.parcels.features import build_features

        self.table = build_features(self.cleaned)
        self.next(self.split)

    @step
    def split(self) -> None:
        """Part the table by time."""
        from components.parcels import tables

        self.earlier, self.later = tables.split(self.table)
        self.next(self.train)

    @step
    def train(self) -> None:
        """Fit the model."""
        from components.parcels import models

        self.model = models.train(self.earlier)
        self.next(self.evaluate)

    @step
    def evaluate(self) -> None:
        """Judge the model on the later part."""
        from components.parcels import models

        self.metrics = models.evaluate(self.model, self.later)
        self.next(self.end)

    @step
    def end(self) -> None:
        """Say how good the model is."""
        from components.parcels import summary

        self.report = summary.describe(self.metrics)


if __name__ == "__main__":
    ParcelsFlow()
