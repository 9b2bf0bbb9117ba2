"""The trivial step."""
