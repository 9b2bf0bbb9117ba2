"""The seven steps as kfp components: typed shells around plain functions."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Metrics, Model, Output

IMAGE = "python:3.11"


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def load_parcels(rows: int, seed: int, raw: Output[Dataset]):
    """Make the raw table."""
    from components.parcels.tables import load, write

    write(load(rows, seed), raw.path)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def clean_parcels(raw: Input[Dataset], clean: Output[Dataset]):
    """Drop the rows that cannot be."""
    from components.parcels import tables

    tables.write(tables.clean(tables.read(raw.path)), clean.path)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def build_features(clean: Input[Dataset], features: Output[Dataset]):
    """Derive the columns that the model sees."""
    from components.parcels import tables
    from components.parcels.features import build_features as build

    tables.write(build(tables.read(clean.path)), features.path)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def split_parcels(features: Input[Dataset], train: Output[Dataset], test: Output[Dataset]):
    """Part the table by time."""
    from components.parcels import tables

    earlier, later = tables.split(tables.read(features.path))
    tables.write(earlier, train.path)
    tables.write(later, test.path)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_model(train: Input[Dataset], model: Output[Model]):
    """Fit the model."""
    from components.parcels import models, tables

    models.write(models.train(tables.read(train.path)), model.path)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate_model(model: Input[Model], test: Input[Dataset], metrics: Output[Metrics]):
    """Judge the model on the later part."""
    from components.parcels import models, summary, tables

    # Written as a file too: without one, kfp's cache takes the step for one that lost its output.
    summary.write_metrics(models.evaluate(models.read(model.path), tables.read(test.path)), metrics.path)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def write_report(metrics: Input[Metrics], report: Output[Markdown]):
    """Say how good the model is."""
    from components.parcels import summary

    summary.write(summary.describe(summary.read_metrics(metrics.path)), report.path)
