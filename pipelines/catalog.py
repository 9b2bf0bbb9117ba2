"""Every pipeline of this project by name: explicit, nothing is discovered."""

PIPELINES = {
    "flights-training": "pipelines.flights:flights_training",
}
