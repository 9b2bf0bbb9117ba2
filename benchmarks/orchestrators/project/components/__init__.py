"""The components of the benchmark."""
