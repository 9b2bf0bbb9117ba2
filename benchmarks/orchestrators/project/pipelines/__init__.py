"""The pipelines of the benchmark."""
