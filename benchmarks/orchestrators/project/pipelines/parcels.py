"""Will a parcel arrive late? Seven steps from raw data to a report; kfp.local and Argosy run this same source."""

from components.steps import (
    build_features,
    clean_parcels,
    evaluate_model,
    load_parcels,
    split_parcels,
    train_model,
    write_report,
)
from kfp import dsl


@dsl.pipeline(name="parcels")
def parcels(rows: int = 20_000, seed: int = 7) -> None:
    """Train and judge a model of late parcels."""
    raw = load_parcels(rows=rows, seed=seed).outputs["raw"]
    clean = clean_parcels(raw=raw).outputs["clean"]
    features = build_features(clean=clean).outputs["features"]
    parts = split_parcels(features=features).outputs
    model = train_model(train=parts["train"]).outputs["model"]
    metrics = evaluate_model(model=model, test=parts["test"]).outputs["metrics"]
    write_report(metrics=metrics)
