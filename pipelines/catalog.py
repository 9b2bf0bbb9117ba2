"""Every pipeline of this project by name: explicit, nothing is discovered."""

PIPELINES = {
    "features-materialize": "pipelines.features:features_materialize",
    "flights-training": "pipelines.flights:flights_training",
    "flights-skew": "pipelines.replay:flights_skew",
}
